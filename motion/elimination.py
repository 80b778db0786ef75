"""Cholesky factorisation of block-banded normal equations with a dense border, frame by frame.

A frame's rows take what the two frames before it leave (left-looking): symmetric products, one dense Cholesky factor
and triangular solves, all in place on matrices of one frame, which stay in the cache. LAPACK's banded routines need
three times as long, as they work on narrow strips, and solve for the border column by column. Golub and Van Loan 2013,
"Matrix Computations", sections 4.2.6 and 4.5.

Rows are written some frames at a time, and factors over them: nothing else is kept of the equations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, blas, lapack

JITTER = 1e-9
"""Added to the diagonal, so that unknowns that nothing depends on stay where they are."""

COUPLED = 2
"""Frames after a frame that it couples with."""


class Memory:
    """Arrays that one linearisation leaves for the next: fresh pages cost as much time as what is written to them."""

    def __init__(self) -> None:
        """Nothing kept yet."""
        self._kept: dict[str, np.ndarray] = {}

    def array(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Array of a name and shape, with whatever was left in it; it may be the start of a larger one."""
        size = int(np.prod(shape))
        kept = self._kept.get(name)
        if kept is None or kept.size < size:
            kept = self._kept[name] = np.empty(size)
        return kept[:size].reshape(shape)


@runtime_checkable
class Rows(Protocol):
    """Normal equations that are written some frames at a time."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames T, unknowns V of a frame, unknowns S that all frames share."""

    def write(
        self, own: Float[np.ndarray, "T V V"], over: Float[np.ndarray, "T 2 V V"], beside: Float[np.ndarray, "T V S1"]
    ) -> Iterator[tuple[slice, Float[np.ndarray, "S1 S1"]]]:
        """Write all rows, some frames after the others.

        Args:
            own: takes each frame's own block; the upper triangle is enough.
            over: `over[t, k - 1]` takes what couples frame t (rows) with frame t + k (columns), 0 beyond the clip.
            beside: takes the coupling with what all frames share, and the gradient as last column.

        Yields:
            Frames whose rows have been written, from the first to the last, and what they add to the matrix of what all
            frames share, with its gradient as last row and column.
        """


class Factor(NamedTuple):
    """What elimination leaves behind."""

    own: Float[np.ndarray, "T V V"]
    """Transposed Cholesky factor L of each frame's pivot; what is below its diagonal means nothing."""
    over: Float[np.ndarray, "T 2 V V"]
    """Inverse of L times what then couples a frame with the two after it."""
    beside: Float[np.ndarray, "T V S1"]
    """The same for what all frames share, and for the gradient."""
    rest: Float[np.ndarray, "S1 S1"]
    """What is left: of what all frames share, and its gradient as last row."""


class DenseRows(NamedTuple):
    """Rows that are there as a whole."""

    blocks: Float[np.ndarray, "3 T V V"]
    """`blocks[k, t]` couples frame t + k (rows) with frame t (columns); the last k entries are unused."""
    border: Float[np.ndarray, "T V S"]
    inner: Float[np.ndarray, "S S"]
    g: Float[np.ndarray, "T V"]
    """Gradient with respect to the frames."""
    h: Float[np.ndarray, "S"]
    """Gradient with respect to what all frames share."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, unknowns of a frame, shared unknowns."""
        return (*self.g.shape, len(self.h))

    def write(self, own: np.ndarray, over: np.ndarray, beside: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Copy all rows."""
        own[:] = self.blocks[0]
        for k in range(1, COUPLED + 1):
            over[:, k - 1] = self.blocks[k].swapaxes(-1, -2)
            over[max(len(self.g) - k, 0) :, k - 1] = 0.0
        beside[..., :-1], beside[..., -1] = self.border, self.g
        yield slice(0, len(self.g)), np.block([[self.inner, self.h[:, None]], [self.h, 0.0]])


def eliminate(rows: Rows, damping: float, memory: Memory | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Solve [H B; B' C] [dx; ds] = -[g; h] with the diagonal times `1 + damping`: see `factorise`.

    Returns:
        Steps of the frames (T, V) and of what they share (S,).

    Raises:
        LinAlgError: the damped matrix is not positive definite, or the step is not finite.
    """
    return _back(factorise(rows, damping, memory))


def factorise(rows: Rows, damping: float, memory: Memory | None = None) -> Factor:
    """Factorise [H B; B' C], its diagonal times `1 + damping`, with the gradient beside.

    Args:
        rows: the equations.
        damping: Marquardt's.
        memory: holds the factor, which the next one with the same memory overwrites.

    Raises:
        LinAlgError: the damped matrix is not positive definite.
    """
    frames, size, shared = rows.shape
    memory = memory or Memory()
    own = memory.array("own", (frames, size, size))
    over = memory.array("over", (frames, COUPLED, size, size))
    beside = memory.array("beside", (frames, size, shared + 1))
    corner = np.zeros((shared + 1, shared + 1))
    for here, more in rows.write(own, over, beside):
        corner += more
        diagonal = own[here].reshape(-1, size * size)[:, :: size + 1]
        diagonal *= 1 + damping
        diagonal += JITTER
        for t in range(here.start, here.stop):
            if _eliminate_frame(t, own, over, beside):
                raise LinAlgError(f"the normal equations are not positive definite at frame {t}")
    diagonal = corner.reshape(-1)[: -1 : shared + 2]
    diagonal *= 1 + damping
    diagonal += JITTER
    flat = beside.reshape(-1, shared + 1)
    return Factor(own, over, beside, corner - flat.T @ flat)


def _eliminate_frame(t: int, own: np.ndarray, over: np.ndarray, beside: np.ndarray) -> int:
    """Take the two frames before from a frame's rows, and factorise; not 0 where that fails.

    Transposes of C-ordered matrices are what LAPACK works on in place.
    """
    D, near, far, B = own[t].T, over[t, 0].T, over[t, 1].T, beside[t].T
    if t > 0:
        before, beyond = over[t - 1, 0].T, over[t - 1, 1].T
        blas.dsyrk(-1.0, before, beta=1.0, c=D, lower=1, overwrite_c=1)
        blas.dgemm(-1.0, beyond, before, beta=1.0, c=near, trans_b=1, overwrite_c=1)
        blas.dgemm(-1.0, beside[t - 1].T, before, beta=1.0, c=B, trans_b=1, overwrite_c=1)
    if t > 1:
        before = over[t - 2, 1].T
        blas.dsyrk(-1.0, before, beta=1.0, c=D, lower=1, overwrite_c=1)
        blas.dgemm(-1.0, beside[t - 2].T, before, beta=1.0, c=B, trans_b=1, overwrite_c=1)
    failed: int = lapack.dpotrf(D, lower=1, clean=0, overwrite_a=1)[1]
    for right in () if failed else (near, far, B):
        blas.dtrsm(1.0, D, right, side=1, lower=1, trans_a=1, overwrite_b=1)
    return failed


def _back(factor: Factor) -> tuple[np.ndarray, np.ndarray]:
    """Solve for what is shared, then for the frames from the last to the first."""
    frames, size, _ = factor.own.shape
    ds = np.zeros(len(factor.rest) - 1)
    if len(ds):
        lower, failed = lapack.dpotrf(factor.rest[:-1, :-1], lower=1)
        if failed or not np.isfinite(lower).all():
            raise LinAlgError("the normal equations of what all frames share are not positive definite")
        ds = lapack.dpotrs(lower, -factor.rest[-1, :-1], lower=1)[0].reshape(-1)
    right = factor.beside @ np.append(-ds, -1.0)
    dx = np.zeros((frames + COUPLED, size))
    for t in range(frames - 1, -1, -1):
        near, far = factor.over[t]
        dx[t] = blas.dtrsv(factor.own[t].T, right[t] - near @ dx[t + 1] - far @ dx[t + 2], lower=1, trans=1)
    if not (np.isfinite(dx).all() and np.isfinite(ds).all()):
        raise LinAlgError("the step is not finite")
    return dx[:frames], ds
