"""The environment: gymnasium's rules, the same seed the same episode, exact save and restore."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from episodes import play
from gymnasium.utils.env_checker import check_env

from records import UnknownName
from sim.actions import RATE, REACH
from sim.conditions import Spread
from sim.env import ToolEnv


@pytest.fixture(scope="module")
def env(demonstration):
    made = ToolEnv(demonstration, spread=Spread(0.05), render_mode="rgb_array", size_hw=(48, 64))
    yield made
    made.close()


@pytest.fixture
def actions():
    return np.random.default_rng(3).uniform(-1, 1, (400, 3))


def test_gymnasium_finds_nothing_to_say(demonstration):
    gymnasium.register("ToolForCheck-v0", entry_point=lambda **options: ToolEnv(demonstration, **options))
    try:
        made = gymnasium.make("ToolForCheck-v0", render_mode="rgb_array", size_hw=(48, 64))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(made.unwrapped)
    finally:
        del gymnasium.registry["ToolForCheck-v0"]


def test_a_seed_gives_the_same_episode_whatever_came_before(demonstration, env, actions):
    first, info = play(env, actions, seed=7)
    play(env, -actions, seed=8)
    second, again = play(env, actions, seed=7)
    fresh = ToolEnv(demonstration, spread=Spread(0.05))
    third, _ = play(fresh, actions, seed=7)
    fresh.close()
    assert np.array_equal(first, second)
    assert np.array_equal(first, third)
    assert info["success"] == again["success"]


def test_other_seeds_give_other_episodes(env):
    assert not np.array_equal(play(env, seed=1)[0][0], play(env, seed=2)[0][0])


def test_objects_are_displaced_as_the_noise_says(env):
    offsets = np.array([env.reset(seed=k)[1]["object_offset"] for k in range(300)])
    assert offsets.std(axis=0) == pytest.approx([0.05, 0.05], rel=0.15)
    assert offsets.mean(axis=0) == pytest.approx([0, 0], abs=0.01)


@pytest.mark.parametrize("part", [0.2, 0.6, 0.9])
def test_save_and_restore_are_exact(env, actions, part):
    """Also in the middle of the strike, with the tool in contact with the nail."""
    whole, _ = play(env, seed=7, object_offset=np.array([0.01, 0.01]))
    stop = max(1, int(part * (len(whole) - 1)))

    def go(env, steps):
        rows = []
        for k in range(steps):
            obs, reward, terminated, truncated, info = env.step(0.1 * actions[k])
            rows.append([*obs, reward, terminated, truncated, info["spoilt"]])
            if terminated or truncated:
                break
        return np.array(rows)

    obs, _ = env.reset(seed=7, options={"object_offset": np.array([0.01, 0.01])})
    for _ in range(stop):
        obs = env.step(np.zeros(3))[0]
    state = env.save_state()
    first = go(env, 30)
    assert np.array_equal(env.restore_state(state), obs)
    assert np.array_equal(first, go(env, 30))
    env.reset(seed=1)
    env.restore_state(state)
    assert np.array_equal(first, go(env, 30))


def test_residual_follows_the_action_at_its_rate(env):
    env.reset(seed=0, options={"object_offset": np.zeros(2)})
    column = env.obs_names.index("residual_x")
    values = [env.step(np.array([1.0, 0, 0]))[0][column] for _ in range(6)]
    assert values == pytest.approx([RATE, 2 * RATE, 3 * RATE, REACH, REACH, REACH])


def test_the_head_goes_where_the_action_says(env):
    """An arm needs half a swing to make up for the quick start; then it is within 3 cm."""
    head = [env.obs_names.index(f"head_{a}") for a in "xyz"]
    replay, _ = play(env, object_offset=np.array([0.5, 0.5]))
    moved, _ = play(env, np.tile([0.3, -0.3, 0.2], (400, 1)), object_offset=np.array([0.5, 0.5]))
    steps = slice(env.demonstration.tool.num_frames // 2, 3 * env.demonstration.tool.num_frames // 4)
    assert moved[steps, head] - replay[steps, head] == pytest.approx(
        np.broadcast_to(REACH * np.array([0.3, -0.3, 0.2]), moved[steps, head].shape), abs=0.03
    )


def test_rewards_are_sparse_and_their_terms_logged(env):
    _, info = env.reset(options={"object_offset": np.zeros(2)})
    rewards, done = [], False
    while not done:
        _, reward, terminated, truncated, info = env.step(np.zeros(3))
        assert reward == sum(info["terms"].values())
        assert set(info["terms"]) == set(env.term_names)
        rewards.append(reward)
        done = terminated or truncated
    assert info["success"]
    assert terminated
    assert rewards[-1] == 1
    assert not any(rewards[:-1])


def test_observations_are_named_and_true(env):
    obs, info = env.reset(seed=5)
    known = dict(zip(env.obs_names, obs, strict=True))
    assert len(set(env.obs_names)) == len(obs)
    assert [known["offset_x"], known["offset_y"]] == pytest.approx(info["object_offset"])
    assert known["nail_x"] == pytest.approx(env.demonstration.scene["nail_x"] + info["object_offset"][0])
    assert known["phase"] == 0
    head = env.demonstration.tool.q[0]
    assert np.linalg.norm([known["head_x"] - head[0], known["head_z"] - head[2]]) < 0.5


def test_a_finished_episode_wants_a_reset(env):
    play(env, seed=0)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(3))


def test_pictures_show_the_scene(env):
    env.reset(seed=0)
    picture = env.render()
    assert picture.shape == (48, 64, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 10


def test_closed_for_certain(aligned):
    env = ToolEnv(aligned)
    env.close()
    assert env._bullet.closed
    env.close()


def test_unknown_task_lists_the_choices(aligned):
    with pytest.raises(UnknownName, match="unknown task 'saw'; choose from: hammer"):
        ToolEnv(aligned.replace(task="saw"))
