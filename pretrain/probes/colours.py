"""What costs nothing to compute of a clip: how often each colour is in it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

LEVELS = 4
"""Of each of red, green and blue."""


def colours(clips: UInt8[np.ndarray, "B T S S 3"]) -> Float[np.ndarray, "B 64"]:
    """Share of the pixels of each clip that have each of 64 colours: no shape, no order, no motion."""
    level = (clips >> 6).astype(np.uint8)
    number = (level[..., 0] * LEVELS + level[..., 1]) * LEVELS + level[..., 2]
    flat = number.reshape(len(clips), -1)
    counts = np.array([np.bincount(clip, minlength=LEVELS**3) for clip in flat])
    return counts.reshape(len(clips), -1) / max(1, flat.shape[1])
