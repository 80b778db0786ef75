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
    frames, size, _ = factor.lower.shape
    border = slice(2 * size, 2 * size + len(factor.rest) - 1)
    # Covariance of the two frames in the slots and of what is shared.
    front = np.zeros((border.stop, border.stop))
    front[border, border] = _inverse(factor.rest[:-1, :-1])
    own = np.empty((frames, size, size))
    across = np.empty((frames, size, border.stop - border.start))
    for t in range(frames - 1, -1, -1):
        here = slice((t % 2) * size, (t % 2 + 1) * size)
        L = factor.lower[t].T
        known = blas.dtrsm(1.0, L, factor.panels[t][:, : border.stop], lower=1, trans_a=1)
        beside = known @ front
        inverse = blas.dtrsm(1.0, L, np.eye(size), lower=1)
        covariance = inverse.T @ inverse + beside @ known.T
        # Rounding that is not symmetric would grow from frame to frame.
        own[t] = 0.5 * (covariance + covariance.T)
        front[here] = -beside
        front[:, here] = -beside.T
        front[here, here] = own[t]
        across[t] = front[here, border]
    if not (np.isfinite(own).all() and np.isfinite(across).all()):
        raise LinAlgError("the covariance is not finite")
    return Marginals(own, across, front[border, border])


def solve_columns(
    factor: Factor, right: Float[np.ndarray, "T V K"], right_shared: Float[np.ndarray, "S K"]
) -> tuple[Float[np.ndarray, "T V K"], Float[np.ndarray, "S K"]]:
    """The inverse of the factorised matrix times K columns."""
    frames, size, count = right.shape
    shared = len(factor.rest) - 1
    left = np.concatenate([np.zeros((2 * size, count)), right_shared])
    solved = np.empty_like(right)
    for t in range(frames):
        here = slice((t % 2) * size, (t % 2 + 1) * size)
        solved[t] = blas.dtrsm(1.0, factor.lower[t].T, right[t] + left[here], lower=1)
        left[here] = 0.0
        left -= factor.panels[t][:, : 2 * size + shared].T @ solved[t]
    known = np.zeros_like(left)
    known[2 * size :] = _inverse(factor.rest[:-1, :-1]) @ left[2 * size :]
    for t in range(frames - 1, -1, -1):
        here = slice((t % 2) * size, (t % 2 + 1) * size)
        rest = solved[t] - factor.panels[t][:, : 2 * size + shared] @ known
        solved[t] = blas.dtrsm(1.0, factor.lower[t].T, rest, lower=1, trans_a=1)
        known[here] = solved[t]
    return solved, known[2 * size :]


def _inverse(lower_triangle: np.ndarray) -> np.ndarray:
    """Inverse of a symmetric matrix of which the lower triangle is given."""
    if not len(lower_triangle):
        return np.zeros((0, 0))
    inverse: np.ndarray = cho_solve(cho_factor(lower_triangle, lower=True), np.eye(len(lower_triangle)))
    return inverse
