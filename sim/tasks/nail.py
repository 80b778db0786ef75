"""The nail of the hammer task: its size, its friction, where it stands, and what stands around it."""

from __future__ import annotations

STROKE = 0.08
"""How far the nail can be driven [m]."""
FRICTION = 40.0
"""Dry friction of the nail in its block [N]."""
SURFACE_FRICTION = 0.6
"""Coulomb friction of the nail's head."""
SOLVED = 0.95
"""Share of the stroke that counts as driven."""
HEAD_RADIUS = 0.03
"""Radius of the nail's head [m]."""
HEAD_HEIGHT = 0.015
"""Height of the nail's head [m]."""
MASS = 0.1
"""Mass of the nail [kg]."""
BLOCK = 0.10
"""Half the side of the block that the nail is driven into [m]; its top is where the driven nail's head rests."""

SCENE = {"nail_x": 0.5, "nail_y": 0.0, "nail_z": 0.1}
"""Top centre of the undriven nail [m]; the ground is z = 0."""
