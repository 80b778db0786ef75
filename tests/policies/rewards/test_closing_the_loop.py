"""Parts of the benchmark that closes the loop from clips to policies."""

import math

import numpy as np
import pytest
from watched import episode

from benchmarks.foretelling import foretells
from benchmarks.studio_close_ups import _cropped
from benchmarks.written_rewards import SPECS, WRITTEN, Written
from policies.agents import Replay, Shifted
from policies.rewards.evaluation.loading import named_reward
from policies.rewards.exploring import Exploring
from policies.rewards.reward import judge, judges_steps_alone
from policies.rewards.watching import watch
from sim.actions import REACH
from sim.env import ToolEnv


def test_what_a_figure_foretells():
    figure = np.arange(6.0)
    rho, _, _, chance = foretells((figure, figure**3))
    assert rho == pytest.approx(1)
    assert chance == pytest.approx(1 / math.factorial(6), abs=2e-3)
    rho, low, high, chance = foretells((figure, figure[[1, 0, 3, 2, 5, 4]]))
    assert rho == pytest.approx(1 - 6 * 6 / (6 * 35))
    assert low < rho < high < 1
    assert math.atanh(high) - math.atanh(rho) == pytest.approx(1.96 * math.sqrt((1 + rho**2 / 2) / 3))
    assert 0 < chance < 0.1
    assert foretells((figure, -figure))[3] > 0.99
    both = foretells((figure, figure), (figure, figure[[1, 0, 3, 2, 5, 4]]))
    assert both[0] == pytest.approx((1 + rho) / 2)
    assert both[3] < chance, "two tasks prove more than one"
    assert both[2] - both[1] < high - low


def test_rewards_written_by_hand_look_at_one_step_each():
    first = Written("first", lambda seen: seen["x"])
    watched = episode(0)
    np.testing.assert_array_equal(judge(first, watched), watched.obs[1:, 0])
    assert all(judges_steps_alone(reward) for reward in (first, *WRITTEN.values()))
    assert [named_reward(spec) for spec in SPECS.values()] == list(WRITTEN.values())


def test_a_crop_has_its_centre_in_the_middle_even_at_the_border():
    image = np.zeros((40, 60, 3), np.uint8)
    image[0:4, 54:58] = 255
    found = _cropped(image, 56, 2, 8, 16)
    assert found.shape == (16, 16, 3)
    assert found[8, 8, 0] == 255
    assert found[:, :5].max() == 0


def test_an_agent_explores_about_another_one(demonstration):
    env = ToolEnv(demonstration)
    try:
        (once,), (again,) = (watch(env, Exploring(Shifted(), 0.02, repeat=4), [5]) for _ in range(2))
        (plain,) = watch(env, Shifted(), [5])
        many = watch(env, Exploring(Replay(), 0.02, repeat=1), range(8))
    finally:
        env.close()
    np.testing.assert_array_equal(once.action, again.action)
    steps = min(len(once), len(plain))
    aside = (once.action[:steps] - plain.action[:steps])[: steps // 4 * 4].reshape(-1, 4, 3)
    np.testing.assert_allclose(aside, aside[:, :1].repeat(4, axis=1), atol=1e-12)
    strayed = REACH * np.concatenate([one.action for one in many])
    assert strayed.std() == pytest.approx(0.02, rel=0.15)
