from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from motion.tool import HAMMER
from records import Camera, Keypoints
from sim.studio_motion import act
from sim.studio_stroke import draw_character, stroke

FPS = 25.0
FRAMES = 60
NAMES = (
    "nose", "l_ear", "r_ear", "l_shoulder", "r_shoulder", "l_elbow", "r_elbow", "l_wrist", "r_wrist", "l_fingers",
    "r_fingers", "l_hip", "r_hip", "l_knee", "r_knee", "l_ankle", "r_ankle", "l_heel", "r_heel", "l_toes", "r_toes",
)  # fmt: skip
PIXELS = 1.5
"""Standard deviation of the noise of every image point [px]."""


class Hammering(NamedTuple):
    """Files that say what a camera sees of a person who hammers."""

    keypoints: Path
    tool: Path
    height: float
    mass: float

    @property
    def options(self) -> list[str]:
        """How the command line is told of them."""
        return [
            *("--keypoints", str(self.keypoints), "--tool-csv", str(self.tool), "--tool", "hammer"),
            *("--height", str(self.height), "--mass", str(self.mass)),
        ]


@pytest.fixture(scope="session")
def hammering(tmp_path_factory) -> Hammering:
    """A blow or two of a hammer, seen from the side, as keypoints of the person and a table of the tool's ends."""
    folder = tmp_path_factory.mktemp("hammering")
    rng = np.random.default_rng(7)
    character = draw_character(rng)
    acting = act(character, HAMMER, stroke(character, HAMMER, FRAMES, FPS), FPS)
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), [0.3, -4.0, 1.2]
    K = np.array([[900.0, 0, 320], [0, 900, 240], [0, 0, 1]])
    camera = Camera(K=K, T_world_camera=T[None], size_hw=(480, 640))
    uv = camera.project(character.body.site_positions(acting.q, NAMES)) + rng.normal(0, PIXELS, (FRAMES, len(NAMES), 2))
    confidence = np.full(uv.shape[:2], 0.9)
    person = Keypoints(names=NAMES, uv=uv, confidence=confidence, xyz=None, fps=FPS, size_hw=(480, 640))
    person.save(folder / "person.npz")
    ends = np.stack([acting.p_tool + acting.R_tool @ HAMMER.p_head, acting.p_tool], axis=1)
    seen = camera.project(ends) + rng.normal(0, PIXELS, (FRAMES, 2, 2))
    with open(folder / "tool.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["frame", "name", "x", "y"])
        for t, points in enumerate(seen):
            rows.writerows([t, name, *p] for name, p in zip(("tool_head", "tool_handle"), points, strict=True))
    return Hammering(folder / "person.npz", folder / "tool.csv", character.body.height, character.body.mass)
