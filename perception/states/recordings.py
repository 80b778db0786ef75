"""Which clips are cuts of one recording: they share frames, and are no evidence for each other.

Two cuts of a recording hold the same features, shifted in time. So the features of one are compared with those of the
other at every shift that lets them overlap by half of the shorter one: their mean squared distance, beside that of
neighbouring windows there. Different recordings are at least as far apart as neighbouring windows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import fft

from perception.states.stack import Stack

SAME = 1 / 3
"""Squared distance over that of neighbouring windows, below which two clips are of one recording: windows half a step
apart are at 1/4 where features move steadily; of different recordings it is about 1 even if windows are but noise."""
LEAST = 5
"""Windows of overlap: fewer may be alike by chance."""
_OVERLAP = 0.5
"""Of the shorter clip, at least."""
_DIMENSIONS = 32
"""Random directions that stand for all features: squared distances change by a quarter (Johnson-Lindenstrauss)."""


def recordings(stack: Stack) -> Int[np.ndarray, "C"]:
    """Number of the recording of each clip, from 0; clips that are linked through others are of one, too."""
    pieces = stack.split(_reduced(stack.value))
    size = fft.next_fast_len(2 * max(map(len, pieces)), real=True)
    spectrum = np.array([fft.rfft(piece, size, axis=0).T for piece in pieces])
    sums = _sums(pieces)
    group = np.arange(stack.clips)
    for c in range(stack.clips - 1):
        product = np.einsum("df,kdf->kf", spectrum[c].conj(), spectrum[c + 1 :])
        for k in c + 1 + np.flatnonzero(_alike(sums, c, fft.irfft(product, size, axis=1))):
            group[group == group[k]] = group[c]
    return np.unique(group, return_inverse=True)[1]


def one_of_each(stack: Stack) -> Int[np.ndarray, "R"]:
    """The longest clip of each recording, in order of clips."""
    number, length = recordings(stack), np.diff(stack.start)
    return np.sort([max(np.flatnonzero(number == r).tolist(), key=lambda c: length[c]) for r in np.unique(number)])


def _reduced(value: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N E"]:
    if value.shape[1] <= _DIMENSIONS:
        return value.astype(np.float64)
    direction = np.random.default_rng(0).standard_normal((value.shape[1], _DIMENSIONS)) / np.sqrt(_DIMENSIONS)
    return np.asarray(value @ direction.astype(value.dtype), np.float64)


class _Sums(NamedTuple):
    """Running sums over the windows of each clip, from 0 to the whole, which stays to the end of the longest clip."""

    length: Float[np.ndarray, "C T+1"]
    """Of squared lengths."""
    apart: Float[np.ndarray, "C T+1"]
    """Of squared distances between a window and the one before it."""
    windows: Int[np.ndarray, "C"]


def _sums(pieces: tuple[np.ndarray, ...]) -> _Sums:
    windows = np.array([len(piece) for piece in pieces])
    length, apart = np.zeros((2, len(pieces), windows.max() + 1))
    for c, piece in enumerate(pieces):
        length[c, 1 : len(piece) + 1] = (piece**2).sum(axis=1)
        apart[c, 2 : len(piece) + 1] = (np.diff(piece, axis=0) ** 2).sum(axis=1)
    return _Sums(np.cumsum(length, axis=1), np.cumsum(apart, axis=1), windows)


def _alike(sums: _Sums, clip: int, correlation: Float[np.ndarray, "K S"]) -> Bool[np.ndarray, "K"]:
    """Whether the windows t of a clip and t + shift of each later one are alike at some shift with enough overlap."""
    own, others = sums.windows[clip], sums.windows[clip + 1 :, None]
    enough = np.maximum(LEAST, np.ceil(_OVERLAP * np.minimum(own, others)))
    shift = np.arange(1 - own, others.max())
    begin = np.broadcast_to(np.maximum(0, -shift), (len(others), len(shift)))
    end = np.maximum(begin, np.minimum(own, others - shift))
    row = np.arange(clip + 1, len(sums.windows))[:, None]
    of_own = [each[clip, end] - each[clip, begin] for each in sums[:2]]
    last = np.minimum(end + shift, others)
    of_other = [each[row, last] - each[row, np.minimum(begin + shift, last)] for each in sums[:2]]
    distance = of_own[0] + of_other[0] - 2 * correlation[:, shift]
    near = distance < SAME * np.minimum(of_own[1], of_other[1])
    return (near & (end - begin >= enough)).any(axis=1)
