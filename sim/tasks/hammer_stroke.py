"""The hammer's own scripted stroke: a level hammer waits above the nail, and falls on it."""

from __future__ import annotations

import numpy as np

from motion.tool import HAMMER, motion_of_poses
from records import Demonstration
from sim.swing import CONTROL_RATE
from sim.tasks.nail import SCENE, STROKE

HEIGHT = 0.25
"""Of the face above the nail before the strike [m]."""
THROUGH = 0.01
"""How far the stroke goes on below the driven nail [m]."""
WAIT, FALL, REST = 5, 9, 4
"""Frames before, in and after the fall."""


def hammer_stroke() -> Demonstration:
    """Falls with constant acceleration, half that of gravity."""
    top = np.array([SCENE["nail_x"], SCENE["nail_y"], SCENE["nail_z"] + HAMMER.head_size[2] / 2])
    fallen = np.clip((np.arange(WAIT + FALL + REST) - WAIT) / FALL, 0, 1) ** 2
    head = top + np.outer(HEIGHT - (HEIGHT + STROKE + THROUGH) * fallen, [0, 0, 1])
    R = np.tile(np.eye(3), (len(head), 1, 1))
    motion = motion_of_poses(HAMMER.name, HAMMER.parameters(), R, head - HAMMER.length * R[:, :, 0], CONTROL_RATE)
    return Demonstration(task="hammer", scene=dict(SCENE), tool=motion)
