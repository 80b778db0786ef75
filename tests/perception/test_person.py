from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.click import Click
from perception.detectors.mediapipe_pose import MediaPipePose
from perception.person import NoPersonError, choose_person, gate_detections
from perception.video import open_clip
from records import Keypoints

DATA = Path(__file__).parents[2].parent / "shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")

STANDING = {
    "l_shoulder": (20, -100), "r_shoulder": (-20, -100), "l_hip": (12, 0), "r_hip": (-12, 0), "l_knee": (12, 80),
    "r_knee": (-12, 80), "l_ankle": (12, 160), "r_ankle": (-12, 160), "l_elbow": (25, -50), "r_elbow": (-25, -50),
    "l_wrist": (30, 0), "r_wrist": (-30, 0),
}  # fmt: skip


def person(x=300.0, scale=1.0, frames=20, speed=0.0):
    shape = scale * np.array(list(STANDING.values()), float)
    centre = np.stack([x + speed * np.arange(frames), np.full(frames, 240.0)], axis=1)
    uv = shape[None] + centre[:, None]
    return Keypoints(names=tuple(STANDING), uv=uv, confidence=np.full(uv.shape[:2], 0.9), fps=25, size_hw=(480, 640))


def test_the_larger_and_the_moving_person_is_chosen():
    assert choose_person([person(scale=0.4), person(x=500)]).uv[0, 0, 0] > 400
    assert choose_person([person(x=500), person(speed=8)]).uv[0, 0, 0] < 400


def test_a_click_decides():
    near, far = person(x=150), person(x=500, scale=0.5)
    assert choose_person([near, far], pick=Click(500, 240, 3)) == far
    with pytest.raises(NoPersonError, match="nobody was found at 10,10@0"):
        choose_person([near, far], pick=Click(10, 10))
    with pytest.raises(NoPersonError, match="nobody was found"):
        choose_person([near], pick=Click(150, 240, 99))


def test_two_equal_people_are_reported(caplog):
    choose_person([person(x=150), person(x=500)])
    assert "see --person x,y@frame" in caplog.text


def test_nobody_is_one_clear_line():
    with pytest.raises(NoPersonError, match="no person was found"):
        choose_person([])
    nothing = person().replace(confidence=np.zeros((20, len(STANDING))))
    with pytest.raises(NoPersonError, match="0 believable frames"):
        choose_person([nothing])


def test_gating_marks_impossible_frames_and_changes_nothing_else():
    good = person()
    uv = good.uv.copy()
    uv[5] += [250, 0]
    uv[9, good.index("l_ankle")] += [0, 400]
    gated = gate_detections(good.replace(uv=uv))
    assert np.flatnonzero(~gated.seen.any(axis=1)).tolist() == [5, 9]
    np.testing.assert_array_equal(gated.uv, uv)
    assert gate_detections(good) == good


def test_a_body_without_a_certain_trunk_in_most_frames_is_believed_in_none():
    certain = person().replace(xyz=np.zeros((20, len(STANDING), 3)))
    trunk = [certain.index(name) for name in ("l_shoulder", "r_shoulder", "l_hip", "r_hip")]
    for doubtful, believed in ((8, 20), (12, 0)):
        confidence = certain.confidence.copy()
        confidence[:doubtful, trunk] = 0.5
        gated = gate_detections(certain.replace(confidence=confidence))
        assert gated.seen.any(axis=1).sum() == believed


def test_a_trunk_without_limbs_is_imagined():
    alone = person().replace(xyz=np.zeros((20, len(STANDING), 3)))
    confidence = alone.confidence.copy()
    confidence[:, [k for k, name in enumerate(STANDING) if name[2:] not in ("shoulder", "hip")]] = 0.05
    assert not gate_detections(alone.replace(confidence=confidence)).seen.any()
    confidence[:, alone.index("l_elbow")] = 0.6
    assert gate_detections(alone.replace(confidence=confidence)).seen.any(axis=1).all()


def test_a_bench_may_hide_the_hips():
    behind = person().replace(xyz=np.zeros((20, len(STANDING), 3)))
    confidence = behind.confidence.copy()
    confidence[:, [behind.index(name) for name in STANDING if name[2:] in ("hip", "knee", "ankle")]] = 0.05
    assert gate_detections(behind.replace(confidence=confidence)).seen.any(axis=1).all()


def test_somebody_half_out_of_the_image_comes_after_somebody_in_full_view():
    whole, cut = person(x=300), person(x=650, scale=1.4)
    assert choose_person([cut, whole]) == whole


@needs_data
@pytest.mark.parametrize("start", [0, 4, 7])
def test_two_hands_over_a_table_are_not_a_person(start):
    clip = open_clip(DATA / "clips/coffee_pour/sam2_04_coffee.mp4", start=start, end=start + 0.3)
    with pytest.raises(NoPersonError, match="--detector hands"):
        choose_person(MediaPipePose().detect(clip))
