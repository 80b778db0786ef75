"""Marginal covariances from factorised normal equations, in time linear in the frames.

The inverse of a block-banded matrix is full, but what a frame needs of it is found from the last frame to the first:
each frame's block follows from those of the two frames after it and of what all frames share. Takahashi, Fagan and Chen
1973, "Formation of a sparse bus impedance matrix and its application to short circuit study"; for two frames without a
border it is the smoother of Rauch and others 1965.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, blas, cho_factor, cho_solve

from motion.elimination import Factor


class Marginals(NamedTuple):
    """Blocks of the inverse of the normal equations' matrix."""

    frames: Float[np.ndarray, "T V V"]
    """Covariance of each frame."""
    across: Float[np.ndarray, "T V S"]
    """Covariance of each frame with what all frames share."""
    shared: Float[np.ndarray, "S S"]
    """Covariance of what all frames share."""


def marginals(factor: Factor) -> Marginals:
    """Invert block by block, from the last frame to the first.

    Raises:
        LinAlgError: the covariance is not finite.
    """
    frames, size, _ = factor.own.shape
    shared = len(factor.rest) - 1
    # Covariance of the next frame, the one after it, and what is shared.
    front = np.zeros((2 * size + shared, 2 * size + shared))
    front[2 * size :, 2 * size :] = _inverse(factor.rest[:-1, :-1])
    own = np.empty((frames, size, size))
    across = np.empty((frames, size, shared))
    for t in range(frames - 1, -1, -1):
        L = factor.own[t].T
        known = blas.dtrsm(1.0, L, _after(factor, t), lower=1, trans_a=1)
        beside = known @ front
        inverse = blas.dtrsm(1.0, L, np.eye(size), lower=1)
        covariance = inverse.T @ inverse + beside @ known.T
        # Rounding that is not symmetric would grow from frame to frame.
        own[t] = 0.5 * (covariance + covariance.T)
        front[size : 2 * size, size : 2 * size] = front[:size, :size]
        front[size : 2 * size, 2 * size :] = front[:size, 2 * size :]
        front[2 * size :, size : 2 * size] = front[2 * size :, :size]
        kept = np.r_[0:size, 2 * size : len(front)]
        front[:size, :size] = own[t]
        front[:size, size:] = -beside[:, kept]
        front[size:, :size] = -beside[:, kept].T
        across[t] = front[:size, 2 * size :]
    if not (np.isfinite(own).all() and np.isfinite(across).all()):
        raise LinAlgError("the covariance is not finite")
    return Marginals(own, across, front[2 * size :, 2 * size :])


def solve_columns(
    factor: Factor, right: Float[np.ndarray, "T V K"], right_shared: Float[np.ndarray, "S K"]
) -> tuple[Float[np.ndarray, "T V K"], Float[np.ndarray, "S K"]]:
    """The inverse of the factorised matrix times K columns."""
    frames, size, count = right.shape
    shared = len(factor.rest) - 1
    solved = np.zeros((frames + 2, size, count))
    for t in range(frames):
        left = right[t].copy()
        for k in (1, 2):
            if t >= k:
                left -= factor.over[t - k, k - 1].T @ solved[t - k]
        solved[t] = blas.dtrsm(1.0, factor.own[t].T, left, lower=1)
    beside = factor.beside[..., :shared]
    known = _inverse(factor.rest[:-1, :-1]) @ (right_shared - np.tensordot(beside, solved[:frames], ([0, 1], [0, 1])))
    for t in range(frames - 1, -1, -1):
        after = np.concatenate([solved[t + 1], solved[t + 2], known])
        solved[t] = blas.dtrsm(1.0, factor.own[t].T, solved[t] - _after(factor, t) @ after, lower=1, trans_a=1)
    return solved[:frames], known


def _after(factor: Factor, t: int) -> Float[np.ndarray, "V R"]:
    """Factor's rows of a frame: columns of the next frame, of the one after it, and of what is shared."""
    return np.concatenate([*factor.over[t], factor.beside[t, :, :-1]], axis=1)


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverse of a symmetric positive definite matrix."""
    if not len(matrix):
        return np.zeros((0, 0))
    inverse: np.ndarray = cho_solve(cho_factor(matrix, lower=True), np.eye(len(matrix)))
    return inverse
