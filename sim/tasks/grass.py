"""The grass of the scythe task: where its stalks stand, what cuts them, and the scythe that an arm can swing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from motion.tool import Tool
from sim.tasks.task import TaskError, checked_scene

PATCH = (0.10, 0.40)
"""Sides of the patch along x and y [m] (Zorina et al. 2021); the scythe sweeps along y."""
HEIGHT = 0.30
"""Of a stalk [m]."""
RADIUS = 0.004
"""Of a stalk, in pictures [m]."""
MOST = 100
"""Stalks of a patch at most."""

CUT_HEIGHT = 0.10
"""A stalk is cut at this height at most [m]."""
GAP = 0.02
"""The edge cuts a stalk when it comes this near to its axis [m]."""
LEVEL = float(np.cos(np.radians(30)))
"""Cosine of the largest angle between the blade and the ground."""
SLOWEST = 0.5
"""Speed along the edge below which it bends a stalk instead of cutting it [m/s]."""
PRESSED = 250.0
"""A scythe that presses on the ground harder than this, on average over a control step, has dug itself in [N]: a third
of a mower's weight."""
SOLVED = 0.8
"""Share of the stalks that have to be cut."""

SCENE = {"patch_x": 0.55, "patch_y": 0.0, "stalks": 10.0}
"""Centre of the patch on the ground z = 0 [m], and how many stalks stand on it."""

SCYTHE = Tool(
    name="scythe",
    length=0.70,
    length_bounds=(0.50, 1.70),
    handle_radius=0.014,
    handle_mass=0.5,
    head_size=(0.04, 0.35, 0.006),
    head_mass=0.3,
    grip=0.30,
)
"""A scythe for an arm: blade .35 m, handle .7 m (Zorina et al. 2021); masses of beech and steel of that size."""


def grass_scene(scene: Mapping[str, float]) -> dict[str, float]:
    """A scene completed with its defaults.

    Raises:
        TaskError: an unknown parameter, or a number of stalks that is not a whole one from 1 to `MOST`.
    """
    place = checked_scene(scene, SCENE)
    count = place["stalks"]
    if not (1 <= count <= MOST and float(count).is_integer()):
        raise TaskError(f"stalks {count}: it must be a whole number from 1 to {MOST}")
    return place


def stalk_places(scene: Mapping[str, float]) -> Float[np.ndarray, "N 3"]:
    """Where stalks stand on the ground [m]: evenly along the patch, and across it by the golden section.

    A Kronecker lattice: however many they are, stalks keep apart and stand in no rows.
    """
    place = grass_scene(scene)
    k = np.arange(int(place["stalks"]))
    share = np.stack([(0.5 + k * (np.sqrt(5) - 1) / 2) % 1.0, (k + 0.5) / len(k)], axis=1)
    centre = np.array([place["patch_x"], place["patch_y"], 0.0])
    return centre + np.c_[(share - 0.5) * PATCH, np.zeros(len(share))]
