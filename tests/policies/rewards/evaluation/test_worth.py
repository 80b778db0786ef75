"""One figure of a reward, by what it pays successes, failures, near misses and what a search finds."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from points import named, near, noise_of, walks

from policies.rewards.evaluation.data.reading import Dataset
from policies.rewards.evaluation.hacking import Hacking, Probe
from policies.rewards.evaluation.judgement import ASSUMED, judge_reward, ranked
from policies.rewards.evaluation.worth import Worth, optimised, worth


def hacking(*solves):
    return Hacking(tuple(Probe(1.0, True, 2.0, solved, (float(solved),), (2.0,)) for solved in solves))


def test_chances_of_returns_in_closed_form():
    found = worth(np.array([1.0, 3.0]), np.array([0.0, 2.0]), np.array([1.0]), hacking(True, True, False))
    assert found.failures.value == pytest.approx(3 / 4)
    assert found.near.value == pytest.approx(3 / 4), "a tie counts half"
    assert found.optimised == pytest.approx(3 / 5)
    assert found.together() == pytest.approx(3 / 4 * 3 / 4 * 3 / 5)
    assert found.together(["optimised"]) == pytest.approx(3 / 5)


def test_what_was_not_tried_has_no_part():
    none = np.zeros(0)
    found = worth(np.array([1.0]), np.array([0.0]), none)
    assert dict(found.parts()) == {"failures": 1.0}
    assert found.plain()["near"]["value"] is None
    assert math.isnan(Worth().together())
    assert math.isnan(optimised(hacking()))


def test_scale_and_shift_of_a_reward_change_nothing():
    paid = np.random.default_rng(0).integers(-3, 4, 12).astype(float)
    plain, moved = (worth(some[:5], some[5:9], some[9:]) for some in (paid, 3.7 * paid - 2))
    assert 0 < plain.together() < 1
    assert moved.plain() == plain.plain()


def points(successes=4, failures=4):
    return Dataset(path=Path("points"), format="made up", episodes=walks(successes, failures))


def judged(**rewards):
    return [judge_reward(name, reward, points()) for name, reward in rewards.items()]


def test_the_distance_from_the_goal_is_before_noise_unless_it_is_hacked():
    found = judged(noise=named(noise_of), near=named(near))
    order = ranked(found, {"near": hacking(False, False, False, False), "noise": hacking(True, True, True, True)})
    near_now, near_before = (next(f for one, f in some if one.name == "near") for some in (order, ranked(found)))
    assert near_now["optimised"] == pytest.approx(1 / 6)
    assert [one.name for one, _ in ranked(found)] == ["near", "noise"]
    assert near_now["together"] == pytest.approx(near_before["together"] / 6)


def test_few_episodes_are_a_caution():
    """Bootstrap intervals of two successes that are both paid more than all failures are a single point."""
    few, enough = (judge_reward("near", named(near), points(count, count)) for count in (2, 10))
    assert few.separation.auc.last[:3] == (1, 1, 1)
    assert "Judged by few (successes 2, failures 2): with fewer than 10, intervals are narrower" in few.cautions[0]
    assert enough.cautions == ()


def test_near_misses_of_successes_at_an_unknown_moment_are_a_caution():
    data = points(10, 10)
    silent = replace(data, episodes=[replace(episode, reward=None) for episode in data.episodes])
    assert judge_reward("near", named(near), silent).cautions == (ASSUMED,)
