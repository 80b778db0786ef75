"""The physics client: closed for certain, exact states, several at once, closed forms."""

from __future__ import annotations

import gc

import numpy as np
import pybullet as pb
import pytest

from motion.tool import HAMMER
from sim.bullet import Bullet, SimulationError
from sim.bullet.drives import brake
from sim.urdf import box_urdf, nail_urdf, tool_urdf, write_urdf

GRAVITY = 9.81


def _tool(bullet, folder, position=(0, 0, 1)):
    body = bullet.load_urdf(write_urdf(folder, "tool", tool_urdf(HAMMER)), position=position, fixed=False)
    pb.changeDynamics(body, -1, linearDamping=0.0, angularDamping=0.0, physicsClientId=bullet.client)
    return body


def test_free_fall(tmp_path):
    with Bullet(time_step=1e-3) as bullet:
        body = _tool(bullet, tmp_path)
        for _ in range(500):
            bullet.step()
        p, _ = bullet.pose(body)
        linear, angular = bullet.velocity(body)
    # Symplectic Euler falls g dt t / 2 further than g t^2 / 2.
    assert p[2] == pytest.approx(1 - GRAVITY * 0.5**2 / 2 - GRAVITY * 1e-3 * 0.5 / 2, abs=1e-6)
    assert linear == pytest.approx([0, 0, -GRAVITY * 0.5], abs=1e-6)
    assert angular == pytest.approx([0, 0, 0], abs=1e-9)


def test_pose_is_that_of_the_urdf_origin_not_of_the_centre_of_mass(tmp_path):
    turn = np.array([0.5, 0.5, 0.5, 0.5])
    with Bullet(time_step=1e-3) as bullet:
        body = _tool(bullet, tmp_path)
        bullet.place(body, (0.1, 0.2, 0.3), turn)
        p, q = bullet.pose(body)
    assert p == pytest.approx([0.1, 0.2, 0.3], abs=1e-6)
    assert abs(q @ turn) == pytest.approx(1, abs=1e-6)


def test_two_clients_do_not_disturb_each_other(tmp_path):
    with Bullet(time_step=1e-3) as one, Bullet(time_step=1e-3) as other:
        first, second = _tool(one, tmp_path), _tool(other, tmp_path, (0, 0, 2))
        for _ in range(100):
            one.step()
        assert other.pose(second)[0][2] == pytest.approx(2, abs=1e-9)
        assert one.pose(first)[0][2] < 0.96
        one.close()
        other.step()
        assert other.pose(second)[0][2] < 2


def test_closed_after_an_exception_and_a_second_close_does_nothing():
    bullet = Bullet(time_step=1e-3)
    with pytest.raises(RuntimeError, match="inside"), bullet:
        raise RuntimeError("inside")
    assert bullet.closed
    bullet.close()


def test_garbage_collection_closes_clients():
    bullet = Bullet(time_step=1e-3)
    client = bullet.client
    assert pb.isConnected(client)
    del bullet
    gc.collect()
    assert not pb.isConnected(client)


def test_restored_states_repeat_bit_for_bit(tmp_path):
    def fall(bullet, body):
        for _ in range(200):
            bullet.step()
        return np.concatenate([*bullet.pose(body), *bullet.velocity(body)])

    with Bullet(time_step=1 / 240) as bullet:
        bullet.load_urdf(write_urdf(tmp_path, "ground", box_urdf("ground", (3, 3, 0.5), "1 1 1 1")))
        body = _tool(bullet, tmp_path, (0, 0, 0.4))
        pb.resetBaseVelocity(body, (0.3, 0.1, 0), (1, 2, 3), physicsClientId=bullet.client)
        state = bullet.save()
        first = fall(bullet, body)
        bullet.restore(state)
        second = fall(bullet, body)
        bullet.forget(state)
    assert np.array_equal(first, second)
    assert first[2] > 0, "the tool fell through the ground"


@pytest.mark.parametrize("push", [30.0, 39.0])
def test_friction_holds_what_is_weaker(tmp_path, push):
    assert _driven_by(tmp_path, push) == pytest.approx(0, abs=1e-4)


def test_friction_leaves_the_excess_force(tmp_path):
    time, mass, push = 0.05, 0.1, 42.0
    # Nail of 0.1 kg: 42 N push, 1 N weight, 40 N friction.
    expected = 0.5 * (push + mass * GRAVITY - 40.0) / mass * time**2
    assert _driven_by(tmp_path, push, time) == pytest.approx(expected, rel=0.05)


def _driven_by(folder, push, time=0.05):
    text = nail_urdf(stroke=0.08, head_radius=0.03, head_height=0.015, mass=0.1)
    with Bullet(time_step=1e-3) as bullet:
        nail = bullet.load_urdf(write_urdf(folder, "nail", text), position=(0, 0, 0.2))
        joint = bullet.joints(nail)["driven"]
        brake(bullet, nail, joint, 40.0)
        for _ in range(round(time * 1000)):
            pb.applyExternalForce(nail, joint, [0, 0, -push], [0, 0, 0], pb.LINK_FRAME, physicsClientId=bullet.client)
            bullet.step()
        return float(bullet.joint_state(nail, [joint])[0][0])


def test_unreadable_urdf_is_refused(tmp_path):
    bad = tmp_path / "bad.urdf"
    bad.write_text("no xml")
    with Bullet(time_step=1e-3) as bullet, pytest.raises(SimulationError, match=r"cannot load .*bad\.urdf"):
        bullet.load_urdf(str(bad))


def test_nothing_is_printed(capfd):
    with Bullet(time_step=1e-3):
        pass
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
