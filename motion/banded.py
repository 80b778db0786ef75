"""Block-banded normal equations with a dense border, by LAPACK's banded Cholesky factorisation.

For frames of few unknowns, such as an arm's joints, one call of LAPACK takes a quarter of the time of
`motion.elimination`, which works frame by frame and pays with the tens of unknowns of a person. Golub and Van Loan
2013, "Matrix Computations", section 4.3.5.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, lapack

from motion.elimination import JITTER
from motion.problem import NormalEquations


def solve_banded(equations: NormalEquations, damping: float) -> tuple[Float[np.ndarray, "T V"], Float[np.ndarray, "S"]]:
    """Solve with Marquardt's damping, as `NormalEquations.solve`.

    Args:
        equations: of T frames with V unknowns each, and of S unknowns that all frames share.
        damping: the diagonal is multiplied by `1 + damping`.

    Returns:
        Steps of the frames and of what they share.

    Raises:
        LinAlgError: the damped matrix is not positive definite, or the step is not finite.
    """
    frames, size = equations.g.shape
    kept, places = _places(len(equations.blocks), frames, size)
    columns = np.zeros((frames * size, len(equations.blocks) * size))
    columns.reshape(-1)[places] = equations.blocks.reshape(-1)[kept]
    columns[:, 0] *= 1 + damping
    columns[:, 0] += JITTER
    right = np.concatenate([equations.border, equations.g[..., None]], axis=-1).reshape(frames * size, -1)
    _, solved, failed = lapack.dpbsv(columns.T, right, lower=1, overwrite_ab=1)
    if failed:
        raise LinAlgError("the normal equations of the frames are not positive definite")
    rest = np.column_stack([equations.corner, equations.h]) - right[:, :-1].T @ solved
    shared = len(equations.h)
    diagonal = np.arange(shared)
    rest[diagonal, diagonal] += damping * equations.corner[diagonal, diagonal] + JITTER
    ds = np.zeros(shared)
    if shared:
        _, step, failed = lapack.dposv(rest[:, :-1], -rest[:, -1], lower=1)
        if failed:
            raise LinAlgError("the normal equations of what all frames share are not positive definite")
        ds = step.reshape(-1)
    dx = -(solved @ np.append(ds, 1.0)).reshape(frames, size)
    if not (np.isfinite(dx).all() and np.isfinite(ds).all()):
        raise LinAlgError("the step is not finite")
    return dx, ds


@lru_cache(maxsize=64)
def _places(couplings: int, frames: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Which entries of `NormalEquations.blocks` lie on or below the diagonal, and where in LAPACK's lower band.

    The band holds entry (i, j) of the matrix at i - j of column j, column by column. Both as flat indices.
    """
    k, t, row, column = np.indices((couplings, frames, size, size))
    below = k * size + row - column
    kept = (below >= 0) & (t + k < frames)
    places = (t * size + column) * (couplings * size) + below
    return np.flatnonzero(kept), places[kept]
