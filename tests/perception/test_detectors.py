from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from perception.detectors.detector import DETECTORS, READERS, DetectionError, load_detector, read_keypoints
from perception.detectors.mediapipe_pose import NAMES, MediaPipePose, _Sighting, fuse, single_view
from perception.detectors.pose_models import PARTS, packaged_task
from perception.person import choose_person
from perception.video import open_clip, write_video
from records import Keypoints

DATA = Path(__file__).parents[2].parent / "shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")


@pytest.mark.parametrize("table", [DETECTORS, READERS], ids=lambda table: table.kind)
def test_every_entry_of_the_table_loads(table):
    for name in table:
        assert callable(table.load(name))


def sighting(value, confidence=1.0):
    return _Sighting(np.full((2, 3, 2), value), np.full((2, 3, 3), value), np.full((2, 3), confidence))


def test_fusion_is_the_mean_of_passes_that_agree():
    fused = fuse([sighting(100.0), sighting(101.0)], (480, 640), 25.0)
    np.testing.assert_allclose(fused.uv, 100.5)
    np.testing.assert_allclose(fused.confidence, 1, atol=0.01)


def test_fusion_is_not_pulled_by_one_wrong_pass_nor_by_a_missing_one():
    passes = [sighting(100.0), sighting(101.0), sighting(400.0), sighting(0.0, confidence=0.0)]
    fused = fuse(passes, (480, 640), 25.0)
    assert np.abs(fused.uv - 100.5).max() < 3
    assert np.isfinite(fuse([sighting(0.0, confidence=0.0)] * 2, (480, 640), 25.0).uv).all()


def test_a_moment_in_which_every_view_is_wrong_is_hardly_believed():
    views = [_Sighting(np.full((9, 1, 2), 100.0), np.zeros((9, 1, 3)), np.ones((9, 1))) for _ in range(2)]
    for view in views:
        view.uv[4:6] = 400.0
    fused = fuse(views, (480, 640), 25.0)
    assert fused.confidence[4:6].max() < 0.01
    np.testing.assert_allclose(np.delete(fused.confidence, [4, 5]), 1)


def test_a_clip_without_a_person_gives_no_candidates(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (3, 120, 160, 3), dtype=np.uint8)
    clip = open_clip(write_video(tmp_path / "noise.mp4", noise, 10))
    assert single_view().detect(clip) == []


@needs_data
def test_fused_views_find_the_vaulting_person():
    clip = open_clip(DATA / "parkour/kv02_PKLP.mp4", fps=25, start=0.4, end=0.8)
    (person,) = MediaPipePose().detect(clip)
    assert person.names == NAMES
    assert person.seen.any(axis=1).all()
    width = person.xyz[:, person.index("l_hip")] - person.xyz[:, person.index("r_hip")]
    assert 0.1 < np.linalg.norm(width, axis=1).mean() < 0.35, "hips are a hand's width or two apart [m]"
    assert choose_person([person]).seen.any(axis=1).mean() > 0.95


@needs_data
def test_a_task_file_of_the_bundled_networks_sees_what_the_bundled_model_sees(tmp_path):
    path = tmp_path / "pose.task"
    path.write_bytes(packaged_task().content)
    clip = open_clip(DATA / "parkour/kv01_PKFC.mp4", fps=25, end=0.16)
    (task,) = load_detector(str(path)).detect(clip)
    (packaged,) = load_detector("mediapipe").detect(clip)
    assert task.names == packaged.names == NAMES
    assert task.seen.all()
    distance = np.linalg.norm(task.uv - packaged.uv, axis=-1)
    assert np.median(distance) < 0.02 * np.ptp(packaged.uv[..., 1], axis=1).mean()


@pytest.mark.parametrize("content", [None, b"not a model", "other.zip", "broken"])
def test_a_wrong_task_file_is_one_clear_line(tmp_path, content):
    path = tmp_path / "pose.task"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        names = ["hand_detector.tflite"] if content == "other.zip" else list(PARTS)
        with zipfile.ZipFile(path, "w") as bundle:
            for name in names:
                bundle.writestr(name, b"weights")
    noise = np.random.default_rng(0).integers(0, 255, (3, 120, 160, 3), dtype=np.uint8)
    clip = open_clip(write_video(tmp_path / "noise.mp4", noise, 10))
    with pytest.raises(DetectionError, match=r"pose\.task: (cannot be read|not a|holds no|LiteRT cannot)") as caught:
        load_detector(str(path)).detect(clip)
    assert "\n" not in str(caught.value)


def test_a_task_detector_needs_its_file():
    with pytest.raises(DetectionError, match=r"--detector PATH\.task"):
        load_detector("mediapipe_task")


@needs_data
def test_openpose_arrays_of_a_sequence():
    path = DATA / "handtool/openpose18.npz"
    (person,) = read_keypoints(path, sequence="hammer_1", fps=24, size_hw=(400, 600))
    assert (person.num_frames, person.size_hw) == (97, (400, 600))
    assert person.uv[:, person.index("r_wrist"), 1].max() < 400
    with pytest.raises(DetectionError, match=r"--sequence: barbell_1, .*spade_3"):
        read_keypoints(path)


def test_openpose_folder_follows_two_people(tmp_path):
    for frame in range(5):
        people = [np.zeros((25, 3)), np.zeros((25, 3))]
        for person, (body, x) in enumerate(zip(people, (100, 400), strict=True)):
            body[:, 0], body[:, 1], body[:, 2] = x + frame, np.linspace(50, 300, 25), 0.9
            if person == 1 and frame == 2:
                body[:, 2] = 0
        shown = people if frame % 2 else people[::-1]
        content = {"people": [{"pose_keypoints_2d": body.ravel().tolist()} for body in shown if body[:, 2].any()]}
        (tmp_path / f"clip_{frame:012d}_keypoints.json").write_text(json.dumps(content))
    first, second = read_keypoints(tmp_path, fps=30, size_hw=(480, 640))
    assert first.uv[:, 0, 0].tolist() == [100, 101, 102, 103, 104]
    assert second.seen.any(axis=1).tolist() == [True, True, False, True, True], "a gap stays a gap"
    (tmp_path / "clip_000000000009_keypoints.json").write_text("{}")
    with pytest.raises(DetectionError, match="not an OpenPose keypoint file"):
        read_keypoints(tmp_path)


def test_tidy_table(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("frame,name,x,y,confidence\n0,l_hip,10,20,0.5\n2,l_hip,12,22,\n2,r_hip,30,20,1\n")
    (person,) = read_keypoints(path, fps=50)
    assert person.names == ("l_hip", "r_hip")
    assert person.confidence.tolist() == [[0.5, 0], [0, 0], [1, 1]]
    path.write_text("frame,name,x\n0,l_hip,10\n")
    with pytest.raises(DetectionError, match="lacks the column 'y'"):
        read_keypoints(path)
    path.write_text("frame,name,x,y\n0,l_hip,ten,2\n")
    with pytest.raises(DetectionError, match="line 2"):
        read_keypoints(path)


def test_saved_records_and_unknown_files(tmp_path):
    person = Keypoints(names=("nose",), uv=np.ones((4, 1, 2)), confidence=np.ones((4, 1)), fps=25, size_hw=(10, 10))
    assert read_keypoints(person.save(tmp_path / "person.npz")) == [person]
    with pytest.raises(DetectionError, match="no such file"):
        read_keypoints(tmp_path / "none")
    (tmp_path / "points.txt").write_text("")
    with pytest.raises(DetectionError, match="unknown kind of keypoints"):
        read_keypoints(tmp_path / "points.txt")
