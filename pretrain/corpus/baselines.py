"""What an encoder has to beat: the colours of a clip, and a clip that stands still."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

_STEPS = 4
"""Levels of each channel of a histogram."""


def colours(frames: UInt8[np.ndarray, "T H W 3"]) -> Float[np.ndarray, "D"]:
    """Share of the pixels of a clip that has each of 64 colours, wherever and whenever."""
    levels = frames.reshape(-1, 3) // (256 // _STEPS)
    number = levels @ np.array([_STEPS**2, _STEPS, 1])
    return np.bincount(number, minlength=_STEPS**3) / len(number)


def still(frames: UInt8[np.ndarray, "T H W 3"]) -> UInt8[np.ndarray, "T H W 3"]:
    """A clip of as many frames that all are its middle one.

    Of two in the middle, it is the darker one: so a clip and the same backwards give the same, and what is told of
    directions by a still is chance and nothing else.
    """
    middle = frames[(len(frames) - 1) // 2 : len(frames) // 2 + 1]
    chosen = min(middle, key=lambda frame: (int(frame.sum(dtype=np.int64)), frame.tobytes()))
    return np.repeat(chosen[None], len(frames), axis=0)
