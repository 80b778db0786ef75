"""Adversarial rewards in the environment of a task: its episodes last, and other environments are refused."""

from pathlib import Path

import numpy as np
import pytest

from policies.agents import Shifted
from policies.evaluate import fresh_seeds
from policies.rewards.evaluation.data.reading import DataError, Dataset
from policies.rewards.from_clips import stays
from policies.rewards.in_task import Lasting, learn_in_task
from policies.rewards.watching import watch
from policies.trials import Trial
from sim.conditions import Spread
from sim.tasks.hammer import HammerTask

UNDER = Trial(Spread(offset=0.03))
SEED = fresh_seeds(2, 1)[0]


@pytest.fixture(scope="module")
def demonstration():
    return HammerTask.scripted()


@pytest.fixture(scope="module")
def solved(demonstration):
    env = UNDER.environment(demonstration)
    try:
        (found,) = watch(env, Shifted(), [SEED])
    finally:
        env.close()
    assert found.success
    return found


def test_an_episode_stays_as_it_ends_and_is_then_what_a_recorded_one_that_stays_is(demonstration, solved):
    env = Lasting(UNDER.environment(demonstration), follows=True)
    horizon = env.unwrapped.horizon
    wanted = stays(solved, horizon)
    try:
        obs, _ = env.reset(seed=SEED)
        for step in range(horizon):
            np.testing.assert_array_equal(obs, wanted.obs[step])
            acted = wanted.action[step] if step < len(solved) else np.ones(3)
            obs, reward, ended, cut, info = env.step(acted)
            np.testing.assert_array_equal(info["carried"], wanted.action[step])
            assert (reward, ended, cut) == (0.0, False, step == horizon - 1)
    finally:
        env.close()
    assert len(solved) < horizon


def test_data_that_the_environment_does_not_repeat_are_refused(demonstration, solved):
    data = Dataset(path=Path("mine.npz"), format="episodes", episodes=[solved], seeds=[SEED])
    with pytest.raises(DataError, match=r"mine\.npz: episode 0 cannot be repeated"):
        learn_in_task(data, [solved], demonstration, under=Trial(Spread(offset=0.01)))
