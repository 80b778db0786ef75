"""Where the links of an arm are, for drawing."""

from __future__ import annotations

import numpy as np
import pinocchio as pin
import pytest

from motion.robot import build_arm
from motion.tool import HAMMER
from records import Motion

SHOULDER = 0.333
"""Height of the Panda's first joints above its base [m] (Franka Emika, kinematic parameters)."""


@pytest.fixture(scope="module")
def arm():
    return build_arm("panda", HAMMER)


def motion(q: np.ndarray, **base: float) -> Motion:
    parameters = {f"base_{name}": base.get(name, 0.0) for name in ("x", "y", "z", "yaw")}
    return Motion(model="panda", parameters=parameters, fps=24.0, q=q, v=np.zeros_like(q), a=np.zeros_like(q))


def test_links_start_at_the_base_and_end_where_the_tool_is_held(arm):
    q = np.array(arm.spec.rest) + np.random.default_rng(0).uniform(-0.3, 0.3, (3, 7))
    points = arm.link_positions(motion(q))
    assert points.shape == (3, 9, 3)
    np.testing.assert_allclose(points[:, 0], 0, atol=1e-12)
    np.testing.assert_allclose(points[:, 1], [[0, 0, SHOULDER]] * 3, atol=1e-9)
    for t in range(3):
        R, p = arm.tool_pose(q[t])
        np.testing.assert_allclose(points[t, -1], p + R @ [HAMMER.grip, 0, 0], atol=1e-12)


def test_links_move_with_the_base(arm):
    q = np.array([arm.spec.rest])
    there = arm.link_positions(motion(q))
    here = arm.link_positions(motion(q, x=0.4, y=-0.2, z=0.1, yaw=0.7))
    np.testing.assert_allclose(here, there @ pin.rpy.rpyToMatrix(0, 0, 0.7).T + [0.4, -0.2, 0.1], atol=1e-12)
