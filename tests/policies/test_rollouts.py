"""Rounds of experience: what is handed over is what happened, and what PPO makes of it is in closed form."""

from __future__ import annotations

import contextlib
import itertools

import numpy as np
import pytest
import torch

from policies.learners.ppo import PPOLearner, PPOSettings
from policies.residual import ResidualEnv
from policies.rollouts import Explorer, explore, through
from policies.vectorised import side_by_side
from sim.conditions import Spread

DECISIONS = 40
SIGMA = np.array([0.1, 0.2, 0.3])


@pytest.fixture(scope="module")
def env(demonstration):
    with contextlib.closing(ResidualEnv(demonstration, spread=Spread(offset=0.08))) as made:
        yield made


@pytest.fixture(scope="module")
def learner(demonstration):
    settings = PPOSettings(decisions=DECISIONS, minibatch=20, epochs=1, hidden=(16, 16), gamma=1.0, trace=1.0)
    envs = side_by_side(demonstration, "shifted", Spread(offset=0.08), count=2, processes=1)
    with contextlib.closing(envs):
        made = PPOLearner(envs, settings, 0)
        made.round(1)
        yield made


def _explorer(env, seed=0):
    rng = np.random.default_rng(seed)
    sizes = (env.observation_space.shape[0], 8, 3)
    layers = tuple(
        (rng.normal(0, 0.1, (o, i)).astype(np.float32), np.zeros(o, np.float32)) for i, o in itertools.pairwise(sizes)
    )
    return Explorer(layers, SIGMA)


def test_the_experience_is_what_happened(env):
    """The same actions in the same episodes bring about the same again, episode by episode."""
    env.reset(seed=4)
    found = explore(env, _explorer(env), DECISIONS)
    env.reset(seed=4)
    env.np_random.integers(2**32)
    obs, total = env.reset()[0], 0.0
    assert found.starts[0]
    for k in range(DECISIONS):
        assert np.array_equal(found.seen[k], obs)
        obs, reward, terminated, truncated, info = env.step(np.clip(found.action[k], -1, 1))
        total += reward
        assert found.reward[k] == reward
        assert found.infos[k]["steps"] == info["steps"]
        assert not truncated
        if terminated:
            assert found.infos[k]["return"] == pytest.approx(total)
            obs, total = env.reset()[0], 0.0
        assert k + 1 == DECISIONS or found.starts[k + 1] == terminated
    assert np.array_equal(found.after, obs)
    assert found.ended == terminated


def test_actions_are_drawn_about_the_policy(env):
    explorer = _explorer(env)
    env.reset(seed=5)
    found = explore(env, explorer, 300)
    noise = found.action - np.stack([through(explorer.layers, seen) for seen in found.seen])
    assert noise.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.06)
    assert noise.std(axis=0) == pytest.approx(SIGMA, rel=0.15)


def test_noise_is_not_that_of_the_conditions(env):
    """Both generators have been given the same seed."""
    firsts = []
    for seed in range(60):
        env.reset(seed=seed)
        found = explore(env, Explorer(_explorer(env).layers, np.ones(3)), 1)
        noise = found.action[0] - through(_explorer(env).layers, found.seen[0])
        env.reset(seed=seed)
        firsts.append([*noise[:2], *env.tool_env.conditions.offset / 0.08])
    between = np.corrcoef(np.array(firsts).T)[:2, 2:]
    assert np.abs(between).max() < 0.45


def test_numpy_and_torch_have_the_same_policy(learner):
    policy, explorer = learner._learner.policy, learner.explorer()
    seen = np.random.default_rng(0).normal(size=(5, policy.observation_space.shape[0])).astype(np.float32)
    with torch.no_grad():
        mean = policy.get_distribution(torch.from_numpy(seen)).distribution.mean.numpy()
    assert np.stack([through(explorer.layers, row) for row in seen]) == pytest.approx(mean, abs=1e-5)


def test_returns_are_what_an_episode_still_earns(learner):
    """With neither discount nor trace: no more than that, where an episode ends with the demonstration, too."""
    buffer = learner._learner.rollout_buffer
    buffer.reset()
    learner._learner.env.seed(3)
    learner._learner.env.reset()
    found = learner._learner.env.env_method("explore", learner.explorer(), DECISIONS // 2)
    learner._learner._enter(buffer, found)
    failed = 0
    for n, experience in enumerate(found):
        ends = [k for k, info in enumerate(experience.infos) if "return" in info]
        for first, last in zip([0, *(end + 1 for end in ends)], ends, strict=False):
            owed = np.cumsum(experience.reward[first : last + 1][::-1])[::-1]
            assert buffer.returns[first : last + 1, n] == pytest.approx(owed, abs=1e-5)
            failed += experience.infos[last]["success"] is False
    assert len(ends) > 2
    assert failed, "an episode that lasts to the end of the demonstration"
    mean = np.stack([through(learner.explorer().layers, row) for row in found[1].seen])
    z = (found[1].action - mean) / learner.explorer().sigma
    expected = -(z**2 / 2 + np.log(learner.explorer().sigma) + np.log(2 * np.pi) / 2).sum(axis=1)
    assert buffer.log_probs[:, 1] == pytest.approx(expected, abs=1e-3)
