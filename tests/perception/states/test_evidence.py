"""The test for a change that clips share."""

import numpy as np
import pytest
from changing import made_up

from perception.states.evidence import evidence
from perception.states.stack import stacked


def oracle(labels):
    """Discovers what is there."""
    return lambda _, clips: [(labels[c][:, None] == [0, 1, 2]).astype(float) for c in clips]


def random_scores(seed):
    """Discovers anything."""
    rng = np.random.default_rng(seed)
    return lambda stack, _: stack.split(rng.random((len(stack.middle), 3)))


def test_a_shared_change_is_told_from_chance():
    made = made_up(clips=10)
    found = evidence(stacked(made.clips), oracle(made.label), 0)
    assert found.advantage.shape == (10,)
    assert found.advantage.min() > 0
    assert found.chance < 0.01


def test_clips_that_run_backwards_as_often_share_no_order():
    made = made_up(clips=12, seed=1)
    clips = [
        clip.replace(value=clip.value[::-1]) if c % 2 else clip for c, clip in enumerate(made.clips)
    ]  # fmt: skip
    labels = [own[::-1] if c % 2 else own for c, own in enumerate(made.label)]
    assert evidence(stacked(clips), oracle(labels), 0).chance > 0.1


def test_chance_is_even_where_anything_is_discovered():
    chances = [
        evidence(stacked(made_up(clips=8, windows=24, seed=seed).clips), random_scores(seed), seed).chance
        for seed in range(24)
    ]
    assert np.mean(np.array(chances) <= 0.25) == pytest.approx(0.25, abs=0.2)
    assert np.mean(chances) == pytest.approx(0.5, abs=0.2)


def test_cuts_of_one_recording_count_once():
    """Of clips without a change, copies would prove one: what is learned from one is found again in the other."""
    clips = made_up(clips=6, windows=24, signal=0.0, seed=2).clips
    shorter = [clip.replace(value=clip.value[:20], time=clip.time[:20]) for clip in clips]
    seen = []

    def discover_in(part, which):
        seen.extend(which)
        return part.split(np.full((len(part.middle), 3), 0.5))

    found = evidence(stacked([*shorter, *clips]), discover_in, 0)
    assert found.advantage.shape == (6,)
    assert set(seen) == set(range(6, 12)), "the longest of each recording"
    assert evidence(stacked(clips[:4] * 2), discover_in, 0) is None, "fewer than five recordings prove nothing"


def test_clips_seen_and_unseen_do_not_overlap():
    stack = stacked(made_up(clips=7).clips)
    seen = []

    def discover_in(part, clips):
        seen.append(list(clips))
        np.testing.assert_array_equal(part.value, stack.part(clips).value)
        return part.split(np.zeros((len(part.middle), 3)))

    evidence(stack, discover_in, 0)
    unseen = [sorted(set(range(7)) - set(clips)) for clips in seen]
    assert sorted(c for part in unseen for c in part) == list(range(7))
