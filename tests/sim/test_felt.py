from __future__ import annotations

import numpy as np
import pybullet as pb
import pytest

from records import Demonstration
from sim.bullet import Bullet
from sim.bullet.contacts import contacts
from sim.env import ToolEnv
from sim.felt import Felt
from sim.tasks.hammer import HammerTask
from sim.urdf import box_urdf, write_urdf

FALL = 9.81


@pytest.fixture
def bullet():
    with Bullet(time_step=1 / 240) as client:
        yield client


def box(bullet, folder, name, size, **where):
    return bullet.load_urdf(write_urdf(folder, name, box_urdf(name, size, "1 1 1 1")), **where)


def settled(bullet, body, steps=480, over=48):
    for _ in range(steps):
        bullet.step()
    felt = Felt(bullet, body, -1)
    felt.begin()
    for _ in range(over):
        bullet.step()
        felt.look()
    return felt.mean()


def test_what_rests_is_borne_by_what_it_touches(bullet, tmp_path):
    box(bullet, tmp_path, "ground", (4.0, 4.0, 0.5))
    body = box(bullet, tmp_path, "thing", (0.2, 0.2, 0.1), position=(0, 0, 0.06), fixed=False)
    holder, work = settled(bullet, body)
    np.testing.assert_allclose(work, [0, 0, bullet.mass(body, -1) * FALL], atol=0.02 * bullet.mass(body, -1) * FALL)
    np.testing.assert_allclose(holder, 0, atol=0.02 * bullet.mass(body, -1) * FALL)


def test_friction_counts_with_its_sign_on_a_slope(bullet, tmp_path):
    slope, turn = 0.2, (0.0, np.sin(0.1), 0.0, np.cos(0.1))
    ground = box(bullet, tmp_path, "ground", (4.0, 4.0, 0.5))
    bullet.place(ground, (0, 0, 0), turn)
    up = np.array([np.sin(slope), 0.0, np.cos(slope)])
    body = box(bullet, tmp_path, "thing", (0.2, 0.2, 0.1), fixed=False)
    top = next(height for height in np.linspace(0.0, 1.0, 1001) if clear(bullet, ground, body, height * up, turn))
    bullet.place(body, top * up, turn)
    for thing in (ground, body):
        bullet.set_friction(thing, -1, lateral=1.0)
    _, work = settled(bullet, body)
    weight = bullet.mass(body, -1) * FALL
    np.testing.assert_allclose(work, [0, 0, weight], atol=0.02 * weight)


def clear(bullet, ground, body, place, turn):
    bullet.place(body, place, turn)
    bullet.step()
    return not contacts(bullet, body, ground)()


def test_what_falls_bears_nothing(bullet, tmp_path):
    body = box(bullet, tmp_path, "thing", (0.2, 0.2, 0.1), position=(0, 0, 5.0), fixed=False)
    pb.changeDynamics(body, -1, linearDamping=0.0, angularDamping=0.0, physicsClientId=bullet.client)
    np.testing.assert_allclose(settled(bullet, body, steps=1), 0, atol=1e-3 * bullet.mass(body, -1) * FALL)


@pytest.fixture(scope="module")
def struck():
    """Forces of each step of the scripted strike, and the hammer's mass [kg]."""
    demonstration: Demonstration = HammerTask.scripted()
    env = ToolEnv(demonstration, feel=True)
    try:
        env.reset(seed=0, options={"object_offset": (0.0, 0.0)})
        found, done = [], False
        while not done:
            *_, ended, cut, _ = env.step(np.zeros(3))
            found.append(env.felt())
            done = ended or cut
        return np.array(found), env.tool.mass
    finally:
        env.close()


def test_a_hammer_that_is_held_still_is_borne_by_its_holder(struck):
    forces, mass = struck
    np.testing.assert_allclose(forces[0, 0], [0, 0, mass * FALL], atol=0.35 * mass * FALL)
    np.testing.assert_array_equal(forces[0, 1], 0)


def test_a_strike_pushes_the_hammer_up(struck):
    forces, _ = struck
    strongest = forces[:, 1, 2].argmax()
    assert forces[strongest, 1, 2] > 20
    assert np.abs(forces[strongest, 1, :2]).max() < forces[strongest, 1, 2]


def test_an_environment_that_does_not_feel_says_how_it_would():
    env = ToolEnv(HammerTask.scripted())
    try:
        with pytest.raises(RuntimeError, match="feel=True"):
            env.felt()
    finally:
        env.close()
