"""Settings of discoverers that are lengths of time, for clips of any length: the published ones are for minutes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from records import Features

_LENGTHS = {"clustering": ("action_seconds", 4.0, 0.1), "pseudo_labels": ("reach", 2.0, 0.05)}
"""By method: the setting, its value in clips of minutes [s], and its most as a share of a clip."""


def tempo(method: str, clips: Sequence[Features]) -> dict[str, float]:
    """Settings of a method for clips of this length: the median counts; none for a method that has no such setting."""
    if method not in _LENGTHS or not clips:
        return {}
    name, usual, share = _LENGTHS[method]
    duration = float(np.median([clip.time[-1, 1] - clip.time[0, 0] for clip in clips]))
    return {name: min(usual, share * duration)}
