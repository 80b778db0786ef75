"""The vertical from edges: exact for a drawn room, wide where little is seen, right in rooms that were calibrated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.camera import fit_camera, level_axes
from perception.camera_file import load_camera
from perception.vertical import PITCHES, ROLLS, still_segments, vertical_of
from perception.video import open_clip, write_video
from records import Camera, Keypoints

POSE2SIM = Path(__file__).parents[2].parent / "shared/data/clips/pose2sim"
K = np.array([[900.0, 0, 640], [0, 900, 360], [0, 0, 1]])


def camera_at(roll, pitch, K=K):
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = level_axes(roll, pitch), [0, 0, 1.5]
    return Camera(K=K, T_world_camera=T[None], size_hw=(720, 1280))


def posts(camera, count=20, seed=0, noise=0.5):
    """Segments of upright posts 3 to 8 m away, as an edge detector cuts and finds them [px]."""
    rng = np.random.default_rng(seed)
    foot = np.stack([rng.uniform(-2.5, 2.5, count), rng.uniform(3, 8, count), rng.uniform(0, 1.2, count)], axis=1)
    top = foot + [0, 0, 1] * rng.uniform(0.4, 1.0, (count, 1))
    ends = camera.project(np.stack([foot, top], axis=1)).reshape(count, 4)
    return ends + noise * rng.standard_normal(ends.shape)


def strewn(count, seed=1):
    """Segments in any direction."""
    rng = np.random.default_rng(seed)
    middle, angle = rng.uniform([200, 150], [1080, 570], (count, 2)), rng.uniform(0, np.pi, count)
    half = 50 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.hstack([middle - half, middle + half])


def sigmas(vertical):
    return np.rad2deg(np.sqrt(np.diag(vertical.covariance)))


@pytest.mark.parametrize(("roll", "pitch"), [(0, 0), (4, -3), (-12, 24), (2, 12)])
def test_posts_tell_the_tilt(roll, pitch):
    camera = camera_at(*np.deg2rad([roll, pitch]))
    for clutter in (0, 30):
        found = vertical_of(np.vstack([posts(camera, 40), strewn(clutter)]), camera)
        error = np.rad2deg([found.roll, found.pitch]) - [roll, pitch]
        assert np.all(np.abs(error) < 3 * sigmas(found))
        assert abs(error[0]) < 0.5
        assert sigmas(found)[0] < 0.7


def test_the_order_of_ends_and_square_pixels_do_not_matter():
    tall = K * np.array([[1], [16 / 15], [1]])
    camera = camera_at(0.05, -0.03, tall)
    segments = posts(camera, 40, noise=0.0)
    found = vertical_of(segments, camera)
    assert np.rad2deg([found.roll, found.pitch]) == pytest.approx(np.rad2deg([0.05, -0.03]), abs=0.2)
    turned = vertical_of(segments[:, [2, 3, 0, 1]], camera)
    np.testing.assert_allclose([turned.roll, turned.pitch], [found.roll, found.pitch], atol=1e-9)


def test_few_segments_tell_little_and_none_tells_nothing():
    camera = camera_at(np.deg2rad(5.0), 0.0)
    none, one, many = (sigmas(vertical_of(posts(camera, n), camera)) for n in (0, 1, 60))
    uniform = np.rad2deg([np.ptp(ROLLS), np.ptp(PITCHES)]) / np.sqrt(12)
    np.testing.assert_allclose(none, uniform, rtol=0.05)
    assert np.all(one > 0.5 * uniform)
    assert np.all(many < 0.2 * uniform)


def test_errors_are_as_large_as_said():
    """Over cameras and scenes, errors over sigmas have a root mean square near 1; not above it."""
    ratios = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        tilt = np.deg2rad(rng.uniform([-6, -15], [6, 15]))
        camera = camera_at(*tilt)
        found = vertical_of(np.vstack([posts(camera, int(rng.integers(4, 40)), seed), strewn(10, seed)]), camera)
        ratios.append((np.array([found.roll, found.pitch]) - tilt) / np.sqrt(np.diag(found.covariance)))
    assert np.all(np.sqrt(np.mean(np.square(ratios), axis=0)) < 1.2)


def test_the_edge_of_the_picture_is_not_part_of_the_world():
    camera = camera_at(0.1, 0.0)
    frame = np.array([[2.0, 10, 2.0, 700]] * 30)
    found = vertical_of(np.vstack([posts(camera), frame]), camera)
    assert np.rad2deg(found.roll) == pytest.approx(np.rad2deg(0.1), abs=0.7)


def test_what_moves_is_gone_from_the_still_picture(tmp_path):
    frames = np.full((13, 240, 320, 3), 200, np.uint8)
    frames[:, 20:220, 100:110] = 40
    for n, frame in enumerate(frames):
        frame[60:200, 130 + 10 * n : 150 + 10 * n] = 90
    write_video(tmp_path / "post.mp4", iter(frames), 12.0)
    found = still_segments(open_clip(tmp_path / "post.mp4"))
    long = found[np.hypot(*(found[:, 2:] - found[:, :2]).T) > 100]
    assert len(long)
    assert np.all(np.abs(long[:, [0, 2]] - 105) < 8)


def nobody(fps=25.0):
    return Keypoints(names=("nose",), uv=np.zeros((3, 1, 2)), confidence=np.zeros((3, 1)), fps=fps, size_hw=(720, 1280))


def test_the_camera_follows_the_posts_where_nobody_stands_and_says_how_sure_it_is():
    camera = camera_at(np.deg2rad(-8.0), np.deg2rad(6.0))
    blind = fit_camera(nobody(), focal=900.0)
    seen = fit_camera(nobody(), focal=900.0, segments=posts(camera, 40))
    guessed = fit_camera(nobody(), segments=posts(camera, 40))
    up = seen.camera.T_world_camera[0, 2, :3]
    assert np.rad2deg(np.arccos(up @ camera.T_world_camera[0, 2, :3])) < 1.5
    assert "vertical" in blind.assumed
    assert "vertical" not in seen.assumed
    assert seen.sigma_roll < 0.5 * blind.sigma_roll
    assert guessed.sigma_pitch > seen.sigma_pitch
    np.testing.assert_array_equal(seen.camera.tilt_sigma, [seen.sigma_pitch, seen.sigma_roll])


@pytest.mark.skipif(not POSE2SIM.is_dir(), reason="the calibrated clips of ../shared/data are absent")
@pytest.mark.parametrize("name", ["cam01", "cam02"])
def test_calibrated_cameras(name):
    truth = load_camera(POSE2SIM / "Calib.qca.txt", name=name)
    found = vertical_of(still_segments(open_clip(POSE2SIM / f"{name}.mp4")), truth)
    down = -truth.T_world_camera[0, 2, :3]
    error = np.array([found.roll - np.arctan2(down[0], down[1]), found.pitch - np.arcsin(down[2])])
    assert np.all(np.abs(error) < 2 * np.sqrt(np.diag(found.covariance)))
    assert np.rad2deg(np.abs(error[0])) < 1
    assert np.rad2deg(np.abs(error[1])) < 4, "lines that recede on the floor look upright, too: pitch is the harder one"
