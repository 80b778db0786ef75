"""The hammer task: what counts as a hit by the face, in closed form and in physics; nothing passes through anything."""

from __future__ import annotations

import numpy as np
import pytest
from episodes import play

from motion.tool import HAMMER, motion_of_poses
from records import Demonstration
from sim.bullet.contacts import Contact, contacts
from sim.conditions import STILL, Spread
from sim.env import ToolEnv
from sim.holder import PULL
from sim.tasks.hammer import FACE_DEPTH, HammerTask, face_of
from sim.tasks.nail import SCENE, STROKE
from sim.tasks.task import TaskError

NAIL = np.array([SCENE["nail_x"], SCENE["nail_y"], SCENE["nail_z"]])
FPS = 24.0
HALF = np.array(HAMMER.head_size) / 2
DOWN, UP = np.array([0.0, 0, -1]), np.array([0.0, 0, 1])


def _contact(point, normal):
    return Contact(*(tuple(np.asarray(v, float).tolist()) for v in (point, normal)), 10.0)


@pytest.mark.parametrize(
    ("point", "normal", "expected"),
    [
        pytest.param([0.40, 0.0, -HALF[2]], UP, True, id="middle of the face"),
        pytest.param([0.40 + HALF[0], HALF[1], -HALF[2]], UP, True, id="corner of the face"),
        pytest.param([0.40, 0.0, -HALF[2]], [np.sin(0.5), 0, np.cos(0.5)], True, id="29 degrees off"),
        pytest.param([0.40, 0.0, -HALF[2]], [np.sin(0.7), 0, np.cos(0.7)], False, id="40 degrees off"),
        pytest.param([0.40, HALF[1], 0.0], [0, -1, 0], False, id="side"),
        pytest.param([0.40, HALF[1], -HALF[2]], [0, -1, 0], False, id="edge, pushed sideways"),
        pytest.param([0.40, 0.0, HALF[2]], DOWN, False, id="other face"),
        pytest.param([0.40, 0.0, HALF[2]], UP, False, id="other face, pulled"),
        pytest.param([0.20, 0.0, -0.015], UP, False, id="handle"),
        pytest.param([0.40 - HALF[0] - FACE_DEPTH - 0.01, 0.0, -HALF[2]], UP, False, id="beside the head"),
        pytest.param([0.40, 0.0, -HALF[2] + FACE_DEPTH + 0.01], UP, False, id="above the face"),
    ],
)
def test_on_face_in_any_pose(point, normal, expected):
    rng, on_face = np.random.default_rng(0), face_of(HAMMER)
    for _ in range(5):
        R, p = np.linalg.qr(rng.standard_normal((3, 3)))[0], rng.standard_normal(3)
        R = R * np.sign(np.linalg.det(R))
        contact = _contact(R @ np.asarray(point, float) + p, R @ np.asarray(normal, float))
        frame = tuple(tuple(v.tolist()) for v in (p, R[:, 0], R[:, 2]))
        assert on_face(contact, frame) is expected


def _press(R, at_tool, *, speed=1.0, above=0.25, below=STROKE + 0.01, beside=(0.0, 0.0)):
    """A demonstration in which the point `at_tool` of a tool of rotation R moves straight down through the nail."""
    heights = np.arange(above, -below, -speed / FPS)
    heights = np.concatenate([heights, np.full(8, -below)])
    origin = NAIL - R @ np.asarray(at_tool, float) + [*beside, 0.0]
    position = origin + heights[:, None] * [0.0, 0.0, 1.0]
    rotation = np.tile(R, (len(heights), 1, 1))
    tool = motion_of_poses("hammer", HAMMER.parameters(), rotation, position, FPS)
    return Demonstration(task="hammer", scene=SCENE, tool=tool)


def _turn(roll, pitch):
    import pinocchio as pin

    return pin.rpy.rpyToMatrix(float(roll), float(pitch), 0.0)


FACE = [HAMMER.length, 0.0, -HALF[2]]


def _outcome(demonstration):
    env = ToolEnv(demonstration, spread=STILL)
    try:
        obs, info = play(env)
        return info["success"], info["spoilt"], float(obs[-1][env.obs_names.index("driven")])
    finally:
        env.close()


def test_the_face_drives_the_nail():
    success, spoilt, driven = _outcome(_press(np.eye(3), FACE))
    assert success
    assert not spoilt
    assert driven >= 0.95


@pytest.mark.parametrize(
    ("R", "at_tool"),
    [
        pytest.param(_turn(np.pi / 2, 0), [HAMMER.length, -HALF[1], 0.0], id="side of the head"),
        pytest.param(_turn(0, -0.6), [0.15, 0.0, -HAMMER.handle_radius], id="handle"),
        pytest.param(_turn(0, -0.6), [0.0, 0.0, -HAMMER.handle_radius], id="end of the handle"),
        pytest.param(_turn(np.pi, 0), [HAMMER.length, 0.0, HALF[2]], id="other face"),
        pytest.param(_turn(0, 0.9), [HAMMER.length + HALF[0], 0.0, -HALF[2]], id="edge"),
    ],
)
def test_nothing_else_may_drive_it(R, at_tool):
    success, spoilt, _ = _outcome(_press(R, at_tool))
    assert not success
    assert spoilt


def test_a_miss_does_nothing():
    success, spoilt, driven = _outcome(_press(np.eye(3), FACE, beside=(0.0, 0.15), below=0.05))
    assert (success, spoilt) == (False, False)
    assert driven == pytest.approx(0, abs=1e-3)


def test_the_nail_stays_where_it_was_driven():
    """A blow that ends half way leaves the nail there: dry friction is neither a spring nor viscous."""
    down = _press(np.eye(3), FACE, below=STROKE / 2)
    position, rotation = down.tool.q[:, :3], np.tile(np.eye(3), (down.tool.num_frames + 20, 1, 1))
    up = position[-1] + np.linspace(0, 0.1, 20)[:, None] * UP
    tool = motion_of_poses("hammer", HAMMER.parameters(), rotation, np.concatenate([position, up]), FPS)
    env = ToolEnv(down.replace(tool=tool), spread=STILL)
    obs, _ = play(env)
    env.close()
    driven = obs[:, env.obs_names.index("driven")]
    bottom = down.tool.num_frames
    assert driven[bottom] == pytest.approx(0.5, abs=0.15)
    assert driven[-1] == pytest.approx(driven[bottom], abs=0.02)


@pytest.mark.parametrize("speed", [2.0, 5.0])
@pytest.mark.parametrize("beside", [(0.0, 0.0), (0.03, 0.03)])
def test_fast_strikes_do_not_pass_through_the_nail(speed, beside):
    """At 5 m/s the head moves 2 cm in a physics step; it may sink that far in, and no further."""
    env = ToolEnv(_press(np.eye(3), FACE, speed=speed, above=0.6, beside=beside), spread=STILL)
    face = _lowest_gap(env)
    success = env.task.solved
    env.close()
    assert face > -0.021
    assert success


def _lowest_gap(env):
    """Smallest height of the face over the nail's top over all physics steps [m]."""
    gaps, watch = [], env.task.watch

    def look():
        env._carrier.look()
        env.task._look()
        head, _, up = env._holder.head()
        gaps.append(head[2] - up[2] * HALF[2] - env.task.target()[2])
        return watch()

    env.task.watch, env.task.quiet = look, lambda: 0
    play(env)
    return min(gaps)


@pytest.mark.parametrize("wild", [0.0, 0.3, 1.0])
def test_nothing_happens_while_nobody_watches(wild):
    """Episodes are the same with every physics step looked at, and with those left out in which the nail is far."""
    rng = np.random.default_rng(0)
    actions = np.clip(np.cumsum(wild * rng.uniform(-1, 1, (20, 60, 3)), axis=1), -1, 1)
    env = ToolEnv(HammerTask.scripted(), spread=Spread(0.05))
    some = [play(env, chosen, seed=k) for k, chosen in enumerate(actions)]
    looks, watch = [], env.task.watch
    env.task.watch = lambda: (looks.append(0), watch())[1]
    steps = sum(len(play(env, chosen, seed=k)[0]) - 1 for k, chosen in enumerate(actions))
    assert len(looks) < 0.5 * steps * env._substeps
    env.task.quiet = lambda: 0
    every = [play(env, chosen, seed=k) for k, chosen in enumerate(actions)]
    env.close()
    for (a, info_a), (b, info_b) in zip(some, every, strict=True):
        assert np.array_equal(a, b)
        assert info_a["spoilt"] == info_b["spoilt"]


def test_ground_and_block_stop_the_tool():
    """The demonstration goes 20 cm into the ground beside the nail; the tool does not."""
    env = ToolEnv(_press(np.eye(3), FACE, speed=5.0, above=0.5, below=0.3, beside=(0.4, 0.3)), spread=STILL)
    obs, _ = play(env)
    z = obs[:, env.obs_names.index("head_z")]
    force = sum(c.force for c in contacts(env._bullet, env._carrier.body, env._ground)())
    env.close()
    assert z.min() > HALF[2] - 0.03
    assert z[-1] == pytest.approx(HALF[2], abs=0.005)
    # Nothing presses harder than the force that draws the tool, and its weight.
    assert force == pytest.approx(PULL + HAMMER.mass * 9.81, rel=0.05)


def test_scene_parameters_are_checked():
    assert HammerTask.work({"nail_x": 0.7}) == pytest.approx([0.7, 0.0, 0.1])
    with pytest.raises(TaskError, match="unknown scene parameter 'nail'; there are: nail_x, nail_y, nail_z"):
        HammerTask.work({"nail": 0.7})


@pytest.mark.parametrize("nail_z", [0.1, 0.5])
def test_nails_stand_on_blocks_of_any_height(nail_z):
    """The block reaches up to where the driven nail's head rests; the face drives the nail there too."""
    press = _press(np.eye(3), FACE)
    raised = press.tool.q.copy()
    raised[:, 2] += nail_z - SCENE["nail_z"]
    scene = {**SCENE, "nail_z": nail_z}
    success, spoilt, _ = _outcome(press.replace(scene=scene, tool=press.tool.replace(q=raised)))
    assert success
    assert not spoilt
    _, block = HammerTask.obstacles(scene)
    assert block.centre[2] + block.half[2] == pytest.approx(nail_z - STROKE - 0.015)
