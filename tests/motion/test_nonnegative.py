from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from motion.nonnegative import QuadraticProgrammeError, solve_nonnegative


def coupled_problem(seed, frames, size):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((frames, size + 1, size))
    H = A.swapaxes(1, 2) @ A + 0.1 * np.eye(size)
    tie = 0.5 * np.eye(size)
    H[1:] += tie
    H[:-1] += tie
    return H, np.repeat(-tie[None], frames - 1, axis=0), rng.standard_normal((frames, size))


def dense(H, coupling):
    frames, size, _ = H.shape
    matrix = np.zeros((frames, size, frames, size))
    for t in range(frames):
        matrix[t, :, t] = H[t]
    for t in range(frames - 1):
        matrix[t, :, t + 1] = coupling[t]
        matrix[t + 1, :, t] = coupling[t].T
    return matrix.reshape(frames * size, frames * size)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), frames=st.integers(1, 5), size=st.integers(1, 6), bits=st.integers(0, 63))
def test_solution_satisfies_the_optimality_conditions(seed, frames, size, bits):
    H, coupling, g = coupled_problem(seed, frames, size)
    bounded = np.array([bool(bits >> i & 1) for i in range(size)])
    x = solve_nonnegative(H, coupling, g, bounded)
    gradient = (dense(H, coupling) @ x.ravel()).reshape(x.shape) + g
    assert (x[:, bounded] >= 0).all()
    np.testing.assert_allclose(gradient[:, ~bounded], 0, atol=1e-6)
    assert (gradient[:, bounded] > -1e-6).all()
    np.testing.assert_allclose((gradient * x)[:, bounded], 0, atol=1e-6)


def test_agrees_with_nonnegative_least_squares():
    rng = np.random.default_rng(1)
    A, b = rng.standard_normal((12, 7)), rng.standard_normal(12)
    expected, _ = nnls(A, b)
    x = solve_nonnegative((A.T @ A)[None], np.zeros((0, 7, 7)), -(A.T @ b)[None], np.ones(7, bool))
    assert (expected == 0).any()
    np.testing.assert_allclose(x[0], expected, atol=1e-6)


def test_columns_that_move_nothing_are_no_trouble():
    H = np.diag([1.0, 1e-9])[None]
    x = solve_nonnegative(H, np.zeros((0, 2, 2)), np.array([[-3.0, 0.0]]), np.ones(2, bool))
    np.testing.assert_allclose(x[0, 0], 3, atol=1e-6)
    assert np.isfinite(x).all()


def test_an_indefinite_problem_is_refused():
    with pytest.raises(QuadraticProgrammeError, match="positive definite"):
        solve_nonnegative(-np.eye(2)[None], np.zeros((0, 2, 2)), np.ones((1, 2)), np.zeros(2, bool))
