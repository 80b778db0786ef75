"""Hands without a body, on a real close-up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.detectors.detector import load_detector
from perception.detectors.mediapipe_hands import NAMES
from perception.person import NoPersonError, choose_person
from perception.track import TrackOptions, track
from perception.video import open_clip, write_video

CLOSE_UP = Path(__file__).parents[2].parent / "shared/data/clips/coffee_pour/sam2_04_coffee.mp4"
needs_data = pytest.mark.skipif(not CLOSE_UP.exists(), reason=f"{CLOSE_UP} is absent")


@needs_data
def test_both_hands_keep_their_sides():
    clip = open_clip(CLOSE_UP, end=1)
    (hands,) = load_detector("hands").detect(clip)
    assert hands.names == NAMES
    left, right = hands.index("l_fingers"), hands.index("r_fingers")
    assert hands.seen[:, [left, right]].mean(axis=0).min() > 0.9
    # The person faces the camera: the mug, on the right of the image, is in the left hand, the kettle in the right one.
    assert hands.uv[hands.seen[:, left], left, 0].min() > 900
    assert hands.uv[hands.seen[:, right], right, 0].max() < 500


@needs_data
def test_perception_goes_on_with_hands_alone():
    seen = track(open_clip(CLOSE_UP, end=0.5), TrackOptions(detector="hands"))
    assert seen.person.seen.any(axis=1).mean() > 0.9
    assert seen.contacts.probability.shape[0] == seen.person.num_frames


def test_without_hands_nobody_is_found(tmp_path):
    clip = open_clip(write_video(tmp_path / "gray.mp4", [np.full((96, 128, 3), 90, np.uint8)] * 4, 10))
    assert load_detector("hands").detect(clip) == []
    with pytest.raises(NoPersonError, match="no person"):
        choose_person([])
