"""One picture of a run: the estimate on the clip, the same in 3D, and the robot that does it.

    python -m apprentice.picture RUN OUT.png

The picture of the README is that of `runs/demo`, whose clip is rendered.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from apprentice.drawing import BACKGROUND, Image
from apprentice.findings import Findings, gather
from apprentice.overlay import overlay_frames
from apprentice.robot_film import Film, film_of
from apprentice.shapes import swung_point
from apprentice.stills import stills
from records import Interaction, Run, RunError
from records.atomic import atomic_path

HEIGHT, GAP = 420, 6
"""Of the picture, and between its panels [px]."""
STILL_HW = (HEIGHT, 400)
"""Of the panel in 3D [px]."""
FILM_HW = (720, 960)
"""Of the film of the robot, of which a part is shown [px]."""
MOVED = 24
"""A pixel that changes by more than this during the film belongs to what moves (of 255)."""
AROUND = 0.25
"""Margin around what moves, in its own size."""
WIDEST = 1.25
"""Largest width of the clip's panel, in heights; it is cut on both sides of the person."""


def write_picture(run: Run, path: Path) -> Path:
    """Write the picture (PNG); a panel whose part the run does not hold is left out.

    Raises:
        RunError: the run holds nothing to show.
    """
    findings = gather(run)
    panels: list[Image] = []
    if findings.interaction is not None:
        frame = raised_frame(findings.interaction)
        panels.append(_on_the_clip(findings, findings.interaction, frame))
        panels += stills(findings.interaction, [frame], size_hw=STILL_HW)
    if findings.demonstration is not None:
        panels.append(_where_it_moves(film_of(findings, size_hw=FILM_HW)))
    if not panels:
        raise RunError(f"{run.path} holds nothing to show; run `apprentice demo` or `apprentice learn` first")
    gap = np.full((HEIGHT, GAP, 3), BACKGROUND, np.uint8)
    board = np.hstack([part for panel in panels for part in (panel, gap)][:-1])
    with atomic_path(path) as temporary:
        cv2.imwrite(str(temporary), board[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return path


def raised_frame(interaction: Interaction) -> int:
    """The frame in which the tool (or the right hand) is highest: the most telling posture of a stroke."""
    return int(swung_point(interaction.person, interaction.tool)[:, 2].argmax())


def _on_the_clip(findings: Findings, interaction: Interaction, frame: int) -> Image:
    """A frame of the overlay, cut to the person."""
    image = _sized(next(islice(overlay_frames(findings), frame, None)))
    width = min(image.shape[1], round(WIDEST * HEIGHT))
    hips = interaction.camera.project(interaction.person.q[:, None, :3])[frame, 0, 0]
    middle = float(hips) * image.shape[1] / interaction.camera.size_hw[1]
    left = round(np.clip(middle - width / 2, 0, image.shape[1] - width))
    return image[:, left : left + width]


def _where_it_moves(film: Film) -> UInt8[np.ndarray, "h w 3"]:
    """The end of the film, cut to a square around what moves in it."""
    low, high = np.min(film.frames, axis=0).astype(int), np.max(film.frames, axis=0).astype(int)
    rows, columns = np.nonzero((high - low).max(axis=-1) > MOVED)
    height, width = film.frames[-1].shape[:2]
    if not len(rows):
        return _sized(film.frames[-1])
    side = round(min((1 + 2 * AROUND) * max(np.ptp(rows), np.ptp(columns)), height, width))
    top = int(np.clip((rows.min() + rows.max() - side) // 2, 0, height - side))
    left = int(np.clip((columns.min() + columns.max() - side) // 2, 0, width - side))
    return _sized(film.frames[-1][top : top + side, left : left + side])


def _sized(image: Image) -> UInt8[np.ndarray, "h w 3"]:
    width = round(image.shape[1] * HEIGHT / image.shape[0])
    return cv2.resize(image, (width, HEIGHT), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m apprentice.picture RUN OUT.png")
    write_picture(Run(sys.argv[1]), Path(sys.argv[2]))
