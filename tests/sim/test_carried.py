"""Frames that links carry along: the same as what the engine says of the link, however they are read."""

from __future__ import annotations

import numpy as np
import pinocchio as pin
import pybullet as pb
import pytest

from motion.tool import HAMMER
from sim.bullet import Bullet
from sim.bullet.readings import joint_position
from sim.carried import Carried, Carrier
from sim.urdf import nail_urdf, tool_urdf, write_urdf

MOUNTED = pin.SE3(pin.rpy.rpyToMatrix(0.3, -0.8, 1.9), np.array([0.2, -0.1, 0.4]))


@pytest.fixture
def bullet():
    with Bullet(time_step=1 / 240) as made:
        yield made


def _turning_hammer(bullet, folder):
    body = bullet.load_urdf(write_urdf(folder, "tool", tool_urdf(HAMMER)), fixed=False)
    bullet.place(body, [0.4, -0.2, 3.0], pin.Quaternion(pin.rpy.rpyToMatrix(0.7, 0.2, -2.0)).coeffs())
    pb.resetBaseVelocity(body, [1.0, 2.0, 0.5], [4.0, -3.0, 8.0], physicsClientId=bullet.client)
    return body


def test_a_frame_on_a_base_moves_with_its_urdf_origin(bullet, tmp_path):
    body = _turning_hammer(bullet, tmp_path)
    carrier = Carrier(bullet, body, -1)
    carried = Carried(carrier, MOUNTED)
    for _ in range(20):
        bullet.step()
        carrier.look()
        expected = pin.XYZQUATToSE3(np.concatenate(bullet.pose(body))) * MOUNTED
        rotation, p = carried.pose()
        assert rotation == pytest.approx(expected.rotation, abs=1e-6)
        assert p == pytest.approx(expected.translation, abs=1e-6)
        assert np.abs(rotation @ rotation.T - np.eye(3)).max() < 1e-12


def test_a_frame_on_a_link_moves_with_its_joint(bullet, tmp_path):
    text = nail_urdf(stroke=0.08, head_radius=0.02, head_height=0.01, mass=0.1)
    nail = bullet.load_urdf(write_urdf(tmp_path, "nail", text), position=(0.5, 0.1, 0.3))
    joint = bullet.joints(nail)["driven"]
    carrier = Carrier(bullet, nail, joint)
    carried = Carried(carrier, MOUNTED)
    _, before = carried.pose()
    bullet.reset_joints(nail, [joint], [0.03])
    assert carried.pose()[1] == pytest.approx(before, abs=0), "a frame is where it was when it was last looked at"
    carrier.look()
    _, after = carried.pose()
    assert after - before == pytest.approx([0, 0, -0.03], abs=1e-8)
    assert joint_position(bullet, nail, joint)() == pytest.approx(0.03, abs=1e-12)


def test_plain_numbers_say_the_same(bullet, tmp_path):
    carrier = Carrier(bullet, _turning_hammer(bullet, tmp_path), -1)
    carried = Carried(carrier, MOUNTED)
    for _ in range(7):
        bullet.step()
        carrier.look()
        rotation, p = carried.pose()
        origin, x, z = carried.posture()
        assert origin == pytest.approx(p, abs=1e-12)
        assert x == pytest.approx(rotation[:, 0], abs=1e-12)
        assert z == pytest.approx(rotation[:, 2], abs=1e-12)
