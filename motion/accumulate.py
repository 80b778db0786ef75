"""Gauss-Newton sums over all residuals, gathered where they are small: at points, at joints, and at whole rows.

Every residual of a point adds a 3 x 3 weight to it, and a number that couples it with the same point one or two frames
later; `motion.clip_rows` then looks at joints once, whatever the number of residuals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.elimination import COUPLED
from motion.residuals.residual import OfPoints, OfShared, OfTurns
from motion.state import SHARED_NAMES


class PointSums:
    """Weights, couplings over time and gradients of named points."""

    def __init__(self, names: Sequence[str], frames: int, direct: Sequence[str]) -> None:
        """Nothing added yet.

        Args:
            names: of the points.
            frames: number of frames T.
            direct: shared parameters that errors depend on directly.
        """
        self.index = {name: n for n, name in enumerate(names)}
        self.direct = {name: p for p, name in enumerate(direct)}
        self.weight = np.zeros((frames, len(names), 3, 3))
        self.beside = np.zeros((frames, len(names), 3, len(direct) + 1))
        """Products of the points' derivative with that by shared parameters, and with the error."""
        self.coupling = np.zeros((COUPLED + 1, frames, len(names)))
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


class TurnSums:
    """Weights and gradients of the turns of joints, and what couples them with those of the next frame."""

    def __init__(self, frames: int) -> None:
        """Nothing added yet."""
        joints = len(Body.joint_names)
        self.blocks = np.zeros((2, frames, joints, 3, 3))
        self.g = np.zeros((frames, joints, 3))

    def add(self, part: OfTurns, error: np.ndarray, weight: np.ndarray) -> None:
        """Add a residual with errors (N, G, D) and weights of its loss (N, G)."""
        count, window = part.by.shape[:2]
        joints = _slice(part.joints)
        for w in range(window):
            frames = slice(w, w + count)
            weighed = (weight[..., None, None] * part.by[:, w]).swapaxes(-1, -2)
            self.g[frames][:, joints] += (weighed @ error[..., None])[..., 0]
            for k in range(window - w):
                self.blocks[k, frames][:, joints] += weighed @ part.by[:, w + k]


class WholeRows:
    """Residuals that give all columns, weighed, by the frames that they look at."""

    def __init__(self, parts: Sequence[tuple[np.ndarray, np.ndarray]], frames: int, size: int) -> None:
        """Lay rows beside the frames of their windows.

        Args:
            parts: derivatives (N, W, R, V) by the frames of windows; and (N, R, S1) by what all frames share, the error
                last.
            frames: number of frames T.
            size: unknowns V of a frame.
        """
        wide = [part for part in parts if part[0].shape[1] > 1]
        self._rows = sum(by.shape[2] for by, _ in wide)
        narrow = sum(by.shape[2] for by, _ in parts) - self._rows
        slots = (COUPLED + 1) * self._rows + narrow
        shared = parts[0][1].shape[-1] if parts else 0
        self._by = np.zeros((frames + COUPLED, slots, size))
        """Row (w, r) of frame t is that of the window which begins w frames before it; those of one frame are last."""
        self._beside = np.zeros((frames, slots, shared))
        self._first: list[np.ndarray] = []
        at = {True: 0, False: (COUPLED + 1) * self._rows}
        for by, beside in parts:
            count, window, rows = by.shape[:3]
            for w in range(window):
                slot = slice(at[window > 1] + w * self._rows, at[window > 1] + w * self._rows + rows)
                self._by[w : w + count, slot] = by[:, w]
                self._beside[w : w + count, slot] = beside
            self._first.append(beside)
            at[window > 1] += rows

    def active(self, frames: slice) -> bool:
        """Whether any row that some frames are in is not zero."""
        return bool(self._by[frames].any())

    def coupling(self, frames: slice, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows that couple some frames with the k-th after them: theirs, and those of the later frames."""
        rows, after = self._rows, self._by[frames.start + k : frames.stop + k]
        if k == 0:
            return after, after
        return self._by[frames, : (COUPLED + 1 - k) * rows], after[:, k * rows : (COUPLED + 1) * rows]

    def beside(self, frames: slice) -> np.ndarray:
        """Derivative (N, slots, S1) by what all frames share, then the error, of all rows that some frames are in."""
        return self._beside[frames]

    def first(self, frames: slice) -> list[np.ndarray]:
        """The same of the windows that begin at these frames, by residuals."""
        return [beside[frames] for beside in self._first]


def corner_of(by: Float[np.ndarray, "N G D P"], error: Float[np.ndarray, "N G D"], names: Sequence[str]) -> np.ndarray:
    """What weighed rows by shared parameters add to the corner (S + 1, S + 1), gradient last."""
    flat = np.concatenate([by, error[..., None]], axis=-1).reshape(-1, len(names) + 1)
    columns = np.array([*(SHARED_NAMES.index(name) for name in names), len(SHARED_NAMES)])
    corner = np.zeros((len(SHARED_NAMES) + 1,) * 2)
    corner[columns[:, None], columns] = flat.T @ flat
    return corner


def _slice(index: Sequence[int]) -> slice | list[int]:
    """Indices as a slice where they are consecutive: adding to a view needs no copies."""
    first, count = index[0], len(index)
    return slice(first, first + count) if list(index) == list(range(first, first + count)) else list(index)
