"""The estimate drawn onto the clip that it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np

from apprentice.drawing import Drawing, Image, blank, dots
from apprentice.findings import Findings
from apprentice.shapes import SEEN, force_lines, person_lines, tool_lines
from perception.video import read_frames, write_video
from records import Interaction, Keypoints

LONG_SIDE = 960
"""Largest width or height of the overlay [px]."""
QUALITY = 27
"""x264's constant rate factor: lines stay sharp at half the size of the default."""
_DOT = 2.5
"""Radius of an observed keypoint [px]."""


def write_overlay(findings: Findings, path: Path) -> Path | None:
    """Write the overlay as H.264; None where the run has neither an estimate nor keypoints.

    Raises:
        ClipError: the video changed while it was read.
    """
    if findings.interaction is None and findings.person is None:
        return None
    fps = findings.interaction.person.fps if findings.interaction is not None else _observed(findings)[0].fps
    return write_video(path, overlay_frames(findings), fps, quality=QUALITY)


def overlay_frames(findings: Findings) -> Iterator[Image]:
    """Yield the clip's frames with skeleton, tool, forces and observed keypoints drawn on them.

    Where there is no video, they are drawn on an empty background.
    """
    interaction, seen = findings.interaction, _observed(findings)
    size = interaction.camera.size_hw if interaction is not None else seen[0].size_hw
    count = len(interaction.observed) if interaction is not None else seen[0].num_frames
    scale = LONG_SIDE / max(size)
    if findings.clip is not None:
        scale = min(scale, 1.0)
    shown = (round(size[0] * scale), round(size[1] * scale))
    drawing = _drawing(interaction, scale) if interaction is not None else None
    images = read_frames(findings.clip) if findings.clip is not None else repeat(blank(shown))
    for t, image in zip(range(count), images, strict=False):
        canvas = image.copy()
        if canvas.shape[:2] != shown:
            canvas = cv2.resize(canvas, shown[::-1], interpolation=cv2.INTER_AREA)
        if drawing is not None:
            drawing.onto(canvas, t)
        for points in seen:
            if t < points.num_frames:
                dots(canvas, scale * points.uv[t][points.seen[t]], SEEN, _DOT)
        yield canvas


def _drawing(interaction: Interaction, scale: float) -> Drawing:
    lines = [person_lines(interaction.person), force_lines(interaction.forces)]
    if interaction.tool is not None:
        lines.insert(1, tool_lines(interaction.tool))
    return Drawing(interaction.camera, lines, scale=scale)


def _observed(findings: Findings) -> list[Keypoints]:
    return [points for points in (findings.person, findings.tool) if points is not None]


def striking_frame(interaction: Interaction) -> int:
    """A frame worth a picture: where the contact forces are largest, the ends of the clip left out."""
    total = np.linalg.norm(interaction.forces.wrench[..., :3], axis=-1).sum(axis=1)
    edge = min(3, (len(total) - 1) // 2)
    return edge + int(total[edge : len(total) - edge].argmax())
