"""The estimate in 3D, seen from the side of the camera: pictures for the report."""

from __future__ import annotations

import cv2
import numpy as np

from apprentice.drawing import Drawing, Image, blank
from apprentice.shapes import (
    TRUTH,
    force_lines,
    ground_lines,
    person_lines,
    swung_point,
    tool_lines,
    trail_lines,
)
from apprentice.viewpoint import heading_of, looking_at
from motion.score import laid_over, limb_markers
from records import Interaction, Motion

SIZE_HW = (420, 360)
"""Of one still [px]."""
ASIDE = np.radians(50.0)
"""How far the view is turned from the camera's: enough to show what the camera cannot see, its depth [rad]."""
_FINER = 2
"""Stills are drawn larger by this factor, then reduced: smooth edges."""


def stills(
    interaction: Interaction,
    frames: list[int],
    *,
    truth: Interaction | None = None,
    size_hw: tuple[int, int] = SIZE_HW,
) -> list[Image]:
    """Draw some frames from aside, with the path of the tool's head (or the right hand), and the truth in grey."""
    body, forces = person_lines(interaction.person), force_lines(interaction.forces)
    lines = [body, forces, trail_lines(swung_point(interaction.person, interaction.tool))]
    if interaction.tool is not None:
        lines.append(tool_lines(interaction.tool))
    if truth is not None:
        lines += true_lines(interaction, truth)
    points = np.concatenate([group.ends[frames if len(group.ends) > 1 else [0]].reshape(-1, 3) for group in lines])
    ground = ground_lines(points)
    size = (size_hw[0] * _FINER, size_hw[1] * _FINER)
    camera = looking_at(points, size, heading=heading_of(interaction.camera) + ASIDE)
    drawing = Drawing(camera, [ground, *lines])
    drawn = (drawing.onto(blank(size), t) for t in frames)
    return [cv2.resize(image, size_hw[::-1], interpolation=cv2.INTER_AREA) for image in drawn]


def true_lines(interaction: Interaction, truth: Interaction) -> list:
    """Skeleton and tool of the truth, laid over the estimate by a turn about the vertical and a shift."""
    lines = [person_lines(truth.person, name="truth/person", colour=TRUTH, width=0.012)]
    if truth.tool is not None:
        lines.append(tool_lines(truth.tool, name="truth/tool", colour=TRUTH, width=0.01))
    p, target = limb_markers(truth), limb_markers(interaction)
    return [group._replace(ends=laid_over(p, target, group.ends)) for group in lines]


def chosen_frames(motion: Motion, count: int = 4) -> list[int]:
    """Frames spread evenly over a motion, its ends left out."""
    if motion.num_frames <= count:
        return list(range(motion.num_frames))
    edges = np.linspace(0, motion.num_frames - 1, count + 2)
    return [round(float(t)) for t in edges[1:-1]]
