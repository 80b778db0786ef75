"""What every task of the table owes: it says what others need, is fair, and its own stroke solves it."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from episodes import play
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import AddRenderObservation

from motion.tool import tool_of
from records import UnknownName
from sim.conditions import Spread
from sim.env import ToolEnv
from sim.tasks.task import TASKS, Task, TaskError

TRIED = 600
"""Control steps of random actions, in whole episodes: three at least."""
BEGINNING = 60
"""Control steps that are compared where a whole episode would take long."""


@pytest.fixture(scope="module", params=list(TASKS))
def name(request):
    return request.param


START = {"object_offset": (0.01, -0.01), "object_yaw": 0.05}


@pytest.fixture(scope="module")
def length(env):
    """Control steps of a replay with objects displaced a little."""
    return len(play(env, seed=4, **START)[0]) - 1


@pytest.fixture(scope="module")
def env(name):
    made = ToolEnv(TASKS.load(name).scripted(), spread=Spread(0.05, 0.1, 0.2, 0.2), render_mode="rgb_array")
    yield made
    made.close()


NOMINAL = {"object_offset": (0.0, 0.0), "object_yaw": 0.0, "mass": 1.0, "friction": 1.0}


def test_keeps_the_protocol(name, env):
    assert isinstance(env.task, Task)
    assert len(env.task.observe()) == len(env.task.obs_names)
    demonstration = TASKS.load(name).scripted()
    assert demonstration.task == name
    assert demonstration.robot is None


def test_says_what_align_and_retarget_need(name):
    task = TASKS.load(name)
    stroke, scene = task.scripted().tool, task.scripted().scene
    assert np.shape(task.work(scene)) == (3,)
    assert all(min(box.half) > 0 for box in task.obstacles(scene))
    placer = task.placer(stroke, tool_of(stroke))
    starts = placer.starts()
    assert all(len(start) == len(placer.ranges) for start in starts)
    assert all(np.isfinite(placer.shortfall(start)) for start in starts)
    assert placer.place(starts[0]).task == name
    assert len(placer.guess(np.random.default_rng(0))) == len(placer.ranges)


def test_refuses_scenes_that_it_does_not_know(name):
    with pytest.raises(TaskError, match=r"unknown scene parameter 'moon_x'; there are: \w+"):
        TASKS.load(name).work({"moon_x": 1.0})


def test_gymnasium_finds_nothing_to_say(name):
    demonstration = TASKS.load(name).scripted()
    gymnasium.register("Checked-v0", entry_point=lambda **options: ToolEnv(demonstration, **options))
    try:
        made = gymnasium.make("Checked-v0", render_mode="rgb_array", size_hw=(24, 32))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(made.unwrapped)
    finally:
        del gymnasium.registry["Checked-v0"]


def test_is_solved_by_its_own_stroke(env):
    _, info = play(env, seed=0, **NOMINAL)
    assert info["success"]
    assert not info["spoilt"]


def test_is_not_solved_by_doing_nothing_or_anything(env):
    _, info = play(env, seed=0, follow=False, **NOMINAL)
    assert not info["success"]
    for seed in range(max(3, TRIED // env.horizon)):
        actions = np.random.default_rng(seed).uniform(-1, 1, (env.horizon, 3))
        assert not play(env, actions, seed=seed, follow=False)[1]["success"]


def test_reward_is_the_sum_of_its_named_terms(env):
    env.reset(seed=0, options=NOMINAL)
    total, done = 0.0, False
    while not done:
        _, reward, terminated, truncated, info = env.step(np.zeros(3))
        assert set(info["terms"]) == set(env.term_names)
        assert reward == pytest.approx(sum(info["terms"].values()))
        total, done = total + reward, terminated or truncated
    assert total > 0


def test_a_seed_gives_the_same_episode_whatever_came_before(name, env):
    actions = 0.3 * np.random.default_rng(3).uniform(-1, 1, (400, 3))
    first, info = _begun(env, actions, seed=7)
    other, _ = _begun(env, -actions, seed=8)
    second, _ = _begun(env, actions, seed=7)
    fresh = ToolEnv(TASKS.load(name).scripted(), spread=Spread(0.05, 0.1, 0.2, 0.2))
    third, _ = _begun(fresh, actions, seed=7)
    fresh.close()
    assert np.array_equal(first, second)
    assert np.array_equal(first, third)
    assert not np.array_equal(first[0], other[0])
    assert info["conditions"] != env.reset(seed=8)[1]["conditions"]


def _begun(env, actions, *, seed):
    """Observations of the beginning of an episode, and the last info."""
    obs, info = env.reset(seed=seed)
    seen, done = [obs], False
    while not done and len(seen) <= BEGINNING:
        obs, _, terminated, truncated, info = env.step(actions[len(seen) - 1])
        seen.append(obs)
        done = terminated or truncated
    return np.array(seen), info


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_save_and_restore_are_exact(env, length, part):
    """Masses and friction come back too, from an episode in which they are others."""
    actions = 0.2 * np.random.default_rng(5).uniform(-1, 1, (400, 3))
    stop = int(part * length)

    def go(steps):
        rows = []
        for k in range(steps):
            obs, reward, terminated, truncated, info = env.step(actions[k])
            rows.append([*obs, reward, terminated, truncated, info["success"], info["spoilt"]])
            if terminated or truncated:
                break
        return np.array(rows)

    env.reset(seed=4, options=START)
    for _ in range(stop):
        obs = env.step(np.zeros(3))[0]
    state = env.save_state()
    first = go(25)
    assert np.array_equal(env.restore_state(state), obs)
    assert np.array_equal(first, go(25))
    env.reset(seed=9, options={"mass": 1.2, "friction": 0.8, "object_offset": (0.3, 0.3)})
    go(3)
    env.restore_state(state)
    assert np.array_equal(first, go(25))


def test_objects_are_moved_and_turned(env):
    """The place of work moves with the offset, and the costless action answers it."""
    env.reset(seed=0, options=NOMINAL)
    target = env.task.target()
    env.reset(seed=0, options=NOMINAL | {"object_offset": (0.06, -0.04)})
    assert env.task.target() - target == pytest.approx([0.06, -0.04, 0.0], abs=0.01)
    assert env.shift_action() * 0.2 == pytest.approx([0.06, -0.04, 0.0], abs=1e-6)
    env.reset(seed=0, options=NOMINAL | {"object_yaw": 0.3})
    known = dict(zip(env.obs_names, env.step(np.zeros(3))[0], strict=True))
    assert known["yaw"] == pytest.approx(0.3)


def test_pixels_beside_the_state(name):
    made = AddRenderObservation(
        ToolEnv(TASKS.load(name).scripted(), render_mode="rgb_array", size_hw=(24, 32)), render_only=False
    )
    try:
        obs, _ = made.reset(seed=0)
        assert made.observation_space.contains(obs)
        assert obs["pixels"].shape == (24, 32, 3)
        assert obs["state"].shape == (len(made.unwrapped.obs_names),)
    finally:
        made.close()


def test_unknown_task_lists_the_choices(env):
    with pytest.raises(UnknownName, match=f"unknown task 'saw'; choose from: {', '.join(TASKS)}"):
        ToolEnv(env.demonstration.replace(task="saw"))
