"""All of perception together, with and without a video."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.click import Click
from perception.detectors.detector import read_keypoints
from perception.hands_axis import HandsAxisError, ToolReach, hands_axis
from perception.tool_csv import ToolCsvError
from perception.track import TrackOptions, observe_keypoints, track
from perception.video import open_clip
from records import Keypoints

DATA = Path(__file__).parents[2].parent / "shared/data"
POINTS = ("l_shoulder", "r_shoulder", "l_hip", "r_hip", "l_wrist", "r_wrist", "l_ankle", "r_ankle")


def standing(num_frames: int = 30) -> Keypoints:
    """A person who stands still, 200 px a metre, and holds both hands apart."""
    uv = np.array([[280, 160], [232, 160], [275, 260], [237, 260], [330, 250], [180, 230], [275, 440], [237, 440]])
    return Keypoints(
        names=POINTS,
        uv=np.tile(uv.astype(float), (num_frames, 1, 1)),
        confidence=np.ones((num_frames, len(POINTS))),
        fps=30.0,
        size_hw=(480, 512),
    )


def test_standing_person_stands_on_the_ground() -> None:
    seen = observe_keypoints(standing())
    assert seen.tool is None
    assert seen.contacts.probability[:, :2].min() > 0.9
    assert seen.contacts.probability[:, 2:].max() < 0.5
    foot = seen.camera.project(np.array([[[0.0, 0.0, 0.0]]]))[0, 0]
    assert foot == pytest.approx([256, 455], abs=15)


def test_two_handed_tool_lies_on_the_line_through_the_hands() -> None:
    options = TrackOptions(two_handed=True, reach=ToolReach(head=0.5, handle=0.1), leading="l")
    seen = observe_keypoints(standing(), options)
    assert seen.tool is not None
    head, handle = seen.tool.uv[0]
    assert (head - handle) / np.linalg.norm(head - handle) == pytest.approx(np.array([150, 20]) / np.hypot(150, 20))
    assert seen.contacts.probability[:, 2:].min() > 0.8


def test_table_comes_before_hands_and_hands_fill_the_endpoint_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "tool.csv"
    path.write_text("frame,name,x,y\n3,tool_head,400,250\n")
    seen = observe_keypoints(standing(), TrackOptions(two_handed=True, tool_csv=str(path)))
    assert seen.tool is not None
    assert seen.tool.confidence[:, 0].tolist() == [1.0 if t == 3 else 0.0 for t in range(30)]
    options = TrackOptions()
    by_hands = hands_axis(standing(), options.reach, leading=options.leading, height=options.height)
    assert seen.tool.confidence[:, 1].min() > 0.1
    assert seen.tool.confidence[:, 1] == pytest.approx(by_hands.confidence[:, 1]), "trusted as the hands allow"
    with pytest.raises(ToolCsvError, match="No such file"):
        observe_keypoints(standing(), TrackOptions(tool_csv=str(tmp_path / "none.csv")))


@settings(deadline=None, max_examples=60)
@given(
    num_frames=st.integers(1, 12),
    names=st.sets(st.sampled_from(POINTS), min_size=1),
    landmarks=st.booleans(),
    scale=st.sampled_from([0.0, 1.0, 500.0, 1e5]),
    seed=st.integers(0, 2**32 - 1),
)
def test_whatever_is_detected_the_result_is_sound(
    num_frames: int, names: set[str], landmarks: bool, scale: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = (num_frames, len(names))
    person = Keypoints(
        names=tuple(sorted(names)),
        uv=scale * rng.normal(0.5, 1, (*shape, 2)),
        confidence=rng.choice([0.0, 0.2, 0.9], shape),
        xyz=rng.normal(0, 0.5, (*shape, 3)) if landmarks else None,
        fps=25.0,
        size_hw=(480, 640),
    )
    seen = observe_keypoints(person)  # records refuse NaN, poses that are not rigid and probabilities outside [0, 1]
    assert seen.contacts.probability.shape == (num_frames, 4)
    assert seen.camera.static


def test_hands_are_not_asked_where_both_endpoints_are_known(tmp_path: Path) -> None:
    path = tmp_path / "tool.csv"
    path.write_text("frame,name,x,y\n3,tool_head,400,250\n3,tool_handle,300,250\n")
    hidden = standing()
    confidence = hidden.confidence.copy()
    confidence[:, [POINTS.index("l_wrist"), POINTS.index("r_wrist")]] = 0
    hidden = hidden.replace(confidence=confidence)
    seen = observe_keypoints(hidden, TrackOptions(two_handed=True, tool_csv=str(path)))
    assert seen.tool is not None
    assert seen.tool.confidence.sum() == 2
    with pytest.raises(HandsAxisError, match="never seen together"):
        observe_keypoints(hidden, TrackOptions(two_handed=True))


def test_calibrated_camera_is_used_as_it_is_and_a_lens_without_place_is_placed(tmp_path: Path) -> None:
    K = np.array([[700.0, 0, 250], [0, 700, 240], [0, 0, 1]])
    path = str(tmp_path / "camera.yml")
    storage = cv2.FileStorage(path, cv2.FILE_STORAGE_WRITE)
    storage.write("camera_matrix", K)
    storage.write("distortion_coefficients", np.array([[-0.1, 0.0, 0.0, 0.0, 0.0]]))
    storage.release()
    camera = observe_keypoints(standing(), TrackOptions(camera_file=path)).camera
    assert pytest.approx(K) == camera.K
    assert camera.distortion[0] == pytest.approx(-0.1)
    assert 0.5 < camera.T_world_camera[0, 2, 3] < 2.5


@pytest.mark.skipif(not (DATA / "handtool").exists(), reason=f"{DATA}/handtool is absent")
def test_openpose_hammer_without_a_video() -> None:
    person = read_keypoints(DATA / "handtool/openpose18.npz", sequence="hammer_1", fps=24.0, size_hw=(400, 600))[0]
    seen = observe_keypoints(person, TrackOptions(two_handed=True))
    assert seen.tool is not None
    assert seen.tool.num_frames == seen.contacts.probability.shape[0] == 97
    assert abs(np.rad2deg(np.arcsin(seen.camera.T_world_camera[0, 2, 2]))) < 15
    assert np.isfinite(seen.contacts.probability).all()


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "parkour").exists(), reason=f"{DATA}/parkour is absent")
def test_real_clip_from_pixels() -> None:
    clip = open_clip(DATA / "parkour/pu02_PKLP.mp4", fps=25.0)
    seen = track(
        clip.replace(num_frames=60), TrackOptions(detector="mediapipe_single", tool_head=(Click(300, 100, 0),))
    )
    assert seen.camera.K[1, 1] / seen.camera.K[0, 0] == pytest.approx(16 / 15)
    assert seen.contacts.probability[:20, :2].mean() > 0.9
    assert seen.tool is not None
