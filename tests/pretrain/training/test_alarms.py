"""Signs of collapse and of memorising, worked out by hand."""

import math

import numpy as np
import pytest
from patterns import VOCABULARY, Patterns

from pretrain.training.alarms import Health, effective_rank, retrieval, shared_words, spread_of
from pretrain.training.watch import watched

RNG = np.random.default_rng(0)


def test_spread_is_one_in_all_directions_and_zero_where_all_is_the_same():
    assert spread_of(RNG.normal(size=(4000, 16))) == pytest.approx(1.0, abs=0.02)
    assert spread_of(np.tile(RNG.normal(size=8), (10, 1))) == pytest.approx(0.0, abs=1e-7)
    assert spread_of(np.array([[3.0, 0.0], [-1.0, 0.0]])) == pytest.approx(0.5 * math.sqrt(2)), "one of two components"


def test_effective_rank_counts_directions():
    basis = np.linalg.qr(RNG.normal(size=(40, 40)))[0]
    for rank in (1, 3, 10):
        signs = np.concatenate([np.eye(rank), -np.eye(rank)])
        assert effective_rank(signs @ basis[:rank] + 7) == pytest.approx(rank)
    assert effective_rank(np.ones((5, 3))) == 0.0


def test_shared_words_of_neighbours():
    features = np.array([[1, 0], [1, 0.01], [0, 1], [0.01, 1]])
    sentences = [frozenset({1, 2}), frozenset({1, 2}), frozenset({3}), frozenset({3})]
    # Each has one twin among three others: by chance 1/3. The nearest 3 of 4 clips are all the others: 1.
    assert shared_words(features, sentences) == pytest.approx(1.0)
    many = np.repeat(np.eye(4), 6, axis=0) + RNG.normal(scale=0.01, size=(24, 4))
    told = [frozenset({k // 6}) for k in range(24)]
    assert shared_words(many, told) == pytest.approx(23 / 5), "5 of 23 others say the same"
    shuffled = [told[k] for k in RNG.permutation(24)]
    assert shared_words(many, shuffled) < 2
    assert math.isnan(shared_words(features, [frozenset({k}) for k in range(4)]))


def test_retrieval_counts_those_that_are_beaten_and_half_of_the_ties():
    video = np.eye(3)
    assert retrieval(np.eye(3), video) == 1.0
    assert retrieval(np.zeros((3, 3)), video) == 0.5
    assert retrieval(-np.eye(3), video) == 0.0
    assert retrieval(np.array([[2.0, 3, 1], [0, 1, 0], [1, 0, 0]]), video) == pytest.approx((0.5 + 1 + 0.25) / 3)


def test_a_clip_alone_is_not_looked_at():
    assert watched(Patterns(1), None, VOCABULARY, count=9, length=3) is None
    assert watched(Patterns(4), None, VOCABULARY, count=1, length=3) is None
    at = watched(Patterns(2), Patterns(1), VOCABULARY, count=9, length=3)
    assert len(at.seen.frames) == 2
    assert at.unseen is None


def test_alarms():
    well = Health(spread=0.9, rank=20, neighbours=2, seen=0.8, unseen=0.75)
    assert well.alarms() == []
    assert "collapsed: spread 0.010" in well._replace(spread=0.01).alarms()[0]
    assert "collapsed" in well._replace(rank=1.0).alarms()[0]
    assert "learned by heart" in well._replace(unseen=0.5).alarms()[0]
    assert well._replace(unseen=math.nan).alarms() == []
    assert Health(*[math.nan] * 5).alarms() == ["embeddings are not finite"]
