"""Gauss-Newton sums over all residuals, gathered where they are small: at points, at joints, and per limb.

Every residual of a point adds a 3 x 3 weight to it, and a number that couples it with the same point one or two frames
later. The derivatives of the point by the unknowns are visited once, when all residuals have added to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from motion.body import Body
from motion.chains import Limb
from motion.residuals.residual import OfPoints, OfShared, OfTurns
from motion.state import SHARED_NAMES


class PointSums:
    """Weights, couplings over time and gradients of named points."""

    def __init__(self, names: Sequence[str], frames: int, direct: Sequence[str], reach: int) -> None:
        """Nothing added yet.

        Args:
            names: of the points.
            frames: number of frames T.
            direct: shared parameters that errors depend on directly.
            reach: frames that the widest residual couples.
        """
        self.index = {name: n for n, name in enumerate(names)}
        self.direct = {name: p for p, name in enumerate(direct)}
        self.weight = np.zeros((frames, len(names), 3, 3))
        self.beside = np.zeros((frames, len(names), 3, len(direct) + 1))
        """Products of the points' derivative with that by shared parameters, and with the error."""
        self.coupling = np.zeros((reach, frames, len(names)))
        """`coupling[k, t]` between frames t and t + k, times the identity; k = 0 adds to `weight`."""

    def add(self, part: OfPoints, direct: OfShared | None, error: np.ndarray, weight: np.ndarray) -> None:
        """Add a residual with errors (N, G, D) and weights of its loss (N, G)."""
        count, window = part.by.shape[:2]
        index = _slice([self.index[name] for name in part.names])
        if part.by.ndim > 3 and window > 1:
            raise ValueError(f"windows of {window} frames take multiples of the identity, not matrices, by points")
        right = np.zeros((*error.shape, len(self.direct) + 1))
        right[..., -1] = error
        if direct is not None:
            right[..., [self.direct[name] for name in direct.names]] = direct.by
        for w in range(window):
            frames, by = slice(w, w + count), part.by[:, w]
            if by.ndim > 2:
                weighed = (weight[..., None, None] * by).swapaxes(-1, -2)
                self.weight[frames][:, index] += weighed @ by
                self.beside[frames][:, index] += weighed @ right
                continue
            weighed = weight * by
            self.beside[frames][:, index] += weighed[..., None, None] * right
            for k in range(window - w):
                self.coupling[k, frames][:, index] += weighed * part.by[:, w + k]

    def weight_of(self, points: Int[np.ndarray, "P"]) -> Float[np.ndarray, "T P 3 3"]:
        """Weight of points within their frames."""
        weight: np.ndarray = self.weight[:, points]
        for axis in range(3):
            weight[..., axis, axis] += self.coupling[0][:, points]
        return weight


class Totals:
    """Blocks, border, corner and gradient of the normal equations."""

    def __init__(self, frames: int, size: int, reach: int) -> None:
        """Zero."""
        shared = len(SHARED_NAMES)
        self.upper = np.zeros((reach, frames, size, size))
        """`upper[k, t]` couples frame t (rows) with frame t + k (columns)."""
        self.border = np.zeros((frames, size, shared))
        self.corner = np.zeros((shared, shared))
        self.g, self.h = np.zeros((frames, size)), np.zeros(shared)

    def add_rows(self, J: np.ndarray, S: np.ndarray, e: np.ndarray) -> None:
        """Add weighted rows with all columns: (N, W, R, V), (N, R, S) and (N, R)."""
        count, window, rows, size = J.shape
        for k in range(window):
            # One product for all rows that couple a frame with the k-th after it: the blocks are large, the rows few.
            left, right = (np.zeros((len(self.g), (window - k) * rows, size)) for _ in range(2))
            for i in range(window - k):
                here = slice(i * rows, (i + 1) * rows)
                left[i : i + count, here], right[i : i + count, here] = J[:, i], J[:, i + k]
            self.upper[k] += left.swapaxes(-1, -2) @ right
        transposed = J.swapaxes(-1, -2)
        for i in range(window):
            self.border[i : i + count] += transposed[:, i] @ S
            self.g[i : i + count] += (transposed[:, i] @ e[..., None])[..., 0]
        self.add_shared(S, e)

    def add_shared(self, S: np.ndarray, e: np.ndarray, columns: Sequence[int] | slice = slice(None)) -> None:
        """Add the weighted rows (N, R, P) and (N, R) of `columns` of the shared parameters to corner and gradient."""
        flat = S.reshape(-1, S.shape[-1])
        kept = np.arange(len(SHARED_NAMES))[columns]
        self.corner[np.ix_(kept, kept)] += flat.T @ flat
        self.h[kept] += flat.T @ e.reshape(-1)

    def add_turns(self, part: OfTurns, error: np.ndarray, weight: np.ndarray) -> None:
        """Add a residual of the turns of joints with errors (N, G, D) and weights of its loss (N, G)."""
        count, window = part.by.shape[:2]
        joints = _slice(part.joints)
        for w in range(window):
            frames = slice(w, w + count)
            weighed = (weight[..., None, None] * part.by[:, w]).swapaxes(-1, -2)
            self.g[frames, 3 : Body.nv].reshape(count, -1, 3)[:, joints] += (weighed @ error[..., None])[..., 0]
            for k in range(window - w):
                _joint_blocks(self.upper[k])[frames][:, joints] += weighed @ part.by[:, w + k]

    def add_limb(self, limb: Limb, sums: Mapping[tuple[str, ...], PointSums]) -> None:
        """Take what was added at the points of a limb, by root, to the columns of its chain."""
        used = [(J, sums[root]) for root, J in limb.J.items() if root in sums]
        direct = next(iter(sums.values())).direct
        frames, points, _, width = limb.J[()].shape
        left = np.concatenate([J for J, _ in used], axis=1) if len(used) > 1 else used[0][0]
        right = np.empty((*left.shape[:3], width + len(direct) + 1))
        for place, (J, added) in enumerate(used):
            here = slice(place * points, (place + 1) * points)
            np.matmul(added.weight_of(limb.points), J, out=right[:, here, :, :width])
            right[:, here, :, width:] = added.beside[:, limb.points]
        M = _transposed(left) @ right.reshape(frames, -1, right.shape[-1])
        own = limb.shared.tolist()
        self._scatter(0, M, limb, [*own, *(SHARED_NAMES.index(name) for name in direct)])
        if () not in sums:
            return
        coupling = sums[()].coupling[1:, :, limb.points]
        coupled = np.flatnonzero(coupling.any(axis=(0, 1)))
        if not len(coupled):
            return
        J = limb.J[()][:, coupled]
        rows = _transposed(J)
        for k in range(1, min(len(coupling) + 1, frames)):
            later = coupling[k - 1, : frames - k, coupled].T[..., None, None] * J[k:]
            self._scatter(k, rows[: frames - k] @ later.reshape(frames - k, -1, width), limb, own)

    def _scatter(self, k: int, M: np.ndarray, limb: Limb, shared: list[int]) -> None:
        """Add a product of rows of frames t with rows of frames t + k, columns of the chain and then shared ones."""
        count, chain, runs = len(M), len(limb.columns), limb.runs
        for rows, to_rows in runs:
            for columns, to_columns in runs:
                self.upper[k, :count, to_rows, to_columns] += M[:, rows, columns]
            self.border[:count, to_rows][..., shared] += M[:, rows, chain : chain + len(shared)]
        own, both = limb.shared.tolist(), M[:, chain:].sum(axis=0)
        if k:
            for rows, to_rows in runs:
                self.border[k : k + count, to_rows][..., own] += M[:, chain:, rows].swapaxes(-1, -2)
            among = both[:, chain:]
            self.corner[np.ix_(own, own)] += among + among.T
            return
        self.corner[np.ix_(own, own)] += both[:, chain : chain + len(own)]
        across = both[:, chain + len(own) : chain + len(shared)]
        self.corner[np.ix_(own, shared[len(own) :])] += across
        self.corner[np.ix_(shared[len(own) :], own)] += across.T
        self.h[own] += both[:, -1]
        for rows, to_rows in runs:
            self.g[:, to_rows] += M[:, rows, -1]


def _slice(index: Sequence[int]) -> slice | list[int]:
    """Indices as a slice where they are consecutive: adding to a view needs no copies."""
    first, count = index[0], len(index)
    return slice(first, first + count) if list(index) == list(range(first, first + count)) else list(index)


def _transposed(J: Float[np.ndarray, "T N 3 M"]) -> Float[np.ndarray, "T M R"]:
    """Rows of all points as columns."""
    return J.reshape(len(J), -1, J.shape[-1]).swapaxes(-1, -2)


def _joint_blocks(blocks: Float[np.ndarray, "T V V"]) -> Float[np.ndarray, "T 24 3 3"]:
    """Writable view of the diagonal 3 x 3 blocks of the joints' turns."""
    corner = blocks[:, 3 : Body.nv, 3 : Body.nv]
    frame, row, column = corner.strides
    joints = len(Body.joint_names)
    return np.lib.stride_tricks.as_strided(
        corner, (len(blocks), joints, 3, 3), (frame, 3 * (row + column), row, column)
    )
