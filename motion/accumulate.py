"""Gauss-Newton sums over all residuals, gathered where they are small: at points, at joints, and at whole rows.

Every residual of a point adds a 3 x 3 weight to it, and a number that couples it with the same point one or two frames
later; `motion.clip_rows` then looks at joints once, whatever the number of residuals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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


class WholeRows(NamedTuple):
    """A residual that gives all columns, weighed."""

    frames: Float[np.ndarray, "N W R V"]
    beside: Float[np.ndarray, "N R S1"]
    """Derivative by what all frames share, then the error."""

    def active(self, frames: slice) -> bool:
        """Whether any row that some frames are in is not zero."""
        first = max(frames.start - self.frames.shape[1] + 1, 0)
        return bool(self.frames[first : frames.stop].any())

    def coupling(self, frames: slice, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows that couple some frames with the k-th after them: theirs, those of the later frame, and `beside`."""
        count, window, rows, size = self.frames.shape
        wide = (frames.stop - frames.start, max(window - k, 0), rows)
        left, right = np.zeros((*wide, size)), np.zeros((*wide, size))
        beside = np.zeros((*wide, self.beside.shape[-1]))
        for i in range(window - k):
            # Frame t is the i-th of window t - i.
            low, high = max(frames.start - i, 0), min(frames.stop - i, count)
            if high > low:
                inside = slice(low + i - frames.start, high + i - frames.start)
                left[inside, i], right[inside, i] = self.frames[low:high, i], self.frames[low:high, i + k]
                beside[inside, i] = self.beside[low:high]
        flat = (wide[0], wide[1] * rows)
        return left.reshape(*flat, size), right.reshape(*flat, size), beside.reshape(*flat, beside.shape[-1])


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
