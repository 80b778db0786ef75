"""Features of several clips as one matrix, checked to belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from records.features import Features

LEAST_STEPS = 3
"""One moment each for the initial state, the action and the final state."""


class DiscoveryError(ValueError):
    """Clips in which nothing can be discovered: too few or too short, of different encoders, or without a change."""


class Stack(NamedTuple):
    """Windows of C clips below each other: clip c has rows `start[c]` to `start[c + 1]`, in order of time.

    Windows of one clip with the same interval are candidates of one time step (several tracks of objects, say): at most
    one of them bears a label.
    """

    value: Float[np.ndarray, "N D"]
    """Centred, and scaled to a mean squared length of 1, so that a regularisation means the same for every encoder."""
    middle: Float[np.ndarray, "N"]
    """Of each window [s]."""
    step: Int[np.ndarray, "N"]
    """Time step of each window within its clip, from 0."""
    start: Int[np.ndarray, "C+1"]

    @property
    def clips(self) -> int:
        """How many clips there are."""
        return len(self.start) - 1

    def rows(self, clip: int) -> slice:
        """Rows of one clip."""
        return slice(int(self.start[clip]), int(self.start[clip + 1]))

    def split(self, per_row: np.ndarray) -> tuple[np.ndarray, ...]:
        """Cut an array of N rows into one array per clip."""
        return tuple(per_row[self.rows(c)] for c in range(self.clips))

    def part(self, clips: Sequence[int]) -> Stack:
        """The stack of some of the clips, neither centred nor scaled again."""
        rows = np.concatenate([np.arange(self.start[c], self.start[c + 1]) for c in clips])
        lengths = [int(self.start[c + 1] - self.start[c]) for c in clips]
        return Stack(self.value[rows], self.middle[rows], self.step[rows], np.r_[0, np.cumsum(lengths)])


def stacked(clips: Sequence[Features]) -> Stack:
    """Stack clips of one encoder, in single precision.

    Raises:
        DiscoveryError: fewer than two clips, different encoders or dimensions, windows out of order or too few, or
            features that never vary. (Values that are not finite, `Features` refuses.)
    """
    if len(clips) < 2:
        given = "1 clip" if len(clips) == 1 else "no clips"
        raise DiscoveryError(f"{given}: discovery compares clips of one task; give at least two")
    first = clips[0]
    for number, clip in enumerate(clips, 1):
        _check(_name(clip, number), clip, _name(first, 1), first)
    start = np.r_[0, np.cumsum([len(clip.value) for clip in clips])].astype(np.int64)
    mean = sum(clip.value.sum(axis=0) for clip in clips) / start[-1]
    value = np.empty((int(start[-1]), first.value.shape[1]), np.float32)
    for c, clip in enumerate(clips):
        value[start[c] : start[c + 1]] = clip.value - mean
    if not any(np.ptp(clip.value, axis=0).max() > _SMALLEST * np.abs(clip.value).max() for clip in clips):
        raise DiscoveryError("the features of each clip are the same in all its windows: no clip shows a change")
    length = float(np.sqrt(sum(float(np.vdot(row, row)) for row in np.array_split(value, _PIECES)) / start[-1]))
    value /= np.float32(length)
    middle = np.concatenate([clip.time.mean(axis=1) for clip in clips])
    step = np.concatenate([_steps(clip) for clip in clips])
    return Stack(value, middle, step, start)


_PIECES = 64
"""In which squares are summed, so that sums of single precision stay short."""
_SMALLEST = 1e-6
"""Share of the features' size below which their spread is the rounding of single precision."""


def _check(name: str, clip: Features, first_name: str, first: Features) -> None:
    if clip.encoder_hash != first.encoder_hash:
        raise DiscoveryError(
            f"{name}: features of {clip.encoder} ({clip.encoder_hash[:8]}), but {first_name} has those of"
            f" {first.encoder} ({first.encoder_hash[:8]}); extract all with one encoder"
        )
    if clip.value.shape[1] != first.value.shape[1]:
        raise DiscoveryError(
            f"{name}: {clip.value.shape[1]} dimensions, but {first_name} has {first.value.shape[1]};"
            " extract all with one encoder"
        )
    if (np.diff(clip.time.mean(axis=1)) < 0).any():
        raise DiscoveryError(f"{name}: windows are not in order of time; sort them")
    if len(clip.value) == 0 or _steps(clip)[-1] + 1 < LEAST_STEPS:
        moments = 0 if len(clip.value) == 0 else int(_steps(clip)[-1]) + 1
        raise DiscoveryError(
            f"{name}: {moments} moments; at least {LEAST_STEPS} are needed (state, action, state);"
            " use shorter windows or leave the clip out"
        )


def _name(clip: Features, number: int) -> str:
    return clip.clip or f"clip {number}"


def _steps(clip: Features) -> np.ndarray:
    """Time step of each window: windows of the same interval share one."""
    return np.r_[0, np.cumsum((np.diff(clip.time, axis=0) != 0).any(axis=1))].astype(np.int64)
