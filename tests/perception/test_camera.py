"""The camera: its axes, what it finds for a person of known place, and what it says when it knows nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.camera import fit_camera, level_axes
from perception.camera_file import load_camera
from perception.detectors.detector import DETECTORS
from perception.person import choose_person
from perception.placement import SEGMENTS, place, rotation_to_ray
from perception.video import open_clip
from records import Camera, Keypoints

POSE2SIM = Path(__file__).parents[2].parent / "shared/data/clips/pose2sim"
HEIGHT = 1.75
STANDING = {  # a person of 1 m per body height, facing -y, origin between the soles
    "nose": (0.0, -0.08, 0.93),
    "l_shoulder": (0.129, 0.0, 0.818),
    "r_shoulder": (-0.129, 0.0, 0.818),
    "l_elbow": (0.15, 0.0, 0.633),
    "r_elbow": (-0.15, 0.0, 0.633),
    "l_wrist": (0.16, 0.0, 0.487),
    "r_wrist": (-0.16, 0.0, 0.487),
    "l_hip": (0.0955, 0.0, 0.53),
    "r_hip": (-0.0955, 0.0, 0.53),
    "l_knee": (0.0955, 0.0, 0.285),
    "r_knee": (-0.0955, 0.0, 0.285),
    "l_ankle": (0.0955, 0.0, 0.039),
    "r_ankle": (-0.0955, 0.0, 0.039),
}


def camera_at(roll: float, pitch: float, height: float, distance: float, focal: float = 1000.0) -> Camera:
    T = np.eye(4)
    T[:3, :3] = level_axes(roll, pitch)
    T[:3, 3] = [0.0, -distance, height]
    K = np.array([[focal, 0, 640.0], [0, focal, 360.0], [0, 0, 1]])
    return Camera(K=K, T_world_camera=T[None], size_hw=(720, 1280))


def seen_by(camera: Camera, places: np.ndarray, *, landmarks: bool, fps: float = 30.0) -> Keypoints:
    """A person who stands at each of `places` (T, 2) m in turn."""
    body = HEIGHT * np.array(list(STANDING.values()))
    feet = np.concatenate([places, np.zeros((len(places), 1))], axis=1)
    p_world = body[None] + feet[:, None]
    p_camera = camera.to_camera(p_world)
    xyz = None
    if landmarks:
        root = p_camera.mean(axis=1, keepdims=True)
        turn = rotation_to_ray(root[:, 0, :2] / root[:, 0, 2:])
        xyz = np.einsum("tji,tkj->tki", turn, p_camera - root)
    return Keypoints(
        names=tuple(STANDING),
        uv=camera.project(p_world),
        confidence=np.ones(p_world.shape[:2]),
        xyz=xyz,
        fps=fps,
        size_hw=camera.size_hw,
    )


@given(st.floats(-0.5, 0.5), st.floats(-1.0, 1.0))
def test_level_axes_are_a_rotation_with_level_x(roll: float, pitch: float) -> None:
    R = level_axes(roll, pitch)
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(R) == pytest.approx(1.0)
    assert R[2, 2] == pytest.approx(-np.sin(pitch))
    assert R[0, 2] == pytest.approx(0.0, abs=1e-12)


def test_camera_that_looks_down_sees_the_horizon_above_the_middle() -> None:
    camera = camera_at(0.0, 0.2, 1.5, 4.0)
    horizon = camera.project(np.array([[[0.0, 1e6, 1.5]]]))[0, 0]
    assert horizon == pytest.approx([640.0, 360.0 - 1000 * np.tan(0.2)], abs=0.1)


def test_rotation_to_ray_takes_the_axis_to_the_ray() -> None:
    plane = np.array([[0.3, -0.2], [0.0, 0.0]])
    R = rotation_to_ray(plane)
    ray = np.array([0.3, -0.2, 1.0]) / np.linalg.norm([0.3, -0.2, 1.0])
    assert R[0] @ [0, 0, 1] == pytest.approx(ray)
    assert R[1] == pytest.approx(np.eye(3))
    assert R[0] @ R[0].T == pytest.approx(np.eye(3))


@pytest.mark.parametrize("landmarks", [True, False])
def test_person_is_placed_where_they_are(landmarks: bool) -> None:
    camera = camera_at(0.0, 0.05, 1.4, 5.0)
    person = seen_by(camera, np.array([[0.0, 0.0], [1.0, 0.5]]).repeat(20, axis=0), landmarks=landmarks)
    placed = place(person, camera, height=HEIGHT)
    true = camera.depth(np.array([[[0.0, 0.0, 0.9]], [[1.0, 0.5, 0.9]]]).repeat(20, axis=0))[:, 0]
    found = placed.p_camera[..., 2].mean(axis=1)
    assert found[[5, -5]] == pytest.approx(true[[5, -5]], rel=0.03)


def test_segments_of_the_test_person_are_anthropometric() -> None:
    for (a, b), fraction in SEGMENTS.items():
        length = np.linalg.norm(np.subtract(STANDING[f"l_{a}"], STANDING[f"l_{b}"]))
        assert length == pytest.approx(fraction, abs=0.012)


def walk_about() -> np.ndarray:
    """Eight places, a second at each."""
    places = [[0, 0], [1.5, 0.5], [1.0, 2.5], [-1.5, 3.0], [-1.5, -0.5], [0, 1.5], [1.8, -0.8], [-0.5, 3.5]]
    return np.array(places, np.float64).repeat(30, axis=0)


def test_tilted_camera_is_recovered_from_standing_and_stepping() -> None:
    true = camera_at(np.deg2rad(3.0), np.deg2rad(5.0), 1.6, 6.0)
    person = seen_by(true, walk_about(), landmarks=True)
    estimate = fit_camera(person, focal=1000.0, height=HEIGHT)
    R = estimate.camera.T_world_camera[0, :3, :3]
    up_error = np.rad2deg(np.arccos(R[2] @ true.T_world_camera[0, 2, :3]))
    assert up_error < 1.6
    assert estimate.camera.T_world_camera[0, 2, 3] == pytest.approx(1.6, abs=0.15)
    assert estimate.sigma_roll < np.deg2rad(2.0)
    assert estimate.sigma_pitch < np.deg2rad(4.0)
    assert estimate.assumed == ()
    ground = estimate.camera.T_world_camera[0, :3, 3] + R @ place(person, true, height=HEIGHT).p_camera[0].mean(axis=0)
    assert ground[:2] == pytest.approx([0.0, 0.0], abs=1e-6)


def test_camera_held_high_and_looking_down_is_believed_against_the_level_prior() -> None:
    true = camera_at(0.0, np.deg2rad(22.0), 2.6, 5.0)
    estimate = fit_camera(seen_by(true, walk_about(), landmarks=True), focal=1000.0, height=HEIGHT)
    pitch = np.rad2deg(np.arcsin(-estimate.camera.T_world_camera[0, 2, 2]))
    assert pitch == pytest.approx(22.0, abs=2.0)
    assert estimate.camera.T_world_camera[0, 2, 3] == pytest.approx(2.6, abs=0.25)


def test_a_moment_of_leaning_does_not_tilt_the_camera() -> None:
    true = camera_at(np.deg2rad(15.0), 0.0, 1.4, 5.0)
    estimate = fit_camera(seen_by(true, np.zeros((5, 2)), landmarks=True), focal=1000.0, height=HEIGHT)
    assert np.rad2deg(np.arccos(-estimate.camera.T_world_camera[0, 2, 1])) < 4.0


def test_level_camera_stays_level() -> None:
    person = seen_by(camera_at(0.0, 0.0, 1.3, 5.0), walk_about(), landmarks=False)
    camera = fit_camera(person, focal=1000.0, height=HEIGHT).camera
    assert np.rad2deg(np.arccos(-camera.T_world_camera[0, 2, 1])) < 0.5


def test_nothing_seen_gives_a_level_camera_that_says_so() -> None:
    blank = Keypoints(
        names=("l_wrist", "r_wrist"), uv=np.zeros((5, 2, 2)), confidence=np.zeros((5, 2)), fps=25.0, size_hw=(480, 640)
    )
    estimate = fit_camera(blank)
    assert estimate.assumed == ("focal", "vertical", "ground", "distance")
    assert estimate.camera.T_world_camera[0] == pytest.approx(
        np.array([[1, 0, 0, 0], [0, 0, 1, -3.0], [0, -1, 0, 1.4], [0, 0, 0, 1]])
    )
    assert estimate.camera.K[0, 0] == pytest.approx(0.9 * 800)


def test_pixels_that_are_not_square() -> None:
    blank = Keypoints(
        names=("nose",), uv=np.zeros((2, 1, 2)), confidence=np.zeros((2, 1)), fps=25.0, size_hw=(576, 720)
    )
    K = fit_camera(blank, pixel_aspect=16 / 15).camera.K
    assert K[1, 1] / K[0, 0] == pytest.approx(16 / 15)
    assert K[0, 0] == pytest.approx(0.9 * np.hypot(720, 540))


@pytest.mark.parametrize("wrong", [{"focal": 0.0}, {"height": -1.0}, {"pixel_aspect": 0.0}])
def test_impossible_numbers_are_refused(wrong: dict[str, float]) -> None:
    blank = Keypoints(
        names=("nose",), uv=np.zeros((2, 1, 2)), confidence=np.zeros((2, 1)), fps=25.0, size_hw=(576, 720)
    )
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be positive"):
        fit_camera(blank, **wrong)


@pytest.mark.slow
@pytest.mark.skipif(not POSE2SIM.exists(), reason=f"{POSE2SIM} is absent")
@pytest.mark.parametrize("name", ["cam01", "cam02"])
def test_real_cameras_that_look_down_are_found_from_the_person(name: str) -> None:
    clip = open_clip(POSE2SIM / f"{name}.mp4")
    true = load_camera(POSE2SIM / "Calib.qca.txt", name=name, size_hw=clip.size_hw)
    person = choose_person(DETECTORS.load("mediapipe_single")().detect(clip))
    estimate = fit_camera(person)
    down, true_down = (-np.asarray(c.T_world_camera[0, 2, :3]) for c in (estimate.camera, true))
    # They look down by 22 and 18 degrees; a level camera would be that far off.
    assert abs(np.rad2deg(np.arcsin(down[2]) - np.arcsin(true_down[2]))) < 8.0
    assert estimate.camera.T_world_camera[0, 2, 3] == pytest.approx(true.T_world_camera[0, 2, 3], abs=0.35)
    assert abs(np.log(estimate.camera.K[0, 0] / true.K[0, 0])) < 1.5 * estimate.sigma_log_focal
