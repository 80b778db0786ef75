"""The one picture of a run."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from standing import FRAMES, standing

from apprentice import picture as picture_module
from apprentice.picture import GAP, HEIGHT, STILL_HW, WIDEST, raised_frame, write_picture
from apprentice.robot_film import Film
from records import Demonstration, Run, RunError


def test_clip_and_scene_side_by_side(tmp_path):
    run = Run(tmp_path / "run")
    standing().save(run.file("interaction"))
    path = write_picture(run, tmp_path / "images" / "picture.png")
    image = cv2.imread(str(path))
    assert image.shape == (HEIGHT, round(WIDEST * HEIGHT) + GAP + STILL_HW[1], 3)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 20
    assert path.stat().st_size < 300_000


def test_the_tool_is_shown_raised():
    assert raised_frame(standing()) == FRAMES - 1


def test_a_run_without_anything_to_show(tmp_path):
    with pytest.raises(RunError, match="holds nothing to show; run `apprentice demo`"):
        write_picture(Run(tmp_path / "run"), tmp_path / "picture.png")
    assert not (tmp_path / "picture.png").exists()


def test_the_robot_is_cut_out_around_what_moves(tmp_path, monkeypatch):
    frames = [np.full((120, 160, 3), 200, np.uint8) for _ in range(3)]
    for k, frame in enumerate(frames):
        frame[40:60, 90 + 5 * k : 110 + 5 * k] = 0
    film = Film(frames, 12.0, "replay", True, np.zeros(2))
    monkeypatch.setattr(picture_module, "film_of", lambda findings, size_hw: film)
    run = Run(tmp_path / "run")
    Demonstration(task="hammer", tool=standing().tool).save(run.file("demonstration"))
    image = cv2.imread(str(write_picture(run, tmp_path / "picture.png")))
    assert image.shape == (HEIGHT, HEIGHT, 3)
    dark = (image < 60).all(axis=-1)
    assert dark.mean() == pytest.approx(20 * 20 / 43**2, rel=0.15)
    assert dark[HEIGHT // 2, HEIGHT // 2]
