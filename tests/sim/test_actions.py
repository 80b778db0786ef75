"""Every way to act: its limits, gymnasium's rules, exact repetition, and what it can do that others cannot."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pinocchio as pin
import pytest
from episodes import play
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from motion.robot import build_arm
from motion.tool import HAMMER, head_positions
from sim.actions import ACTIONS, FREE, RESIDUAL, TURNING, model_of
from sim.conditions import STILL, Conditions, Spread
from sim.displaced import Displaced
from sim.env import ToolEnv
from sim.rest import at_rest

MOVED = Spread(0.05, 0.1)


@pytest.fixture(scope="module", params=list(ACTIONS))
def model(request):
    return ACTIONS.load(request.param)


@pytest.fixture(scope="module")
def env(model, demonstration):
    made = ToolEnv(demonstration, action=model, spread=MOVED)
    yield made
    made.close()


def numbers(size, largest=3.0):
    return arrays(float, size, elements=st.floats(-largest, largest, allow_subnormal=False))


@given(data=st.data(), name=st.sampled_from(list(ACTIONS)))
def test_displacements_keep_to_reach_and_rate_and_arrive(data, name):
    model = ACTIONS.load(name)
    axes, reach, rate = list(model.axes), np.array(model.reach), np.array(model.rate)
    action, now = data.draw(numbers(len(axes))), np.zeros(6)
    now[axes] = data.draw(numbers(len(axes), 1.0)) * reach
    for _ in range(int(np.ceil((2 * reach / rate).max())) + 1):
        after = np.array(model.approach(tuple(now.tolist()), action))
        assert (np.abs(after - now)[axes] <= rate + 1e-12).all()
        now = after
    assert now[axes] == pytest.approx(reach * np.clip(action, -1, 1), abs=1e-12)
    others = [axis for axis in range(6) if axis not in axes]
    assert not now[others].any()
    assert model.asking(now) == pytest.approx(np.clip(action, -1, 1), abs=1e-9)


def test_models_are_told_by_the_names_of_their_actions(model):
    assert model_of(model.names) is model
    assert model.names[:3] == ("displace_x", "displace_y", "displace_z")
    with pytest.raises(ValueError, match=r"no actions are named \(jump\)"):
        model_of(("jump",))


def test_moved_along_with_objects():
    """Head and work are carried by one rigid motion, which the residual without turns follows in its offset only."""
    conditions, head, work = Conditions(0.03, -0.02, 0.2), np.array([0.5, 0.3, 0.2]), np.array([0.6, 0.0, 0.1])
    along = TURNING.along(conditions, head, work) * TURNING.reach
    assert head + along[:3] == pytest.approx(conditions.moved(head, work))
    assert along[3] == 0.2
    assert RESIDUAL.along(conditions, head, work) * RESIDUAL.reach == pytest.approx([0.03, -0.02, 0])
    assert not FREE.along(conditions, head, work).any()


def test_gymnasium_finds_nothing_to_say(model, demonstration):
    gymnasium.register("Acting-v0", entry_point=lambda **options: ToolEnv(demonstration, action=model, **options))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(gymnasium.make("Acting-v0", render_mode="rgb_array", size_hw=(24, 32)).unwrapped)
    finally:
        del gymnasium.registry["Acting-v0"]


def test_episodes_repeat_and_restore_exactly(env, demonstration):
    actions = np.random.default_rng(1).uniform(-1, 1, (200, len(env.action_names)))
    first, _ = play(env, actions, seed=3)
    play(env, -actions, seed=4)
    again = ToolEnv(demonstration, action=env.action, spread=MOVED)
    try:
        assert np.array_equal(first, play(again, actions, seed=3)[0])
    finally:
        again.close()
    env.reset(seed=3)
    stop = len(first) // 2
    for action in actions[:stop]:
        obs = env.step(action)[0]
    state = env.save_state()
    rest = [env.step(action)[0] for action in actions[stop : len(first) - 1]]
    env.reset(seed=5)
    assert np.array_equal(env.restore_state(state), obs)
    assert np.array_equal(rest, [env.step(action)[0] for action in actions[stop : len(first) - 1]])


def test_observations_tell_the_turns(env):
    env.reset(seed=0)
    obs = env.step(np.ones(len(env.action_names)))[0]
    known = dict(zip(env.obs_names, obs, strict=True))
    turned = [name for name in env.obs_names if name.startswith("turned_")]
    assert len(turned) == len(env.action.turns)
    assert [known[name] for name in turned] == [env.action.rate[env.action.axes.index(a)] for a in env.action.turns]
    assert known["nail_x"] == pytest.approx(env.task.target()[0])


def test_the_tool_turns_about_its_head(demonstration):
    """Held at the first frame, and told to turn: the head stays, the handle turns about the vertical."""
    env = ToolEnv(demonstration, action=TURNING, spread=STILL)
    try:
        still, _ = play(env, np.zeros((200, 4)), seed=0, follow=False)
        turned, _ = play(env, np.tile([0, 0, 0, 0.5], (200, 1)), seed=0, follow=False)
    finally:
        env.close()
    columns = [[env.obs_names.index(f"{name}_{a}") for a in "xyz"] for name in ("head", "handle")]
    assert turned[-1, columns[0]] == pytest.approx(still[-1, columns[0]], abs=0.02)
    assert demonstration.robot is not None or turned[-1, columns[1]] == pytest.approx(
        pin.exp3(np.array([0, 0, 0.3])) @ still[-1, columns[1]], abs=0.02
    ), "an arm may turn the tool as it likes, far from the work"


def test_an_arm_turns_its_tool_where_it_works(retargeted):
    """In the frame that strikes, as far as its joints go: the head stays where it is."""
    robot, arm = retargeted.demonstration.robot, build_arm("panda", HAMMER)
    base = pin.rpy.rpyToMatrix(0.0, 0.0, robot.parameters["base_yaw"])
    displaced, last = Displaced(arm, robot.q, base, np.zeros(3), np.inf), len(robot.q) - 1
    R, head, _ = arm.head_jacobian(robot.q[last])
    for turn in 0.2 * np.eye(3):
        R_turned, head_turned, _ = arm.head_jacobian(displaced(last, (0.0, 0.0, 0.0, *turn.tolist())))
        assert head_turned == pytest.approx(head, abs=0.003)
        missed = pin.log3(base @ R_turned @ (pin.exp3(turn) @ base @ R).T)
        assert np.linalg.norm(missed) < 0.05


def test_what_moves_along_looks_the_same_from_the_objects(aligned):
    """Head and handle of the whole path, once the tool has caught up with its objects."""
    conditions = Conditions(0.04, -0.03, 0.3)
    env = ToolEnv(aligned, action=TURNING, spread=STILL)
    try:
        plain, _ = play(env, seed=0)
        moved, info = play(env, "shifted", seed=0, object_offset=conditions.offset, object_yaw=conditions.yaw)
    finally:
        env.close()
    assert info["success"]
    columns = [[env.obs_names.index(f"{name}_{a}") for a in "xyz"] for name in ("head", "handle")]
    rows = slice(8, min(len(plain), len(moved)) - 2)
    work = env.task.work(aligned.scene)
    assert moved[rows, columns[0]] == pytest.approx(conditions.moved(plain[rows, columns[0]], work), abs=0.02)
    assert moved[rows, columns[1]] == pytest.approx(plain[rows, columns[1]] @ conditions.rotation.T, abs=0.05)


def test_without_a_demonstration_everything_rests(demonstration):
    still = at_rest(demonstration)
    assert still.scene == demonstration.scene
    assert np.ptp(still.tool.q, axis=0).max() == 0
    env = ToolEnv(demonstration, action=FREE, spread=STILL)
    try:
        seen, info = play(env, np.zeros((200, 6)), seed=0)
    finally:
        env.close()
    head = seen[:, [env.obs_names.index(f"head_{a}") for a in "xyz"]]
    assert np.ptp(head, axis=0).max() < 0.01
    assert head[0] == pytest.approx(head_positions(env.tool, still.tool)[0], abs=0.005)
    assert not info["success"]
    assert not np.any(env.shift_action())


def test_free_actions_can_do_what_was_demonstrated(demonstration):
    """The control is fair: a motion that solves the task lies within its reach and rates."""
    env, still = ToolEnv(demonstration, action=FREE, spread=STILL), at_rest(demonstration)
    rest = pin.XYZQUATToSE3(still.tool.q[0])
    actions = []
    for q, head in zip(demonstration.tool.q, head_positions(env.tool, demonstration.tool), strict=True):
        turn = pin.log3(pin.XYZQUATToSE3(q).rotation @ rest.rotation.T)
        away = head - head_positions(env.tool, still.tool)[0]
        actions.append(FREE.asking(np.concatenate([away, turn])))
    try:
        _, info = play(env, np.array([*actions, *[actions[-1]] * 200]), seed=0)
    finally:
        env.close()
    assert info["success"]
