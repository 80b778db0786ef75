"""Final states that nothing proves, and clips that are cuts of one recording."""

import numpy as np
import pytest
from changing import features, made_up
from scipy.stats import t as student

from perception.states.absence import chance_of_final
from perception.states.discovery import Discovery, discover, with_final_proved
from perception.states.recordings import recordings
from perception.states.stack import stacked

WINDOWS = 9
FEW = {"restarts": 1}
"""Where it matters less what is found."""


def scored(finals, *, odds_of_action=0.0):
    """Clips of noise with scores: 0, 4 and 8 are chosen; the final state has log-odds `early` at 3, `late` at 8."""
    rng = np.random.default_rng(0)
    stack = stacked([features(rng.normal(size=(WINDOWS, 12))) for _ in finals])
    scores = []
    for early, late in finals:
        odds = np.full((WINDOWS, 3), -5.0)
        odds[0, 0] = odds[4, 1] = odds[1, 1] = 5.0
        odds[3, 2], odds[8, 2], odds[8, 1] = early, late, odds_of_action
        scores.append(1 / (1 + np.exp(-odds)))
    return stack, scores, np.tile([0, 4, 8], (len(finals), 1))


def test_chance_is_that_of_a_further_draw_from_what_the_other_clips_take_for_final_when_cut():
    early = np.array([1.0, 2.0, 4.0, -1.0])
    stack, scores, window = scored([(e, 6.0) for e in early])
    cut = early + 5.0  # less the log-odds of the action, -5
    for c, chance in enumerate(chance_of_final(stack, scores, window)):
        others = np.delete(cut, c)
        spread = others.std(ddof=1) * np.sqrt(1 + 1 / 3)
        assert chance == pytest.approx(student.sf((6.0 - others.mean()) / spread, 2), rel=1e-6)


def test_a_final_state_that_looks_like_the_action_is_doubted_and_none_is_no_evidence():
    finals = [(-4.0, 3.0), (-3.0, 3.0), (-4.5, 3.0), (-3.5, 3.0), (-4.0, 3.0)]
    distinct = chance_of_final(*scored(finals, odds_of_action=-5.0))
    alike = chance_of_final(*scored(finals, odds_of_action=3.0))
    assert distinct.max() < 0.01
    assert alike.min() > 0.2
    stack, scores, window = scored(finals)
    window[2, 2] = -1
    assert chance_of_final(stack, scores, window)[2] == 1.0


@pytest.mark.parametrize("clips", [2, 3])
def test_two_clips_prove_nothing_three_may(clips):
    stack, scores, window = scored([(-4.0, 5.0), (-4.2, 5.0), (-3.8, 5.0)][:clips], odds_of_action=-5.0)
    found = Discovery(*window.T, np.full((clips, 3), 0.9), np.ones(clips), tuple(scores))
    proved = with_final_proved(stack, found, 0.2)
    assert (proved.final >= 0).all() == (clips == 3)
    assert (proved.confidence[:, 2] > 0).all() == (clips == 3)
    assert proved.confidence[:, 2].max() <= 0.9
    np.testing.assert_array_equal(proved.action, found.action)


def test_cuts_of_one_recording_have_no_final_state_where_recordings_have():
    """Smooth features that go from one place to another; many independent clips, and as many cuts of one clip."""
    made = made_up(clips=8, windows=60, signal=8.0, seed=3)
    whole = made.clips[0]
    cuts = [whole] + [whole.replace(value=whole.value[k:], time=whole.time[k:] - k) for k in range(1, 8)]
    for clips, expected in ((made.clips, 8), (cuts, 1)):
        assert len(set(recordings(stacked(clips)).tolist())) == expected
    assert (discover(made.clips, settings=FEW, significance=None).final >= 0).sum() >= 6
    assert (discover(cuts, settings=FEW, significance=None).final == -1).all()


def test_recordings_are_told_by_overlap_even_half_a_window_off():
    rng = np.random.default_rng(1)
    fine = np.cumsum(rng.normal(size=(200, 40)), axis=0)
    fine = np.array([fine[k : k + 8].mean(axis=0) for k in range(0, 192, 4)])  # windows that overlap by half
    first, second = fine[::2], fine[1::2][3:]
    other = np.cumsum(rng.normal(size=(24, 40)), axis=0)
    short = first[:4]
    np.testing.assert_array_equal(recordings(stacked([features(v) for v in (first, other, second)])), [0, 1, 0])
    assert len(set(recordings(stacked([features(v) for v in (first, short)])))) == 2


@pytest.mark.parametrize("signal", [0.0, 8.0])
def test_recordings_that_show_the_same_are_not_the_same(signal):
    clips = made_up(clips=10, signal=signal, apart=0.0, seed=5).clips
    np.testing.assert_array_equal(recordings(stacked(clips)), np.arange(10))


def test_clips_that_lack_the_final_state_are_rarely_given_one_and_the_others_keep_theirs():
    """Of clips that end with the action at most one in five is to be given a final state; one of six is."""
    found = discover(made_up(clips=18, unfinished=6, signal=8.0, seed=6).clips, settings=FEW, significance=None)
    assert (found.final[-6:] >= 0).sum() <= 1
    assert (found.final[:-6] >= 0).sum() >= 10
