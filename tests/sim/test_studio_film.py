"""Clips of the studio's movements: what is drawn is what is true, forces carry the body, detections resemble it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from motion.body import body_of
from perception.video import read_frames
from sim.studio_film import centred, film, seen_from, true_performance
from sim.studio_moves import perform
from sim.studio_seen import POINTS, detected

SIZE_HW = (240, 320)
FPS = 25.0


def test_a_clip_shows_the_person_where_the_truth_is(tmp_path: Path) -> None:
    drawn = film(tmp_path / "clip.mp4", "squat", seed=1, seconds=0.2, size_hw=SIZE_HW)
    frames = np.array(list(read_frames(drawn.clip)), float)
    truth = drawn.truth
    assert len(frames) == truth.person.num_frames == 5
    body = body_of(truth.person)
    hips = truth.camera.project(body.site_positions(truth.person.q, ["l_hip", "r_hip", "neck"]))[0].round().astype(int)
    assert (hips > 0).all()
    assert (hips < np.array(SIZE_HW[::-1])).all()
    corner = frames[0, :20, :20].mean(axis=(0, 1))
    seen = [np.abs(frames[0, y - 2 : y + 3, x - 2 : x + 3].mean(axis=(0, 1)) - corner).max() for x, y in hips]
    assert min(seen) > 15, "clothes differ from the wall"


def test_hands_bear_who_hangs_and_feet_who_stands() -> None:
    for move, bearing in (("muscle_up", [2, 3]), ("squat", [0, 1])):
        done = centred(perform(move, seed=2, seconds=0.8))
        camera = seen_from(done, np.random.default_rng(0), SIZE_HW)
        truth = true_performance(done, camera)
        weight = 9.81 * done.body.mass
        risen = np.diff(done.body.centre_of_mass(done.q)[:, 2], 2).mean() * FPS**2
        up = truth.forces.wrench[..., 2]
        assert done.touch[:, bearing].all()
        np.testing.assert_allclose(up[1:-1, bearing].sum(axis=1).mean(), weight + done.body.mass * risen, rtol=0.02)
        rest = [c for c in range(4) if c not in bearing]
        assert np.abs(up[:, rest]).max() < 0.01 * weight
        points = camera.project(done.body.site_positions(done.q, ["head", "l_toes", "r_toes"]))
        assert points.min() > 0
        assert (points < np.array(SIZE_HW[::-1])).all()


def test_simulated_detections_err_by_a_few_per_cent_of_the_stature_and_not_like_white_noise() -> None:
    done = centred(perform("stand", seed=2, seconds=2.0))
    camera = seen_from(done, np.random.default_rng(0), SIZE_HW)
    found = [detected(done, camera, np.random.default_rng(seed)) for seed in range(6)]
    points = done.body.site_positions(done.q, POINTS)
    true = camera.project(points)
    apparent = camera.K[0, 0] * done.body.height / np.median(camera.depth(points))
    error = np.array([keypoints.uv - true for keypoints in found]) / apparent
    assert 0.005 < np.median(np.linalg.norm(error, axis=-1)) < 0.05
    quick = np.median(np.linalg.norm(np.diff(error, axis=1), axis=-1))
    assert quick < 0.4 * np.median(np.linalg.norm(error, axis=-1)), "errors of one frame are those of the next"
    assert all(keypoints.confidence.min() > 0 and keypoints.confidence.max() <= 1 for keypoints in found)
    again = detected(done, camera, np.random.default_rng(0))
    np.testing.assert_array_equal(again.uv, found[0].uv)
