"""Calibration files: what they say is what the camera does; and two real views that must agree on a real person."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.camera_file import CameraFileError, load_camera, read_calibration
from perception.detectors.detector import DETECTORS
from perception.person import choose_person
from perception.video import open_clip

DATA = Path(__file__).parents[2].parent / "shared/data/clips/pose2sim"
K = np.array([[900.0, 0, 310], [0, 905, 250], [0, 0, 1]])
LENS = np.array([-0.2, 0.05, 0.001, -0.002, 0.01])
RVEC, TVEC = np.array([1.4, 0.3, -0.2]), np.array([0.1, 0.4, 3.0])

QUALISYS = """<?xml version='1.0' encoding='ASCII'?>
<calibration><cameras>{cameras}</cameras></calibration>"""
CAMERA = """<camera serial="{serial}" viewrotation="0">
<fov_video bottom="479" left="0" right="639" top="0"/>
<transform r11="1" r12="0" r13="0" r21="0" r22="0" r23="1" r31="0" r32="-1" r33="0" x="500" y="-4000" z="1500"/>
<intrinsic centerPointU="20480" centerPointV="15360" focalLengthU="51200" focalLengthV="51264"
 radialDistortion1="-0.1" radialDistortion2="0.02" radialDistortion3="0" tangentalDistortion1="0.001"
 tangentalDistortion2="0.002"/></camera>"""


def write_opencv(path: Path, **extra: np.ndarray) -> Path:
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("image_width", 640)
    storage.write("image_height", 480)
    storage.write("camera_matrix", K)
    storage.write("distortion_coefficients", LENS[None])
    for name, value in extra.items():
        storage.write(name, value)
    storage.release()
    return path


def test_opencv_file_projects_as_opencv_does(tmp_path: Path) -> None:
    path = write_opencv(tmp_path / "camera.yml", rvec=RVEC[:, None], tvec=TVEC[:, None])
    calibration = read_calibration(path, size_hw=(480, 640))
    assert calibration.posed
    p_world = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 20, 3))
    expected = cv2.projectPoints(p_world[0], RVEC, TVEC, K, LENS)[0][:, 0]
    assert calibration.camera.project(p_world)[0] == pytest.approx(expected, abs=1e-6)


def test_opencv_file_without_a_place_says_so(tmp_path: Path) -> None:
    calibration = read_calibration(write_opencv(tmp_path / "camera.yml"))
    assert not calibration.posed
    assert calibration.camera.size_hw == (480, 640)


def test_ros_camera_info(tmp_path: Path) -> None:
    path = tmp_path / "info.yaml"
    path.write_text(
        "image_width: 640\nimage_height: 480\n"
        "camera_matrix: {rows: 3, cols: 3, data: [900, 0, 310, 0, 905, 250, 0, 0, 1]}\n"
        "distortion_model: plumb_bob\ndistortion_coefficients: {rows: 1, cols: 4, data: [-0.2, 0.05, 0, 0]}\n"
    )
    camera = load_camera(path)
    assert pytest.approx(K) == camera.K
    assert camera.distortion == pytest.approx([-0.2, 0.05, 0, 0, 0])


def test_qualisys_looks_along_minus_z_with_y_up(tmp_path: Path) -> None:
    path = tmp_path / "calib.qca.txt"
    path.write_text(QUALISYS.format(cameras=CAMERA.format(serial="left")))
    camera = load_camera(path)
    assert pytest.approx(np.array([[800, 0, 320], [0, 801, 240], [0, 0, 1]])) == camera.K
    assert camera.distortion == pytest.approx([-0.1, 0.02, 0.001, 0.002, 0])
    assert camera.size_hw == (480, 640)
    ahead = np.array([[[0.5, 0.0, 1.5], [0.5, 0.0, 2.0], [1.0, 0.0, 1.5]]])
    uv = camera.project(ahead)[0]
    assert camera.depth(ahead)[0] == pytest.approx([4.0, 4.0, 4.0])
    assert uv[0] == pytest.approx([320.0, 240.0])
    assert uv[1, 1] < 240.0
    assert uv[2, 0] > 320.0


def test_qualisys_camera_is_chosen_by_name_or_number(tmp_path: Path) -> None:
    path = tmp_path / "calib.qca.txt"
    second = CAMERA.format(serial="right").replace('x="500"', 'x="700"')
    path.write_text(QUALISYS.format(cameras=CAMERA.format(serial="left") + second))
    assert load_camera(path, name="right").T_world_camera[0, 0, 3] == pytest.approx(0.7)
    assert load_camera(path, name="0").T_world_camera[0, 0, 3] == pytest.approx(0.5)
    with pytest.raises(CameraFileError, match="several cameras; choose one by name: left, right"):
        load_camera(path)
    with pytest.raises(CameraFileError, match="no camera named 'middle'; there are: left, right"):
        load_camera(path, name="middle")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", "neither YAML nor XML"),
        ("width: 3", "no camera_matrix"),
        ("camera_matrix: [1, 2, 3]", "camera_matrix has 3 numbers; expected 9"),
        ("camera_matrix: [a, 0, 1, 0, 1, 1, 0, 0, 1]", "camera_matrix is not a matrix of numbers"),
        ("camera_matrix: [-9, 0, 1, 0, 9, 1, 0, 0, 1]\nimage_width: 4\nimage_height: 4", "positive fx, fy"),
        ("camera_matrix: [9, 0, 1, 0, 9, 1, 0, 0, 1]", "no image_width and image_height"),
        ("camera_matrix: [9, 0, 1, 0, 9, 1, 0, 0, 1]\ndistortion_coefficients: [0, 0, 0, 0, 0, 1]", "6 distortion"),
        ("camera_matrix: [9, 0, 1, 0, 9, 1, 0, 0, 1]\ndistortion_model: equidistant", "lens model 'equidistant'"),
        ("<?xml version='1.0'?><calibration><cam", "damaged XML"),
        ("<calibration><camera serial='a'/></calibration>", "camera a lacks intrinsic"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "camera.yml"
    path.write_text(text)
    with pytest.raises(CameraFileError, match=message):
        load_camera(path)


def test_missing_binary_and_other_size(tmp_path: Path) -> None:
    with pytest.raises(CameraFileError, match="no such file"):
        load_camera(tmp_path / "none.yml")
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(CameraFileError, match="not a text file"):
        load_camera(tmp_path / "binary.yml")
    with pytest.raises(CameraFileError, match="calibrated for 640 x 480 px, but the clip has 720 x 576 px"):
        load_camera(write_opencv(tmp_path / "camera.yml"), size_hw=(576, 720))


@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is absent")
def test_real_qualisys_cameras_stand_around_the_origin() -> None:
    cameras = [load_camera(DATA / "Calib.qca.txt", name=f"cam0{i}", size_hw=(1920, 1080)) for i in (1, 2)]
    for camera in cameras:
        place = camera.T_world_camera[0, :3, 3]
        assert 0.5 < place[2] < 3.0
        origin = camera.project(np.array([[[0.0, 0.0, 1.0]]]))[0, 0]
        assert camera.depth(np.array([[[0.0, 0.0, 1.0]]]))[0, 0] > 1.0
        assert (np.array([0, 0]) < origin).all()
        assert (origin < np.array([1080, 1920])).all()


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is absent")
def test_two_real_views_agree_on_a_person() -> None:
    cameras, people = [], []
    for name in ("cam01", "cam02"):
        clip = open_clip(DATA / f"{name}.mp4").replace(num_frames=40)
        people.append(choose_person(DETECTORS.load("mediapipe_single")().detect(clip)))
        cameras.append(load_camera(DATA / "Calib.qca.txt", name=name, size_hw=clip.size_hw))
    sure = np.minimum(people[0].confidence, people[1].confidence) > 0.7
    assert sure.mean() > 0.3
    rays = [camera.rays(person.uv)[sure] for camera, person in zip(cameras, people, strict=True)]
    places = [camera.T_world_camera[0, :3, 3] for camera in cameras]
    # The point nearest to both rays: sum of (1 - r r^T) x = sum of (1 - r r^T) c.
    across = [np.eye(3) - r[:, :, None] * r[:, None, :] for r in rays]
    p_world = np.linalg.solve(sum(across), sum(A @ c for A, c in zip(across, places, strict=True))[..., None])[..., 0]
    for camera, person in zip(cameras, people, strict=True):
        error = np.linalg.norm(camera.project(p_world[None])[0] - person.uv[sure], axis=1)
        assert np.median(error) < 10.0  # 0.5 % of the image; other conventions for the axes give 28 px and more
    assert np.percentile(p_world[:, 2], 2) > -0.2
    assert 1.3 < np.percentile(p_world[:, 2], 98) < 2.2
