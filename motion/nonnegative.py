"""Convex quadratic programme over a clip, part of whose unknowns must not be negative; linear in the frames."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy.lib.stride_tricks import as_strided
from scipy.linalg import blas, lapack

ROUNDING = 2 * float(np.finfo(float).eps)
"""Relative error of a sum whose terms cancel [1]."""


class QuadraticProgrammeError(ArithmeticError):
    """The interior-point iteration did not converge, or the Hessian is not positive definite."""


def solve_nonnegative(
    H: Float[np.ndarray, "T N N"],
    coupling: Float[np.ndarray, "Tm1 N N"],
    g: Float[np.ndarray, "T N"],
    bounded: Bool[np.ndarray, "N"],
    *,
    tolerance: float = 1e-9,
    iterations: int = 80,
) -> Float[np.ndarray, "T N"]:
    """Minimise 1/2 x'Hx + g'x with `x[:, bounded] >= 0`; H is block tridiagonal, positive definite.

    Primal-dual interior point with Mehrotra's predictor and corrector (Nocedal and Wright 2006, algorithm 16.4), each
    step two solves with one Cholesky factor. Unknowns should be scaled to order one.

    Args:
        H: diagonal blocks.
        coupling: blocks (t, t + 1) above the diagonal.
        g: linear term.
        bounded: which of the N unknowns of each frame must not be negative.
        tolerance: on complementarity and on the gradient, relative to the size of `g`.
        iterations: bound on the number of steps.

    Raises:
        QuadraticProgrammeError: no convergence (H not positive definite).
    """
    frames, size = g.shape
    scale = max(1.0, float(np.abs(g).max(initial=0)))
    mask = np.broadcast_to(bounded, g.shape)
    factor = _Factor(frames, size)
    x, z = np.where(mask, 1.0, 0.0), np.where(mask, scale, 0.0)
    count = max(1, int(mask.sum()))
    size_H, size_coupling = np.abs(H), np.abs(coupling)
    for _ in range(iterations):
        gradient = _product(H, coupling, x) + g - z
        gap = float((x * z).sum()) / count
        # Where large terms cancel, the gradient is no smaller than they are rounded.
        rounding = ROUNDING * float(_product(size_H, size_coupling, np.abs(x)).max(initial=0))
        if np.abs(gradient).max() < tolerance * scale + rounding and gap < tolerance * scale:
            return np.where(mask, np.maximum(x, 0), x)
        ratio = np.where(mask, z / np.where(mask, x, 1), 0.0)
        factor.of(H, coupling, ratio)
        predictor = factor.solve(-gradient - z)
        dz = np.where(mask, -z - ratio * predictor, 0.0)
        length = min(_longest(x, predictor, mask), _longest(z, dz, mask))
        after = float(((x + length * predictor) * (z + length * dz))[mask].sum()) / count if mask.any() else 0.0
        target = gap * (after / gap) ** 3 if gap > 0 else 0.0
        push = np.where(mask, (target - predictor * dz) / np.where(mask, x, 1), 0.0)
        dx = factor.solve(-gradient - z + push)
        dz = np.where(mask, push - z - ratio * dx, 0.0)
        length = 0.995 * min(_longest(x, dx, mask), _longest(z, dz, mask)) if mask.any() else 1.0
        x, z = x + length * dx, z + length * dz
    raise QuadraticProgrammeError(
        f"no solution within {iterations} steps (gap {gap:.1e}, gradient {np.abs(gradient).max():.1e}) for {frames}"
        f" frames of {size} unknowns; the Hessian must be positive definite"
    )


class _Factor:
    """Cholesky factor U'U of block tridiagonal matrices: found block by block, and kept as LAPACK's band.

    Dense routines factorise blocks in half the time of banded ones, and the band is solved with in one call.
    """

    def __init__(self, frames: int, size: int) -> None:
        """Take memory for matrices of frames with some unknowns each."""
        self._own, self._over = np.empty((frames, size, size)), np.empty((frames - 1, size, size))
        # Row 2 size - 1 + i - j of column j of the band holds entry (i, j).
        self._band = np.zeros((frames * size, 2 * size)).T
        self._upper = np.triu(np.ones((size, size), bool))
        down, right = self._band.strides
        strides = (size * right, down, right - down)
        self._band_own = as_strided(self._band[2 * size - 1 :], self._own.shape, strides)
        self._band_over = as_strided(self._band[size - 1 :, size:], self._over.shape, strides)

    def of(self, H: np.ndarray, coupling: np.ndarray, more: np.ndarray) -> None:
        """Factorise a matrix, given its blocks, with `more` (T, N) on its diagonal."""
        own, over = self._own, self._over
        own[:], over[:] = H, coupling
        np.einsum("tii->ti", own)[:] += more
        for t in range(len(own)):
            D = own[t].T
            if t:
                blas.dsyrk(-1.0, over[t - 1].T, beta=1.0, c=D, lower=1, overwrite_c=1)
            if lapack.dpotrf(D, lower=1, clean=0, overwrite_a=1)[1]:
                raise QuadraticProgrammeError(f"the Hessian is not positive definite at frame {t}")
            if t < len(over):
                blas.dtrsm(1.0, D, over[t].T, side=1, lower=1, trans_a=1, overwrite_b=1)
        np.copyto(self._band_own, own, where=self._upper)
        self._band_over[:] = over

    def solve(self, right: np.ndarray) -> np.ndarray:
        """Solve for one right side (T, N)."""
        solution: np.ndarray = lapack.dpbtrs(self._band, right.ravel(), lower=0)[0]
        return solution.reshape(right.shape)


def _product(H: np.ndarray, coupling: np.ndarray, x: np.ndarray) -> np.ndarray:
    total: np.ndarray = (H @ x[..., None])[..., 0]
    total[:-1] += (coupling @ x[1:, :, None])[..., 0]
    total[1:] += (x[:-1, None] @ coupling)[:, 0]
    return total


def _longest(x: np.ndarray, dx: np.ndarray, mask: np.ndarray) -> float:
    """Longest step in (0, 1] that keeps the bounded unknowns positive."""
    falling = mask & (dx < 0)
    return min(1.0, float((-x[falling] / dx[falling]).min())) if falling.any() else 1.0
