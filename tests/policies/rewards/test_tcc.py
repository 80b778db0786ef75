"""Temporal cycle-consistency: its loss in closed form, and moments of demonstrations of other paces found again."""

import numpy as np
import pytest
import torch
from watched import episode, observed, shown

from policies.rewards.goal_distance import GoalDistanceSettings
from policies.rewards.learned import Scale, learn
from policies.rewards.logit import forward
from policies.rewards.reward import RewardError, Shown, judge
from policies.rewards.saved import load_reward, save_reward
from policies.rewards.tcc import LEAST_SPREAD, TCCSettings, cycle_back, fit_tcc

TCC = GoalDistanceSettings(embedding="tcc", iterations=100, hidden=(16,))


@pytest.mark.parametrize("moments", [2, 3, 8])
def test_moments_that_are_not_told_apart_cost_one(moments):
    """beta is uniform: the squared error and the variance of the index have the same mean, (N^2 - 1) / 12."""
    same = torch.zeros((moments, 2), dtype=torch.double)
    sigma = np.sqrt((moments**2 - 1) / 12 + LEAST_SPREAD)
    assert float(cycle_back(same, same, weight=0.3)) == pytest.approx(1 + 0.3 * np.log(sigma), abs=1e-4)


def test_a_cycle_that_comes_back_costs_nothing_and_one_that_does_not_much():
    apart = 20 * torch.eye(5, dtype=torch.double)
    assert float(cycle_back(apart, apart.flip(0), weight=0.0)) == pytest.approx(0, abs=1e-9)
    assert float(cycle_back(apart, apart[:1], weight=0.0)) > 1e5


def test_two_moments_by_hand():
    """u = (0, 1) on a line, v = (0): the neighbour is 0, beta = (1, e^-1) / (1 + e^-1) for both."""
    u, v = torch.tensor([[0.0], [1.0]], dtype=torch.double), torch.zeros((1, 1), dtype=torch.double)
    mean = np.exp(-1) / (1 + np.exp(-1))
    variance = mean * (1 - mean) + LEAST_SPREAD
    by_hand = (mean**2 + (1 - mean) ** 2) / 2 / variance + 0.1 * np.log(np.sqrt(variance))
    assert float(cycle_back(u, v, weight=0.1)) == pytest.approx(by_hand, rel=1e-9)


def paced(rng, moments=30):
    """A demonstration at a pace of its own: three numbers follow its phase, five its looks and noise."""
    phase = np.linspace(0, 1, moments) ** rng.uniform(0.5, 2.0)
    follows = np.stack([np.sin(2 * phase), np.cos(3 * phase), phase], axis=1) + 0.03 * rng.normal(size=(moments, 3))
    looks = 2 * rng.normal(size=5) + 2 * rng.normal(size=(moments, 5))
    return np.hstack([follows, looks]), phase


def missed(embed, pairs):
    """Mean difference in phase between a moment and its nearest one in another demonstration."""
    found = []
    for (one, phase), (other, its) in pairs:
        u, v = embed(one), embed(other)
        nearest = ((u[:, None] - v[None]) ** 2).sum(axis=2).argmin(axis=1)
        found.append(np.abs(phase - its[nearest]).mean())
    return float(np.mean(found))


def test_moments_of_other_paces_and_looks_come_to_lie_together():
    rng = np.random.default_rng(0)
    scale = Scale.of([paced(rng)[0] for _ in range(20)])
    layers = fit_tcc([scale(paced(rng)[0]) for _ in range(20)], TCCSettings(iterations=250, hidden=(32,), rate=3e-3), 0)
    fresh = [(paced(rng), paced(rng)) for _ in range(10)]
    before, after = missed(scale, fresh), missed(lambda value: forward(layers, scale(value)), fresh)
    assert before > 0.1
    assert after < before / 2


def test_distance_from_the_goal_in_the_embedding(tmp_path):
    reward, again = (learn("goal_distance", shown(), observed(), settings=TCC, seed=5) for _ in range(2))
    arriving, staying = (judge(reward, episode(70, reach=reach)) for reach in (1.0, 0.1))
    assert arriving[-1] > staying[-1] + 0.5
    assert arriving[-1] > arriving[0] + 0.5
    np.testing.assert_array_equal(arriving, judge(again, episode(70)))
    save_reward(reward, tmp_path)
    np.testing.assert_array_equal(arriving, judge(load_reward(tmp_path), episode(70)))


def test_what_cannot_go_in_cycles_is_told():
    with pytest.raises(RewardError, match="cycles go from one demonstration to another and back: 1 demonstrations"):
        learn("goal_distance", Shown(shown().demonstrations[:1]), observed(), settings=TCC)
    with pytest.raises(RewardError, match="unknown embedding 'cpc'; choose from: principal, tcc"):
        learn("goal_distance", shown(), observed(), settings=GoalDistanceSettings(embedding="cpc"))
