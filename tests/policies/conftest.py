"""A small synthetic demonstration: the tool alone strikes the nail from above. It loads and runs fast."""

from __future__ import annotations

import numpy as np
import pytest

from motion.tool import HAMMER, motion_of_poses
from records import Demonstration
from sim.tasks.nail import SCENE, STROKE

FPS = 24.0
HEIGHT = 0.25
"""Of the face above the nail before the strike [m]."""
THROUGH = 0.01
"""How far the stroke goes on below the driven nail [m]."""


@pytest.fixture(scope="session")
def demonstration() -> Demonstration:
    """A level hammer waits above the nail, and falls through its stroke in 9 frames."""
    top = np.array([SCENE["nail_x"], SCENE["nail_y"], SCENE["nail_z"] + HAMMER.head_size[2] / 2])
    fallen = np.clip((np.arange(18) - 5) / 9, 0, 1) ** 2
    head = top + np.outer(HEIGHT - (HEIGHT + STROKE + THROUGH) * fallen, [0, 0, 1])
    R = np.tile(np.eye(3), (len(head), 1, 1))
    motion = motion_of_poses(HAMMER.name, HAMMER.parameters(), R, head - HAMMER.length * R[:, :, 0], FPS)
    return Demonstration(task="hammer", scene=dict(SCENE), tool=motion)
