from __future__ import annotations

import time

import numpy as np
import pytest

from motion.elimination import DenseRows, factorise
from motion.marginals import marginals, solve_columns


def banded(frames, size, shared, seed=0):
    """Normal equations of three-frame windows, in blocks and as one dense matrix."""
    rng = np.random.default_rng(seed)
    whole = np.eye(frames * size + shared)
    for t in range(max(frames - 2, 1)):
        rows = rng.standard_normal((3 * size, len(whole)))
        rows[:, : t * size] = rows[:, (t + 3) * size : frames * size] = 0
        whole += rows.T @ rows
    blocks = np.zeros((3, frames, size, size))
    for k in range(min(3, frames)):
        for t in range(frames - k):
            blocks[k, t] = whole[(t + k) * size : (t + k + 1) * size, t * size : (t + 1) * size]
    inner = frames * size
    factor = factorise(
        DenseRows(
            blocks,
            whole[:inner, inner:].reshape(frames, size, shared),
            whole[inner:, inner:],
            np.zeros((frames, size)),
            np.zeros(shared),
        ),
        0.0,
    )
    return factor, whole


@pytest.mark.parametrize(("frames", "shared"), [(1, 3), (2, 3), (3, 0), (7, 3), (8, 2)])
def test_selected_blocks_are_those_of_the_dense_inverse(frames, shared):
    size = 4
    factor, whole = banded(frames, size, shared)
    dense = np.linalg.inv(whole)
    inner = frames * size
    found = marginals(factor)
    for t in range(frames):
        own = slice(t * size, (t + 1) * size)
        np.testing.assert_allclose(found.frames[t], dense[own, own], atol=1e-8)
        np.testing.assert_allclose(found.across[t], dense[own, inner:], atol=1e-8)
    np.testing.assert_allclose(found.shared, dense[inner:, inner:], atol=1e-8)


@pytest.mark.parametrize(("frames", "shared"), [(1, 3), (2, 3), (3, 0), (8, 2)])
def test_columns_are_those_of_the_dense_solution(frames, shared):
    factor, whole = banded(frames, 4, shared)
    right = np.random.default_rng(1).standard_normal((len(whole), 5))
    x, s = solve_columns(factor, right[: 4 * frames].reshape(frames, 4, 5), right[4 * frames :])
    np.testing.assert_allclose(
        np.concatenate([x.reshape(-1, 5), s]), np.linalg.solve(whole, right), rtol=1e-6, atol=1e-8
    )


def test_a_constant_measured_by_all_frames_is_known_as_well_as_the_mean():
    """Each x_t is s and noise, and measured with noise: s has variance 2 / T, and x_t that of its fusion with s."""
    frames = 50
    blocks = np.zeros((3, frames, 1, 1))
    blocks[0] = 2.0  # x_t - s with variance 1, and x_t itself measured with variance 1
    factor = factorise(
        DenseRows(
            blocks,
            -np.ones((frames, 1, 1)),
            np.array([[float(frames)]]),
            np.zeros((frames, 1)),
            np.zeros(1),
        ),
        0.0,
    )
    found = marginals(factor)
    assert found.shared[0, 0] == pytest.approx(2 / frames, rel=1e-6)
    np.testing.assert_allclose(found.frames[:, 0, 0], 0.5 + 0.25 * 2 / frames, rtol=1e-6)


def test_intervals_cover_what_they_say():
    """Smooth curves with a shared offset are drawn, observed with noise, and found: 68 % intervals hold 68 %."""
    frames, seen, runs = 60, 0.5, 100
    rng = np.random.default_rng(3)
    bend = np.diff(np.eye(frames), n=2, axis=0) / 0.1
    prior = bend.T @ bend + np.eye(frames)
    precision = prior + np.eye(frames) / seen**2
    blocks = np.zeros((3, frames, 1, 1))
    for k in range(3):
        blocks[k, : frames - k, 0, 0] = np.diag(precision, -k)
    border = np.full((frames, 1, 1), 1 / seen**2)
    corner = np.array([[1.0 + frames / seen**2]])
    factor = factorise(DenseRows(blocks, border, corner, np.zeros((frames, 1)), np.zeros(1)), 0.0)
    sigma = np.sqrt(marginals(factor).frames[:, 0, 0])
    curves = np.linalg.solve(np.linalg.cholesky(prior).T, rng.standard_normal((frames, runs)))
    observed = curves + rng.standard_normal(runs) + seen * rng.standard_normal((frames, runs))
    x, _ = solve_columns(factor, observed[:, None] / seen**2, observed.sum(axis=0)[None] / seen**2)
    assert 0.64 < (np.abs(x[:, 0] - curves) < sigma[:, None]).mean() < 0.73


def test_rounding_does_not_grow_over_long_smooth_clips():
    """Accelerations that are stiffer than observations by 1e4, over 150 frames."""
    frames, size = 150, 3
    rng = np.random.default_rng(2)
    mix = rng.standard_normal((size, size)) + 2 * np.eye(size)
    bend = np.zeros((frames - 2, frames))
    for t in range(frames - 2):
        bend[t, t : t + 3] = [1, -2, 1]
    whole = np.kron(1e4 * bend.T @ bend, mix.T @ mix) + np.eye(frames * size)
    blocks = np.zeros((3, frames, size, size))
    for k in range(3):
        for t in range(frames - k):
            blocks[k, t] = whole[(t + k) * size : (t + k + 1) * size, t * size : (t + 1) * size]
    empty = np.zeros((frames, size, 0))
    factor = factorise(DenseRows(blocks, empty, np.zeros((0, 0)), np.zeros((frames, size)), np.zeros(0)), 0.0)
    expected = np.diag(np.linalg.inv(whole)).reshape(frames, size)
    np.testing.assert_allclose(np.einsum("tii->ti", marginals(factor).frames), expected, rtol=1e-6)


def test_time_is_linear_in_the_number_of_frames():
    def seconds(frames):
        rng = np.random.default_rng(0)
        blocks = np.zeros((3, frames, 30, 30))
        blocks[0] = 200 * np.eye(30)
        blocks[1:] = rng.standard_normal((2, frames, 30, 30))
        border = rng.standard_normal((frames, 30, 4))
        factor = factorise(DenseRows(blocks, border, 1e6 * np.eye(4), np.zeros((frames, 30)), np.zeros(4)), 0.0)
        best = np.inf
        for _ in range(3):
            start = time.process_time()
            marginals(factor)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(1600) / seconds(200) < 16, "eight times as many frames"
