from __future__ import annotations

import itertools

import numpy as np
import pytest

from records.forward_backward import forward_backward


@pytest.mark.parametrize("seed", range(5))
def test_the_posterior_is_that_of_all_sequences_counted_one_by_one(seed):
    rng = np.random.default_rng(seed)
    T, S = 5, 3
    evidence = rng.normal(0, 3, (T, S))
    A, start = rng.dirichlet(np.ones(S), S), rng.dirichlet(np.ones(S))
    expected = np.zeros((T, S))
    for states in itertools.product(range(S), repeat=T):
        steps = [A[a, b] for a, b in itertools.pairwise(states)]
        weight = start[states[0]] * np.prod(steps) * np.exp(evidence[range(T), states].sum())
        expected[range(T), states] += weight
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(forward_backward(evidence, A, start), expected, rtol=1e-9)
