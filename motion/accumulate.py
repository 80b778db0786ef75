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
from motion.elimination import Memory
from motion.residuals.residual import OfPoints, OfShared, OfTurns
from motion.state import SHARED_NAMES

CHUNK = 64
"""Frames whose kinematics are visited at a time: what lies between points and blocks is some 100 kB a frame, and is to
stay in the cache."""


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

    def weight_of(self, frames: slice, points: Int[np.ndarray, "P"]) -> Float[np.ndarray, "T P 3 3"]:
        """Weight of points within their frames."""
        weight: np.ndarray = self.weight[frames, points]
        for axis in range(3):
            weight[..., axis, axis] += self.coupling[0, frames][:, points]
        return weight


class Totals:
    """Blocks, border, corner and gradient of the normal equations."""

    def __init__(self, frames: int, size: int, reach: int, memory: Memory) -> None:
        """Zero; `memory` holds the blocks."""
        shared = len(SHARED_NAMES)
        self.upper = memory.array("upper", (reach, frames, size, size))
        self.upper.fill(0.0)
        """`upper[k, t]` couples frame t (rows) with frame t + k (columns)."""
        self.border = np.zeros((frames, size, shared))
        self.corner = np.zeros((shared, shared))
        self.g, self.h = np.zeros((frames, size)), np.zeros(shared)

    def add_rows(self, J: np.ndarray, S: np.ndarray, e: np.ndarray) -> None:
        """Add weighted rows with all columns: (N, W, R, V), (N, R, S) and (N, R)."""
        count, window, rows, size = J.shape
        for first in range(0, len(self.g), CHUNK):
            frames = min(CHUNK, len(self.g) - first)
            for k in range(window):
                # One product for all rows that couple a frame with the k-th after it: blocks are large, rows few.
                left, right = (np.zeros((frames, window - k, rows, size)) for _ in range(2))
                for i in range(window - k):
                    # Frame t is the i-th of window t - i.
                    low, high = max(first - i, 0), min(first + frames - i, count)
                    inside = slice(low + i - first, max(high, low) + i - first)
                    left[inside, i], right[inside, i] = J[low:high, i], J[low:high, i + k]
                flat = (frames, -1, size)
                self.upper[k, first : first + frames] += left.reshape(flat).swapaxes(-1, -2) @ right.reshape(flat)
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

    def add_limb(self, limb: Limb, sums: Mapping[tuple[str, ...], PointSums], first: int, count: int) -> None:
        """Take what was added at the points of a limb, by root, to the columns of its chain.

        Args:
            limb: derivatives of its points from frame `first` on, in those that couple with the last one, too.
            sums: of all points, by root.
            first: first frame to add.
            count: number of frames to add.
        """
        here, width = slice(first, first + count), limb.J[()].shape[-1]
        used = [(J[:count], sums[root]) for root, J in limb.J.items() if root in sums]
        direct = next(iter(sums.values())).direct
        left = np.concatenate([J for J, _ in used], axis=1) if len(used) > 1 else used[0][0]
        right = np.empty((*left.shape[:3], width + len(direct) + 1))
        rows = iter(np.split(right, len(used), axis=1))
        for (J, added), row in zip(used, rows, strict=True):
            np.matmul(added.weight_of(here, limb.points), J, out=row[..., :width])
            row[..., width:] = added.beside[here, limb.points]
        M = _transposed(left) @ right.reshape(count, -1, right.shape[-1])
        own = limb.shared.tolist()
        self._scatter(first, 0, M, limb, [*own, *(SHARED_NAMES.index(name) for name in direct)])
        if () not in sums:
            return
        coupling = sums[()].coupling[1:, here, limb.points]
        coupled = np.flatnonzero(coupling.any(axis=(0, 1)))
        if not len(coupled):
            return
        J = limb.J[()][:, coupled]
        for k, weight in enumerate(coupling[..., coupled, None, None], start=1):
            pairs = min(count, len(J) - k)
            if pairs > 0:
                later = (weight[:pairs] * J[k : k + pairs]).reshape(pairs, -1, width)
                self._scatter(first, k, _transposed(J[:pairs]) @ later, limb, own)

    def _scatter(self, first: int, k: int, M: np.ndarray, limb: Limb, shared: list[int]) -> None:
        """Add a product of rows of frames t with rows of frames t + k, columns of the chain and then shared ones."""
        chain, runs = len(limb.columns), limb.runs
        here, after = slice(first, first + len(M)), slice(first + k, first + k + len(M))
        for rows, to_rows in runs:
            for columns, to_columns in runs:
                self.upper[k, here, to_rows, to_columns] += M[:, rows, columns]
            self.border[here, to_rows][..., shared] += M[:, rows, chain : chain + len(shared)]
        own, both = limb.shared.tolist(), M[:, chain:].sum(axis=0)
        if k:
            for rows, to_rows in runs:
                self.border[after, to_rows][..., own] += M[:, chain:, rows].swapaxes(-1, -2)
            among = both[:, chain:]
            self.corner[np.ix_(own, own)] += among + among.T
            return
        self.corner[np.ix_(own, own)] += both[:, chain : chain + len(own)]
        across = both[:, chain + len(own) : chain + len(shared)]
        self.corner[np.ix_(own, shared[len(own) :])] += across
        self.corner[np.ix_(shared[len(own) :], own)] += across.T
        self.h[own] += both[:, -1]
        for rows, to_rows in runs:
            self.g[here, to_rows] += M[:, rows, -1]


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
