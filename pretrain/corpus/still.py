"""What is left of a clip when nothing moves: the baseline of all that claims to see motion."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8


def still(frames: UInt8[np.ndarray, "T H W 3"]) -> UInt8[np.ndarray, "T H W 3"]:
    """A clip of as many frames that all are its middle one.

    Of two in the middle, it is the darker one: so a clip and the same backwards give the same, and what is told of
    directions by a still is chance and nothing else.
    """
    middle = frames[(len(frames) - 1) // 2 : len(frames) // 2 + 1]
    chosen = min(middle, key=lambda frame: (int(frame.sum(dtype=np.int64)), frame.tobytes()))
    return np.repeat(chosen[None], len(frames), axis=0)
