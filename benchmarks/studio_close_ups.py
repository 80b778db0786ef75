"""Clips of the studio, cut to one blow and cropped about the nail: what a camera near the work would have seen."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np

from motion.tool import head_positions, tool_of
from perception.video import read_frames
from policies.rewards.film import Film
from policies.rewards.reward import Watched
from sim.studio import Take, render_clip

FRAMES = 40
"""Of a clip at 25 a second: the hammer lies on the nail, is raised, and strikes once."""
SIZE_HW = (240, 320)


def studio_close_ups(count: int, film: Film, *, seed: int = 0) -> list[Watched]:
    """One blow each, by people, in clothes and light of their own; no labels.

    Args:
        count: clips.
        film: size and radius of the pictures.
        seed: of the first clip; the next one is that of the next.
    """
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for k in range(count):
            take = render_clip(Path(folder) / f"{k}.mp4", seed=seed + k, num_frames=FRAMES, size_hw=SIZE_HW)
            found.append(_blow(take, film))
    return found


def _blow(take: Take, film: Film) -> Watched:
    """From the top of the stroke to the end of the clip, about where the hammer lies on the nail at first."""
    tool = take.truth.tool
    assert tool is not None
    head = head_positions(tool_of(tool), tool)
    raised = int(np.argmax(head[:, 2]))
    camera = take.truth.camera
    (u, v), depth = camera.project(head[:1, None])[0, 0], camera.depth(head[:1, None])[0, 0]
    half = max(4, round(film.radius * float(camera.K[0, 0]) / float(depth)))
    frames = [_cropped(image, round(float(u)), round(float(v)), half, film.size) for image in read_frames(take.clip)]
    blow = frames[raised:]
    return Watched(
        obs=np.zeros((len(blow), 0)),
        action=np.zeros((len(blow) - 1, 0)),
        frames=lambda: iter(blow),
        fps=take.clip.fps,
    )


def _cropped(image: np.ndarray, u: int, v: int, half: int, size: int) -> np.ndarray:
    """The square of 2 `half` px about a pixel, scaled; beyond the image its border goes on."""
    wide = cv2.copyMakeBorder(image, half, half, half, half, cv2.BORDER_REPLICATE)
    return cv2.resize(wide[v : v + 2 * half, u : u + 2 * half], (size, size), interpolation=cv2.INTER_AREA)
