import subprocess
import sys

import numpy as np
import pytest

from policies.agents import AGENTS, Random, Replay, Shifted, Zero
from policies.evaluate import play
from sim.actions import REACH
from sim.conditions import STILL, Spread
from sim.env import ToolEnv

SEEDS = [11, 13, 15]
FREE = [name for name in AGENTS if name != "policy"]


@pytest.fixture
def env(demonstration):
    with_noise = ToolEnv(demonstration, spread=Spread(0.05))
    yield with_noise
    with_noise.close()


def test_agents_load_without_torch():
    code = "import sys, policies.agents, policies.evaluate, policies.train; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", FREE)
def test_every_agent_plays_whole_episodes_in_bounds(env, name):
    episodes = play(env, AGENTS.load(name)(), SEEDS, name=name)
    assert episodes.agent == name
    assert len(episodes.length) == len(SEEDS)
    assert np.abs(episodes.action).max() <= 1
    assert episodes.length.max() <= env.horizon


def test_zero_stays_where_the_demonstration_starts(env):
    episodes = play(env, Zero(), SEEDS, name="zero")
    head = episodes.obs[:, [episodes.obs_names.index(f"head_{a}") for a in "xyz"]]
    assert np.abs(head - head[0]).max() < 0.01
    assert not episodes.success.any()
    assert not episodes.reward.any()


def test_replay_differs_from_zero_and_drives_the_nail_where_it_was_demonstrated(demonstration):
    env = ToolEnv(demonstration, spread=STILL)
    try:
        assert play(env, Replay(), SEEDS[:1], name="replay").success.all()
        assert not play(env, Zero(), SEEDS[:1], name="zero").success.any()
    finally:
        env.close()


def test_shifted_moves_the_head_along_with_the_object(env):
    env.reset(seed=3, options={"object_offset": np.array([0.06, -0.04])})
    agent = Shifted()
    agent.start(env, np.random.default_rng(0))
    for _ in range(4):
        obs, *_ = env.step(agent.act(np.zeros(len(env.obs_names))))
    known = dict(zip(env.obs_names, obs, strict=True))
    assert known["residual_x"] == pytest.approx(0.06)
    assert known["residual_y"] == pytest.approx(-0.04)
    assert known["residual_z"] == 0


def test_random_does_not_follow_the_demonstration(env):
    """Its head stays within reach of where the demonstration starts, and the nail is not driven."""
    episodes = play(env, Random(), list(range(1, 41, 2)), name="random")
    head = episodes.obs[:, [episodes.obs_names.index(f"head_{a}") for a in "xyz"]]
    assert np.abs(head - head[0]).max() < REACH + 0.03
    assert not episodes.success.any()


def test_random_is_uniform_and_repeats_under_its_seed(env):
    first, second = (play(env, Random(), SEEDS, name="random") for _ in range(2))
    assert np.array_equal(first.action, second.action)
    many = play(env, Random(), list(range(1, 31, 2)), name="random").action
    # Standard error of the mean of n uniform numbers of variance 1/3; five of them are exceeded once in a million.
    assert np.abs(many.mean(axis=0)).max() < 5 * np.sqrt(1 / 3 / len(many))
    assert many.var() == pytest.approx(1 / 3, abs=0.04)
