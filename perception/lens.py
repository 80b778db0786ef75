"""The focal length that a video file states: phones write it into the metadata."""

from __future__ import annotations

import math

import av

from records import Clip

FOCAL_KEY = "focal_length.35mm_equivalent"
"""Ending of the QuickTime key for the focal length in terms of a 36 x 24 mm frame [mm]."""
FILM_DIAGONAL = math.hypot(36.0, 24.0)
"""Diagonal of that frame [mm]."""
PLAUSIBLE = (5.0, 2000.0)
"""Focal lengths outside this range are defaults of a writer, not lenses [mm]."""


def stated_focal(clip: Clip, pixel_aspect: float) -> float | None:
    """Focal length fx [px] that the clip's file states; None where it says nothing or cannot be opened.

    `pixel_aspect` is the width of a pixel over its height.
    """
    try:
        with av.open(clip.path) as container:
            tags = {**container.metadata, **(container.streams.video[0].metadata if container.streams.video else {})}
    except (av.FFmpegError, OSError):
        return None
    stated = next((value for key, value in tags.items() if key.lower().endswith(FOCAL_KEY)), "")
    try:
        millimetres = float(stated)
    except ValueError:
        return None
    if not PLAUSIBLE[0] <= millimetres <= PLAUSIBLE[1]:
        return None
    rows, columns = clip.size_hw
    return millimetres / FILM_DIAGONAL * math.hypot(columns, rows / pixel_aspect)
