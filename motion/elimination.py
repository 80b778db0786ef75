"""Cholesky factorisation of block-banded normal equations with a dense border, frame by frame.

Each frame is eliminated from a front that holds the two frames after it, the border and the gradient: one dense
Cholesky factor, one triangular solve and one symmetric update a frame, all on matrices that stay in the cache. LAPACK's
banded routines need three times as long, as they work on narrow strips, and solve for the border column by column.
Duff and Reid 1983, "The multifrontal solution of indefinite sparse symmetric linear equations".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, blas, lapack

JITTER = 1e-9
"""Added to the diagonal, so that unknowns that nothing depends on stay where they are."""


class Memory:
    """Arrays that one linearisation leaves for the next: fresh pages cost as much time as what is written to them."""

    def __init__(self) -> None:
        """Nothing kept yet."""
        self._kept: dict[str, np.ndarray] = {}

    def array(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Array of a name and shape, with whatever was left in it."""
        kept = self._kept.get(name)
        if kept is None or kept.shape != shape:
            kept = self._kept[name] = np.empty(shape)
        return kept


class Factor(NamedTuple):
    """What elimination leaves behind."""

    lower: Float[np.ndarray, "T V V"]
    """Transposed Cholesky factor L of each frame's pivot; what is below its diagonal means nothing."""
    panels: Float[np.ndarray, "T V R"]
    """Transposed rows below each pivot, times the inverse transpose of L: two slots of frames that take turns (frame t
    lies in slot t % 2), the border, the gradient."""
    rest: Float[np.ndarray, "S1 S1"]
    """Lower triangle of what is left: of what all frames share, and its gradient below."""


def eliminate(
    blocks: Float[np.ndarray, "3 T V V"],
    border: Float[np.ndarray, "T V S"],
    corner: Float[np.ndarray, "S S"],
    g: Float[np.ndarray, "T V"],
    h: Float[np.ndarray, "S"],
    damping: float,
    memory: Memory | None = None,
) -> tuple[Float[np.ndarray, "T V"], Float[np.ndarray, "S"]]:
    """Solve [H B; B' C] [dx; ds] = -[g; h] with the diagonal times `1 + damping`: see `factorise`.

    Raises:
        LinAlgError: the damped matrix is not positive definite, or the step is not finite.
    """
    return _back(*factorise(blocks, border, corner, g, h, damping, memory))


def factorise(
    blocks: Float[np.ndarray, "3 T V V"],
    border: Float[np.ndarray, "T V S"],
    corner: Float[np.ndarray, "S S"],
    g: Float[np.ndarray, "T V"],
    h: Float[np.ndarray, "S"],
    damping: float,
    memory: Memory | None = None,
) -> Factor:
    """Factorise [H B; B' C], its diagonal times `1 + damping`, with the gradient below.

    Args:
        blocks: `blocks[k, t]` couples frame t + k (rows) with frame t (columns); the last k entries are unused.
        border: B.
        corner: C.
        g: gradient with respect to the frames.
        h: gradient with respect to what all frames share.
        damping: Marquardt's.
        memory: holds the factor, which the next one with the same memory overwrites.

    Raises:
        LinAlgError: the damped matrix is not positive definite.
    """
    frames, size = g.shape
    shared = len(h)
    rows = 2 * size + shared + 1
    beside = np.concatenate([border, g[..., None]], axis=-1)
    diagonal = damping * np.einsum("tvv->tv", blocks[0]) + JITTER
    # The front holds this frame and the next in two slots that take turns, then the border, then the gradient. Only
    # its lower triangle is kept. Transposes of C-ordered arrays are what LAPACK works on in place.
    front = np.zeros((rows, rows), order="F")
    front[2 * size : -1, 2 * size : -1] = corner + np.diag(damping * np.diag(corner) + JITTER)
    front[-1, 2 * size : -1] = h
    memory = memory or Memory()
    factors = memory.array("factors", (frames, size, size))
    panels = memory.array("panels", (frames, size, rows))
    for t in range(frames):
        here, there = (slice(0, size), slice(size, 2 * size))[:: 1 if t % 2 == 0 else -1]
        D, R = factors[t].T, panels[t].T
        np.add(front[here, here].T, blocks[0, t], out=factors[t])
        factors[t].reshape(-1)[:: size + 1] += diagonal[t]
        R[here] = blocks[2, t] if t + 2 < frames else 0.0
        crossing = front[there, here] if t % 2 == 0 else front[here, there].T
        np.add(crossing, blocks[1, t] if t + 1 < frames else 0.0, out=R[there])
        np.add(front[2 * size :, here], beside[t].T, out=R[2 * size :])
        front[here, :] = 0.0
        front[:, here] = 0.0
        _, failed = lapack.dpotrf(D, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise LinAlgError(f"the normal equations are not positive definite at frame {t}")
        blas.dtrsm(1.0, D, R, side=1, lower=1, trans_a=1, overwrite_b=1)
        blas.dsyrk(-1.0, R, beta=1.0, c=front, lower=1, overwrite_c=1)
    return Factor(factors, panels, front[2 * size :, 2 * size :])


def _back(factors: np.ndarray, panels: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve for what is shared, then for the frames from the last to the first."""
    frames, size, _ = factors.shape
    lower, failed = lapack.dpotrf(rest[:-1, :-1], lower=1)
    if failed or not np.isfinite(lower).all():
        raise LinAlgError("the normal equations of what all frames share are not positive definite")
    ds = lapack.dpotrs(lower, -rest[-1, :-1], lower=1)[0].reshape(-1)
    # What a panel is multiplied with: the two frames in the slots, what is shared, and 1 for the gradient.
    known = np.concatenate([np.zeros(2 * size), ds, [1.0]])
    dx = np.empty((frames, size))
    for t in range(frames - 1, -1, -1):
        dx[t] = blas.dtrsv(factors[t].T, -(panels[t] @ known), lower=1, trans=1)
        known[(t % 2) * size : (t % 2 + 1) * size] = dx[t]
    if not (np.isfinite(dx).all() and np.isfinite(ds).all()):
        raise LinAlgError("the step is not finite")
    return dx, ds
