"""The one picture of a run."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from standing import FRAMES, standing

from apprentice.picture import GAP, HEIGHT, STILL_HW, WIDEST, raised_frame, write_picture
from records import Run, RunError


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
