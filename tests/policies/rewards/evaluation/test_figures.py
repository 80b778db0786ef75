"""Order, separation, near misses and returns, on episodes of which all is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from points import Clock, Ticks, arrived, gain, named, near, noise_of, walk, walks
from scipy.stats import spearmanr

from policies.rewards.evaluation.coverage import coverage
from policies.rewards.evaluation.distance import distance
from policies.rewards.evaluation.intervals import bootstrap, mean_of, rank_correlation
from policies.rewards.evaluation.near_misses import stopped
from policies.rewards.evaluation.separation import Scores, auc, return_order, separation
from policies.rewards.evaluation.transitions import of_transitions
from policies.rewards.evaluation.value_order import reordered, value_order
from policies.rewards.online import paid_in
from policies.rewards.reward import RewardError, judge


def judged(function, episodes):
    return Scores.of(named(function), [judge(named(function), e) for e in episodes])


@given(arrays(int, 12, elements=st.integers(0, 4)), arrays(bool, 12))
@settings(deadline=None)
def test_auc_counts_pairs(score, success):
    pairs = [
        (score[i] > score[j]) + 0.5 * (score[i] == score[j])
        for i in range(12)
        for j in range(12)
        if success[i] > success[j]
    ]
    found = auc(score.astype(float), success)
    assert found == pytest.approx(np.mean(pairs)) if pairs else math.isnan(found)


@given(arrays(float, 9, elements=st.integers(0, 5)), arrays(float, 9, elements=st.integers(0, 5)))
@settings(deadline=None)
def test_rank_correlation_agrees_with_scipy(a, b):
    found = rank_correlation(a, b)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(a, b).statistic)


def test_intervals_hold_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = []
    for k in range(100):
        found = mean_of(rng.normal(3, 1, 40), seed=k)
        held.append(found.low < 3 < found.high)
    assert 0.88 <= np.mean(held) <= 1
    assert mean_of(np.array([math.nan])).plain() == {"value": None, "low": None, "high": None, "episodes": 0}
    assert bootstrap(lambda index: 2.0, 3)[:3] == (2.0, 2.0, 2.0)


def test_a_level_rises_and_falls_when_shown_backwards():
    found = value_order(named(near), [walk(k) for k in range(6)])
    assert found.forward.value > 0.95
    assert found.reversed.value < -0.95
    assert abs(found.shuffled.value) < 0.3
    assert not found.tells_time


def test_a_reward_that_counts_steps_is_told():
    found = value_order(Clock(), [walk(k) for k in range(6)])
    assert found.forward.value == pytest.approx(1)
    assert found.reversed.value == pytest.approx(1)
    assert found.tells_time


def test_a_constant_reward_has_no_order():
    found = value_order(named(lambda s, a, s_next: np.zeros(len(s))), [walk()])
    assert found.constant == 1
    assert not found.forward.defined
    with pytest.raises(RewardError, match="there are none"):
        value_order(named(near), [])


def test_reordered_twice_is_the_same():
    episode = walk()
    back = np.arange(len(episode) + 1)[::-1].copy()
    np.testing.assert_array_equal(reordered(reordered(episode, back), back).obs, episode.obs)


def test_separation_and_return_order():
    episodes = walks()
    success = np.array([e.success for e in episodes])
    good = judged(near, episodes)
    assert separation(good, success).auc.mean.value == 1
    many = walks(100, 100)
    by_chance = separation(judged(noise_of, many), np.array([e.success for e in many])).auc.mean
    assert by_chance.low < 0.5 < by_chance.high
    assert return_order(good, episodes).last.value > 0.8
    assert not separation(good, np.ones_like(success)).auc.total.defined
    assert not return_order(good, [walk() for _ in episodes]).last.defined


def test_long_failures_are_paid_more_in_total_alone():
    """A positive level that is higher in success, but is paid for longer where there is none."""
    episodes = [walk(k, steps=10) for k in range(5)] + [walk(k, to=0.8, steps=40) for k in range(5)]
    success = np.array([e.success for e in episodes])
    found = separation(judged(lambda s, a, s_next: s_next[:, 0] + 1, episodes), success).auc
    assert found.total.value == 0
    assert found.last.value == 1


def test_stopped_goes_as_the_success_and_stays():
    success = walk(steps=20)
    (miss,) = stopped([success])
    np.testing.assert_array_equal(miss.obs[:17], success.obs[:17])
    assert np.ptp(miss.obs[16:], axis=0).max() == 0
    assert not miss.action[16:].any()
    assert miss.success is False
    assert judge(named(arrived), miss).max() == 0
    early = walk(steps=20)
    early.reward[3] = 1.0
    assert stopped([early]) == [], "solved before: stopping it does not make it fail"


def test_distances_on_episodes():
    episodes = walks(40, 40)
    on = coverage(episodes, "mixed", count=1600)
    truth = ("truth", of_transitions(named(arrived), episodes))

    def to(function, kind="epic"):
        return distance((truth, (function.__name__, of_transitions(named(function), episodes))), on, kind)

    same, level, other = to(arrived), to(near), to(noise_of)
    assert same.value == pytest.approx(0, abs=1e-9)
    assert level.value < other.value
    assert other.value == pytest.approx(0.71, abs=0.05)
    assert to(near, "dard").value < to(noise_of, "dard").value

    def shaped(s, a, s_next):
        return arrived(s, a, s_next) + 9.9 * near(None, None, s_next) - 10 * near(None, None, s)

    for kind in ("epic", "dard"):
        moved = distance((truth, ("shaped", shaped)), on, kind)
        assert moved.value == pytest.approx(0, abs=1e-6)
    assert distance((truth, ("shaped", shaped)), on, "raw").value > 0.3


def test_coverages_say_what_they_hold():
    episodes = walks(3, 5)
    counts = {name: coverage(episodes, name, count=1000) for name in ("random", "expert", "mixed", "independent")}
    assert {name: c.episodes for name, c in counts.items()} == {"random": 5, "expert": 3, "mixed": 8, "independent": 8}
    assert len(counts["mixed"].at.a) == 160
    assert len(counts["independent"].at.a) == 1000
    with pytest.raises(RewardError, match="none of 5 is known to succeed"):
        coverage(walks(0, 5), "expert")
    with pytest.raises(RewardError, match="unknown coverage 'all'; choose from: random"):
        coverage(episodes, "all")


def test_rewards_without_a_function_of_transitions_are_told():
    with pytest.raises(RewardError, match="'clock' of a step depends on more than its transition"):
        of_transitions(Clock(), walks(1, 1))
    wide = named(lambda s, a, s_next: s_next[:, 7])
    with pytest.raises(RewardError, match=r"failed on 2 observations and 1 actions .IndexError.*this environment"):
        judge(wide, walk())
    broken = named(lambda s, a, s_next: s.no_such_thing)
    for fails in (lambda: judge(broken, walk()), lambda: of_transitions(broken, walks(1, 1))(*walk().obs[:3, None])):
        with pytest.raises(RewardError, match=r"failed on 2 observations and . actions .AttributeError"):
            fails()


def test_gain_is_nothing_but_shaping():
    episodes = walks()
    on = coverage(episodes, "mixed")
    with pytest.raises(RewardError, match=r"canonical form.*zero variance"):
        distance((("truth", arrived), ("gain", gain)), on, gamma=1.0)


def test_what_pays_for_change_is_judged_by_where_things_stand():
    episodes = walks()[:2]
    each = [judge(Ticks(), e) for e in episodes]
    scores = Scores.of(Ticks(), each)
    np.testing.assert_array_equal(scores.last, [len(e) for e in episodes])
    np.testing.assert_array_equal(scores.total, scores.last)
    assert value_order(Ticks(), episodes).forward.value == pytest.approx(1)
    assert paid_in(Ticks(), episodes[0], len(episodes[0]) + 7) == len(episodes[0]), "nothing changes after the end"
    assert paid_in(Clock(), episodes[0], len(episodes[0]) + 7) > judge(Clock(), episodes[0]).sum()
