"""Figures of the probes: by hand, by laws, and against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pretrain.probes.accuracy import majority, summed, top_1
from pretrain.probes.average_precision import average_precision
from pretrain.probes.neighbours import nearest_labels
from pretrain.probes.ordered_steps import Located, locate_steps, recall, seconds_of, steps_found
from pretrain.probes.ranks import chance_of_retrieval, ranks, retrieval_figures
from pretrain.probes.scaling import Standardiser
from pretrain.probes.unusual_actions import Annotated, groups_of, sampled_precision, weighted_precision

SCORE = np.array(
    [
        [0.9, 0.5, 0.1],  # right, first
        [0.9, 0.5, 0.1],  # right, second
        [0.9, 0.5, 0.5],  # shares places 2 and 3
    ]
)


def test_ranks_by_hand():
    np.testing.assert_array_equal(ranks(SCORE, np.arange(3)), [1, 2, 2.5])
    figures = retrieval_figures(np.array([1, 2, 2.5, 7, 12]))
    assert figures == {"R@1": 20.0, "R@5": 60.0, "R@10": 80.0, "MedR": 2.5}


def test_an_encoder_that_says_nothing_is_at_chance():
    figures = retrieval_figures(ranks(np.zeros((101, 101)), np.arange(101)))
    assert figures == {"R@1": 0.0, "R@5": 0.0, "R@10": 0.0, "MedR": 51.0}
    assert chance_of_retrieval(101)["MedR"] == 51.0
    assert chance_of_retrieval(4) == {"R@1": 25.0, "R@5": 100.0, "R@10": 100.0, "MedR": 2.5}


@given(arrays.arrays(np.int8, (5, 7), elements=st.integers(0, 3)), st.permutations(range(7)))
def test_ranks_do_not_depend_on_the_order_of_the_gallery_and_share_out_all_places(score, order):
    score, order = score.astype(float), np.array(order)
    right = np.arange(5)
    moved = np.argsort(order)[right]
    np.testing.assert_array_equal(ranks(score, right), ranks(score[:, order], moved))
    places = [ranks(score[:1], np.array([k]))[0] for k in range(7)]
    assert sum(places) == 7 * 8 / 2


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        ranks(np.array([[np.nan, 1.0]]), np.array([0]))
    with pytest.raises(ValueError, match="not finite"):
        average_precision(np.array([np.inf, 1.0]), np.array([True, False]))


def test_neighbours_by_hand():
    """Cosines of the test example (1, 0) with the training ones: .8, .6 of class 0, 1 of class 1, -1 of class 1."""
    train = np.array([[4.0, 3.0], [0.6, 0.8], [5.0, 0.0], [-1.0, 0.0]])
    label, test = np.array([0, 0, 1, 1]), np.array([[2.0, 0.0]])
    np.testing.assert_allclose(nearest_labels(train, label, test, 2, k=1), [[0, 1]])
    np.testing.assert_allclose(nearest_labels(train, label, test, 2, k=3), [[1.4, 1]])
    np.testing.assert_allclose(nearest_labels(train, label, test, 2, k=99), [[1.4, 1]])
    votes = nearest_labels(train, label, test, 2, k=3, temperature=0.1)
    np.testing.assert_allclose(votes, [[np.exp(-2) + np.exp(-4), 1]])


def test_accuracy_by_hand():
    windows = np.array([[0.6, 0.4], [0.0, 0.9], [0.5, 0.5], [0.2, 0.1]])
    score = summed(windows, np.array([0, 0, 1, 2]), 3)
    np.testing.assert_allclose(score, [[0.6, 1.3], [0.5, 0.5], [0.2, 0.1]])
    assert top_1(score, np.array([1, 0, 0])) == pytest.approx(100 * (1 + 0.5 + 1) / 3)
    assert majority(np.array([0, 0, 1, 1, 2]), np.array([0, 0, 1, 2])) == pytest.approx((50 + 25) / 2)


def test_examples_are_standardised_by_the_training_ones():
    scale = Standardiser.of(np.array([[1.0, 7.0], [3.0, 7.0]]))
    np.testing.assert_allclose(scale(np.array([[5.0, 8.0]])), [[3.0, 1.0]])


def test_steps_by_hand():
    """The best moments alone (0 for both steps) cannot be had: 0 and 2 give .9 + .5, 1 and 2 give .3 + .5."""
    score = np.array([[0.9, 0.8], [0.3, 0.1], [0.0, 0.5]])
    np.testing.assert_array_equal(locate_steps(score), [0, 2])
    np.testing.assert_array_equal(locate_steps(np.zeros((4, 2))), [0, 1])
    with pytest.raises(ValueError, match="3 steps cannot each have a moment of their own among 2"):
        locate_steps(np.zeros((2, 3)))


@settings(max_examples=200)
@given(st.integers(1, 4), st.integers(0, 4), st.data())
def test_steps_against_all_choices(K, spare, data):
    score = data.draw(arrays.arrays(np.float64, (K + spare, K), elements=st.integers(-5, 5)))
    found = locate_steps(score)
    assert (np.diff(found) > 0).all()
    choices = itertools.combinations(range(K + spare), K)
    assert score[found, np.arange(K)].sum() == max(score[list(c), np.arange(K)].sum() for c in choices)


def test_recall_is_per_task_then_over_tasks():
    """Annotations cover the seconds that they touch; step 1 is not annotated, so it is not asked for."""
    present = seconds_of(np.array([0, 2]), np.array([[1.2, 2.1], [4.0, 9.9]]), 6, 3)
    np.testing.assert_array_equal(present.nonzero(), [[1, 2, 4, 5], [0, 0, 2, 2]])
    assert steps_found(np.array([2, 3, 3]), present) == (2, 1)
    found = recall([Located("a", 2, 1), Located("a", 6, 1), Located("b", 1, 1), Located("c", 0, 0)])
    assert found == {"a": 25.0, "b": 100.0}


def test_average_precision_by_hand():
    score, positive = np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False])
    assert average_precision(score, positive) == pytest.approx((1 + 2 / 3) / 2)
    weight = np.array([1.0, 0.5, 2.0, 1.0])
    assert average_precision(score, positive, weight) == pytest.approx(1 / 3 * 1 + 2 / 3 * (3 / 3.5))
    assert average_precision(np.zeros(4), positive) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="without a positive entry"):
        average_precision(score, ~np.ones(4, bool))


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(1, 3)), min_size=1, max_size=9))
def test_a_weight_is_a_number_of_copies(entries):
    score, positive, copies = (np.array(part) for part in zip(*entries, strict=True))
    if positive.any():
        once = average_precision(score.astype(float), positive, copies.astype(float))
        assert once == pytest.approx(average_precision(score.repeat(copies).astype(float), positive.repeat(copies)))


CLIPS = Annotated(
    video=np.array([0, 0, 1, 2, 3, 4, 4, 5]),
    action=np.array([0, 0, 0, 0, 0, 1, 2, 3]),
    annotation=np.array([1, 1, 1, 0, 3, 1, 1, 1]),
    verb=np.array([0, 0, 1, 1, 1]),
    noun=np.array([0, 1, 0, 1, 2]),
)
"""Class 0 is (cut, phone); clip 5 shows the same verb, clip 6 the same noun, clip 7 neither; class 4 has no clip."""


def test_positives_of_other_classes_are_hard_where_verb_or_noun_is_the_same():
    groups = groups_of(CLIPS, 0)
    assert [group.tolist() for group in groups] == [[0, 1, 2], [3, 7], [4, 5, 6]]
    assert [group.tolist() for group in groups_of(CLIPS, 1)] == [[5], [6], [0, 1, 2, 7]]


def test_unusual_actions_by_hand():
    """Weights of class 0: positives 1/2, 1/2, 1; negatives 1, 1; hard ones 1, 1/2, 1/2 (clips 5 and 6 share a video).

    In order of score: clip 0 (right, 1/2), clip 5 (1/2), clip 2 (right, 1), clip 1 (right, 1/2), the rest.
    """
    score = np.zeros((8, 5))
    score[:, 0] = [8, 5, 6, 1, 2, 7, 3, 0]
    expected = (0.5 * 1 + 1 * (1.5 / 2) + 0.5 * (2 / 2.5)) / 2
    found = weighted_precision(score, CLIPS)
    assert sorted(found) == [0, 1, 2, 3]
    assert found[0] == pytest.approx(expected)


def test_draws_of_one_clip_a_video():
    """Of video 0 clip 0 or 1 is drawn, of video 4 clip 5 or 6: four ways of equal chance."""
    score = np.zeros((8, 5))
    score[:, 0] = [8, 5, 6, 1, 2, 7, 3, 0]
    ways = []
    for right, hard in itertools.product((0, 1), (5, 6)):
        chosen = np.array([right, 2, 3, 7, 4, hard])
        ways.append(average_precision(score[chosen, 0], np.arange(6) < 2))
    found = sampled_precision(score, CLIPS, draws=2000, seed=0)[0]
    assert found == pytest.approx(np.mean(ways), abs=0.02)
    assert min(ways) < found < max(ways)
    assert sampled_precision(score, CLIPS, draws=5, seed=1) == sampled_precision(score, CLIPS, draws=5, seed=1)
