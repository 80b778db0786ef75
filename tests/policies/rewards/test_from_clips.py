"""A reward from clips of which nobody has said what they show."""

import dataclasses

import numpy as np
import pytest
from watched import episode, observed

from perception.states.discovery import DiscoveryError
from policies.rewards.film import CloseUp
from policies.rewards.from_clips import learn_from_clips, stays
from policies.rewards.reward import RewardError, judge
from policies.rewards.state_classifier import FINAL

COUNT = 30
"""Of half as many, too few show where a point that has not yet moved may be."""


def pool():
    """Two of three arrive; what arrives is cut short, as where success ends an episode."""
    return [episode(k, steps=12) if k % 3 else episode(k, reach=0.1) for k in range(COUNT)]


@pytest.fixture(scope="module")
def found():
    return learn_from_clips(pool(), observed(), seed=1, significance=None)


def test_what_most_clips_end_with_is_found_and_paid(found):
    arrives = np.arange(COUNT) % 3 > 0
    assert found.shows[arrives].mean() > 0.7
    assert found.shows[~arrives].mean() < 0.2
    assert all(FINAL in found.timelines[k].labels for k in np.flatnonzero(found.shows))
    last = [judge(found.reward, episode(k, reach=reach))[-1] for reach in (1.0, 0.1) for k in (50, 51, 52)]
    assert min(last[:3]) > 0.75, "successes among what is not shown blur the reward"
    assert max(last[3:]) < 0.2
    first = [judge(found.reward, episode(k))[:4].max() for k in (53, 54, 55)]
    assert max(first) < 0.2


def test_true_rewards_and_successes_have_no_part_in_it(found):
    blind = [
        dataclasses.replace(clip, success=not clip.success, reward=np.arange(len(clip), dtype=float)) for clip in pool()
    ]
    again = learn_from_clips(blind, observed(), seed=1, significance=None)
    np.testing.assert_array_equal(judge(again.reward, episode(60)), judge(found.reward, episode(60)))


def test_a_clip_that_stays_shows_its_last_moment():
    short = episode(3, steps=5)
    longer = stays(short, 8)
    frames = list(longer.frames())
    assert (len(longer), len(frames)) == (8, 9)
    np.testing.assert_array_equal(frames[:6], list(short.frames()))
    for k in (6, 7, 8):
        np.testing.assert_array_equal(frames[k], frames[5])
        np.testing.assert_array_equal(longer.obs[k], short.obs[5])
    assert (longer.success, longer.reward) == (None, None)
    assert len(stays(short, 2)) == 5


def test_a_single_clip_and_clips_without_pictures_are_refused():
    with pytest.raises(DiscoveryError, match="give at least two"):
        learn_from_clips([episode(0)], CloseUp())
    with pytest.raises(RewardError, match="frames, which the episode has not"):
        learn_from_clips([dataclasses.replace(episode(k), frames=None) for k in range(6)], CloseUp())
