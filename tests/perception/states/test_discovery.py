"""Every discoverer: recovery on made-up clips, what a clip need not show, and what is refused."""

import inspect

import numpy as np
import pytest
from changing import NOTHING, features, made_up, right
from threadpoolctl import threadpool_info, threadpool_limits

from perception.states.discovery import (
    DISCOVERERS,
    LABELS,
    Discovery,
    DiscoveryError,
    discover,
    timelines,
    with_final_proved,
)
from perception.states.stack import stacked
from records.record import RecordError

FEW = {"restarts": 1}
"""Where it matters less what is found."""
WEAK = 0
EACH = pytest.mark.parametrize("method", list(DISCOVERERS))


@EACH
def test_recovers_separable_states_and_action(method):
    made = made_up(seed=3)
    found = discover(made.clips, method, significance=None)
    assert right(found, made.label).min() >= 0.9
    assert (found.initial < found.action).all()
    assert (found.action[found.final >= 0] < found.final[found.final >= 0]).all()
    for values in (found.confidence, found.relevance, np.concatenate(found.scores)):
        assert values.min() >= 0
        assert values.max() <= 1


def test_clustering_recovers_weak_states_by_the_start_from_self_training():
    """Random starts alone end in another optimum here: the final state is found in half of the clips or fewer.

    These keep all final states that they find, so that it is not the test of them that takes them away.
    """
    made = made_up(signal=4.0, seed=WEAK)
    with_it = discover(made.clips, "clustering", significance=None)
    alone = {"self_trained": False}
    without = discover(made.clips, "clustering", settings=alone, significance=None, doubt=None)
    assert right(with_it, made.label).min() >= 0.9
    assert right(without, made.label).min() <= 0.5


@EACH
def test_is_deterministic_by_seed(method):
    made = made_up(clips=6, signal=3.0)
    one, same, other = (discover(made.clips, method, seed=seed, settings=FEW, significance=None) for seed in (0, 0, 1))
    np.testing.assert_array_equal(np.concatenate(one.scores), np.concatenate(same.scores))
    assert not np.array_equal(np.concatenate(one.scores), np.concatenate(other.scores))


@EACH
def test_without_signal_there_is_nothing_to_recover(method):
    made = made_up(clips=30, signal=0.0)
    found = discover(made.clips, method, settings=FEW, significance=None)
    assert right(found, made.label).max() < 0.5


@EACH
def test_clips_that_show_nothing_are_told_and_do_little_harm(method):
    made = made_up(clips=18, irrelevant=6, signal=7.0, seed=1)
    found = discover(made.clips, method, significance=None)
    assert right(found, made.label).min() >= 0.75
    assert found.relevance[6:].mean() > found.relevance[:6].mean() + 0.1


@EACH
def test_a_clip_may_end_during_the_action(method):
    made = made_up(clips=16, unfinished=4, signal=8.0, seed=2)
    found = discover(made.clips, method, significance=None)
    assert (found.final[-4:] == -1).sum() >= 2
    assert (found.final[:-4] >= 0).all()
    assert (found.confidence[found.final == -1, 2] == 0).all()
    always = discover(made.clips, method, settings=FEW | {"absent_final": 0.0}, significance=None, doubt=None)
    assert (always.final >= 0).all()  # by the method alone: what is named without proof may yet be taken away


@EACH
def test_a_prior_says_when_the_action_is(method):
    """Two changes of equal strength in each clip: narration says which of them is meant."""
    first, second = made_up(clips=8, seed=4), made_up(clips=8, seed=5)
    clips, of_first, of_second = [], [], []
    for c in range(8):
        a, b = first.clips[c], second.clips[c]
        clips.append(features(np.vstack([a.value, b.value])))
        nothing = np.full(len(a.value), NOTHING)
        of_first.append(np.r_[first.label[c], nothing])
        of_second.append(np.r_[nothing, second.label[c]])
    for label in (of_first, of_second):
        prior = [(own == 1).astype(float) for own in label]
        assert right(discover(clips, method, settings=FEW, prior=prior, significance=None), label)[1] >= 0.8


@EACH
def test_a_window_of_candidates(method):
    """Two tracks in each moment: the object, and something else that differs from clip to clip."""
    made = made_up(signal=8.0)
    rng = np.random.default_rng(0)
    clips, label = [], []
    for clip, own in zip(made.clips, made.label, strict=True):
        away = rng.normal(size=24)
        other = rng.normal(size=clip.value.shape) + 8.0 * away / np.linalg.norm(away)
        value = np.stack([clip.value, other], axis=1)
        shown = np.stack([own, np.full(len(own), NOTHING)], axis=1)
        swap = rng.random(len(own)) < 0.5
        value[swap], shown[swap] = value[swap, ::-1], shown[swap, ::-1]
        clips.append(features(value.reshape(-1, 24), time=np.repeat(clip.time, 2, axis=0)))
        label.append(shown.ravel())
    found = discover(clips, method, significance=None, doubt=None)
    assert right(found, label).min() >= 0.9
    proved = with_final_proved(stacked(clips), found, 0.2)
    assert right(proved, label)[2] >= 0.8  # a clip or two may lose a final state that is right
    for windows in np.stack([found.initial, found.action, found.final], axis=1):
        moments = windows[windows >= 0] // 2
        assert (np.diff(moments) > 0).all()


@EACH
def test_two_short_clips_are_enough_to_run(method):
    rng = np.random.default_rng(0)
    found = discover([features(rng.normal(size=(windows, 2))) for windows in (3, 4)], method)
    assert found.action.shape == (2,)
    assert found.confidence.shape == (2, 3)


def test_linear_algebra_keeps_to_one_thread(monkeypatch):
    seen = []

    def threads(*_):
        seen.append({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
        return np.ones(2)

    monkeypatch.setattr("perception.states.discovery.chance_of_final", threads)
    with threadpool_limits(2, user_api="blas"):
        discover([GOOD, GOOD])
    assert seen == [{1}]


def test_default_settings_are_named_alike():
    for method in DISCOVERERS:
        assert {"restarts", "absent_initial", "absent_final"} <= set(
            inspect.signature(DISCOVERERS.load(method)).parameters
        )


def test_timelines_hold_the_windows_found_and_their_likes():
    clip = features(np.zeros((8, 2)))
    score = np.zeros((8, 3))
    score[0:3, 0], score[4:6, 1], score[7, 2], score[3, 1] = 0.9, 0.8, 0.4, 0.3
    found = Discovery(
        np.array([1]), np.array([5]), np.array([7]), np.array([[0.9, 0.8, 0.4]]), np.array([0.7]), (score,)
    )
    (timeline,) = timelines([clip], found)
    assert timeline.labels == LABELS
    np.testing.assert_array_equal(timeline.interval, [[0, 3], [4, 6], [7, 8]])
    np.testing.assert_array_equal(timeline.confidence, [0.9, 0.8, 0.4])
    (timeline,) = timelines([clip], found._replace(final=np.array([-1])))
    assert timeline.labels == LABELS[:2]


RNG = np.random.default_rng(0)
GOOD = features(RNG.normal(size=(6, 2)), clip="a.mp4")


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([], "no clips: discovery compares clips of one task; give at least two"),
        ([GOOD], "1 clip: discovery compares clips of one task; give at least two"),
        ([GOOD, features(RNG.normal(size=(6, 2)), encoder="other", encoder_hash="cd" * 32)],
         "clip 2: features of other (cdcdcdcd), but a.mp4 has those of made up (abababab);"
         " extract all with one encoder"),
        ([GOOD, features(RNG.normal(size=(6, 3)), clip="b.mp4")],
         "b.mp4: 3 dimensions, but a.mp4 has 2; extract all with one encoder"),
        ([GOOD, features(RNG.normal(size=(2, 2)))],
         "clip 2: 2 moments; at least 3 are needed (state, action, state); use shorter windows or leave the clip out"),
        ([GOOD, features(np.zeros((0, 2)))],
         "clip 2: 0 moments; at least 3 are needed (state, action, state); use shorter windows or leave the clip out"),
        ([GOOD, features(RNG.normal(size=(3, 2)), time=[[2, 3], [1, 2], [0, 1]])],
         "clip 2: windows are not in order of time; sort them"),
        ([features(np.ones((5, 2))), features(np.full((5, 2), 7.0))],
         "the features of each clip are the same in all its windows: no clip shows a change"),
    ],
)  # fmt: skip
def test_what_is_refused(clips, message):
    with pytest.raises(DiscoveryError) as error:
        discover(clips)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ([np.ones(6)], "a prior of 1 clips for 2 clips; give one for each"),
        ([np.ones(6), np.ones(5)], "clip 2: a prior of shape (5,) for 6 windows"),
        ([np.ones(6), np.r_[np.nan, np.ones(5)]], "clip 2: the prior must be finite and not negative"),
        ([-np.ones(6), np.ones(6)], "clip 1: the prior must be finite and not negative"),
    ],
)
def test_priors_that_do_not_fit(prior, message):
    with pytest.raises(DiscoveryError) as error:
        discover([GOOD, GOOD], prior=prior)
    assert str(error.value) == message


@EACH
def test_only_clips_with_a_change_pass(method):
    found = discover(made_up(clips=8, signal=8.0).clips, method, settings=FEW)
    assert len(found.action) == 8
    with pytest.raises(DiscoveryError, match="no change that the clips share"):
        discover(made_up(clips=8, signal=0.0).clips, method, settings=FEW)


def test_features_that_are_not_finite_are_refused_by_their_record():
    with pytest.raises(RecordError, match=r"Features.value: not finite at index \(1, 0\)"):
        features([[0.0], [np.nan], [1.0]])
