"""Convex quadratic programme over a clip, part of whose unknowns must not be negative; linear in the frames."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import cho_solve_banded, cholesky_banded


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
    step two solves with one banded Cholesky factor. Unknowns should be scaled to order one.

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
    band = _banded(H, coupling)
    x, z = np.where(mask, 1.0, 0.0), np.where(mask, scale, 0.0)
    count = max(1, int(mask.sum()))
    for _ in range(iterations):
        gradient = _product(H, coupling, x) + g - z
        gap = float((x * z).sum()) / count
        if np.abs(gradient).max() < tolerance * scale and gap < tolerance * scale:
            return np.where(mask, np.maximum(x, 0), x)
        ratio = np.where(mask, z / np.where(mask, x, 1), 0.0)
        matrix = band.copy()
        matrix[-1] += ratio.ravel()
        factor = _factor(matrix)
        predictor = _solve(factor, -gradient - z)
        dz = np.where(mask, -z - ratio * predictor, 0.0)
        length = min(_longest(x, predictor, mask), _longest(z, dz, mask))
        after = float(((x + length * predictor) * (z + length * dz))[mask].sum()) / count if mask.any() else 0.0
        target = gap * (after / gap) ** 3 if gap > 0 else 0.0
        push = np.where(mask, (target - predictor * dz) / np.where(mask, x, 1), 0.0)
        dx = _solve(factor, -gradient - z + push)
        dz = np.where(mask, push - z - ratio * dx, 0.0)
        length = 0.995 * min(_longest(x, dx, mask), _longest(z, dz, mask)) if mask.any() else 1.0
        x, z = x + length * dx, z + length * dz
    raise QuadraticProgrammeError(
        f"no solution within {iterations} steps (gap {gap:.1e}, gradient {np.abs(gradient).max():.1e}) for {frames}"
        f" frames of {size} unknowns; the Hessian must be positive definite"
    )


def _banded(H: np.ndarray, coupling: np.ndarray) -> np.ndarray:
    """Upper banded storage of the block tridiagonal matrix, as LAPACK's `pbsv` wants it."""
    frames, size, _ = H.shape
    coupled = bool(np.any(coupling))
    width = 2 * size - 1 if coupled else size - 1
    band = np.zeros((width + 1, frames * size))
    columns = np.arange(frames) * size
    for j in range(size):
        for i in range(j + 1):
            band[width + i - j, columns + j] = H[:, i, j]
        for i in range(size if coupled else 0):
            band[width + i - j - size, columns[1:] + j] = coupling[:, i, j]
    return band


def _product(H: np.ndarray, coupling: np.ndarray, x: np.ndarray) -> np.ndarray:
    total = np.einsum("tij,tj->ti", H, x)
    total[:-1] += np.einsum("tij,tj->ti", coupling, x[1:])
    total[1:] += np.einsum("tij,ti->tj", coupling, x[:-1])
    return total


def _factor(matrix: np.ndarray) -> np.ndarray:
    try:
        factor: np.ndarray = cholesky_banded(matrix, overwrite_ab=True, check_finite=False)
    except np.linalg.LinAlgError as error:
        raise QuadraticProgrammeError(f"the Hessian is not positive definite: {error}") from error
    return factor


def _solve(factor: np.ndarray, right: np.ndarray) -> np.ndarray:
    solution: np.ndarray = cho_solve_banded((factor, False), right.ravel(), check_finite=False)
    return solution.reshape(right.shape)


def _longest(x: np.ndarray, dx: np.ndarray, mask: np.ndarray) -> float:
    """Longest step in (0, 1] that keeps the bounded unknowns positive."""
    falling = mask & (dx < 0)
    return min(1.0, float((-x[falling] / dx[falling]).min())) if falling.any() else 1.0
