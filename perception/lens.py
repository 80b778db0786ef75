"""What a video file says about the lens that it was taken with: focal length and shape of the pixels."""

from __future__ import annotations

import math
from typing import NamedTuple

import av

from records import Clip

FOCAL_KEY = "focal_length.35mm_equivalent"
"""Ending of the QuickTime key under which phones write the focal length in terms of a 36 x 24 mm frame [mm]."""
FILM_DIAGONAL = math.hypot(36.0, 24.0)
UNDECLARED = {(576, 720): 16 / 15, (480, 720): 8 / 9}
"""Standard-definition frames (height, width) have pixels that are not square, declared or not (Rec. ITU-R BT.601)."""


class Lens(NamedTuple):
    """What is known of the lens."""

    focal: float | None
    """Focal length in horizontal pixels, fx [px]; None where the file does not say."""
    pixel_aspect: float
    """Width of a pixel over its height."""


def read_lens(clip: Clip) -> Lens:
    """Read the lens from the metadata of the clip's file; a file that cannot be opened says nothing."""
    rows, columns = clip.size_hw
    try:
        with av.open(clip.path) as container:
            stream = container.streams.video[0]
            declared = stream.sample_aspect_ratio
            turned = (stream.height, stream.width) == (columns, rows) and rows != columns
            tags = {**container.metadata, **stream.metadata}
    except (av.error.FFmpegError, OSError, IndexError):
        return Lens(None, UNDECLARED.get(clip.size_hw, 1.0))
    aspect = float(declared) if declared else UNDECLARED.get(clip.size_hw, 1.0)
    if declared and turned:
        aspect = 1 / aspect
    equivalent = next((value for key, value in tags.items() if key.lower().endswith(FOCAL_KEY)), None)
    try:
        millimetres = float(equivalent) if equivalent is not None else 0.0
    except ValueError:
        millimetres = 0.0
    if not 1.0 < millimetres < 2000.0:
        return Lens(None, aspect)
    return Lens(millimetres / FILM_DIAGONAL * math.hypot(columns, rows / aspect), aspect)
