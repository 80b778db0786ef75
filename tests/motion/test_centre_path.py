from __future__ import annotations

import numpy as np
import pytest

from motion.block_quadratic import BlockQuadratic
from motion.centre_path import SIZE, add_path, second_difference, seen_path, whitening
from records import Camera

G = np.array([0, 0, -9.81])
FPS = 25.0


def test_a_sum_of_squares_is_that_of_least_squares():
    rng = np.random.default_rng(0)
    frames, size = 5, 3
    total = BlockQuadratic(frames, size)
    own, target = rng.standard_normal((frames, 4, 2)), rng.standard_normal((frames, 4))
    before, after = rng.standard_normal((2, frames - 1, 3, size))
    step = rng.standard_normal((frames - 1, 3))
    total.add(own, target)
    total.tie(before, after, step)
    total.tie(before, 2 * after)
    rows, right = [], []
    for t in range(frames):
        row = np.zeros((4, frames, size))
        row[:, t, :2] = own[t]
        rows.append(row.reshape(4, -1))
        right.append(target[t])
    for t in range(frames - 1):
        for scale, goal in ((1, step[t]), (2, np.zeros(3))):
            row = np.zeros((3, frames, size))
            row[:, t], row[:, t + 1] = before[t], scale * after[t]
            rows.append(row.reshape(3, -1))
            right.append(goal)
    A, b = np.concatenate(rows), np.concatenate(right)
    H = np.zeros((frames, size, frames, size))
    for t in range(frames):
        H[t, :, t] = total.H[t]
    for t in range(frames - 1):
        H[t, :, t + 1], H[t + 1, :, t] = total.coupling[t], total.coupling[t].T
    np.testing.assert_allclose(H.reshape(A.shape[1], -1), A.T @ A, atol=1e-12)
    np.testing.assert_allclose(total.g.ravel(), -A.T @ b, atol=1e-12)


@pytest.mark.parametrize("frames", [1, 2, 3, 20])
def test_a_path_goes_on_along_its_parabola(frames):
    t = np.arange(frames)[:, None] / FPS
    com = np.array([1.0, 2, 3]) + t * [0.5, 0, 1] + (0.5 * t**2 * G if frames > 2 else 0)
    seen = seen_path(com, FPS, 0.06)
    extra = (len(seen.position) - frames) // 2
    assert extra == 10
    np.testing.assert_allclose(seen.position[extra:-extra], com)
    time = (np.arange(len(seen.position))[:, None] - extra) / FPS
    along = (
        np.array([1.0, 2, 3])
        + 0 * time
        + (time * [0.5, 0, 1] if frames > 1 else 0)
        + (0.5 * time**2 * G if frames > 2 else 0)
    )
    np.testing.assert_allclose(seen.position, along, atol=1e-9)
    assert seen.frames.min() == 0
    assert seen.frames.max() == frames - 1


def test_errors_are_wider_along_the_line_of_sight():
    seen = seen_path(np.array([[1.0, 2, 3], [1, 2, 3.1], [1, 2, 3.2]]), FPS, 0.06)
    pose = np.eye(4)
    pose[:3, 3] = [0, 2, 1]
    camera = Camera(K=np.diag([500.0, 500, 1]), T_world_camera=pose[None], size_hw=(100, 100))
    whiten = whitening(seen, camera, 0.02, 0.05)
    for W, p in zip(whiten, seen.position, strict=True):
        ray = (p - [0, 2, 1]) / np.linalg.norm(p - [0, 2, 1])
        covariance = np.linalg.inv(W.T @ W)
        assert np.sqrt(ray @ covariance @ ray) == pytest.approx(0.05)
        assert np.sqrt(covariance[1, 1]) == pytest.approx(0.02)
    np.testing.assert_allclose(whitening(seen, None, 0.02, 0.05)[0], np.eye(3) / 0.02)


def path_of(com, slack, across):
    """Most probable force per mass and path, where a force may be anything."""
    seen = seen_path(com, FPS, 0.06)
    frames = len(seen.position)
    total = BlockQuadratic(frames, 3 + SIZE)
    total.add(np.broadcast_to(1e-3 * np.eye(3), (frames, 3, 3)), np.zeros((frames, 3)))
    unit = add_path(total, seen, np.eye(3), np.full(frames, slack), whitening(seen, None, across, across), FPS, 0.2)
    size = frames * (3 + SIZE)
    H = np.zeros((frames, 3 + SIZE, frames, 3 + SIZE))
    for t in range(frames):
        H[t, :, t] = total.H[t]
    for t in range(frames - 1):
        H[t, :, t + 1], H[t + 1, :, t] = total.coupling[t], total.coupling[t].T
    x = np.linalg.solve(H.reshape(size, size), -total.g.ravel()).reshape(frames, -1)
    inside = slice(10, 10 + len(com))
    return x[inside, :3], unit * x[inside, 3:6]


def test_forces_are_what_a_path_demands():
    t = np.arange(20)[:, None] / FPS
    com = 0.05 * np.sin(6 * t) * [1, 0, 1] + [0, 0, 1]
    force, error = path_of(com, 1e-3, 1e-6)
    np.testing.assert_allclose(force[1:-1], (second_difference(com) * FPS**2 - G)[1:-1], atol=1e-3)
    np.testing.assert_allclose(error, 0, atol=1e-6)


def test_free_fall_demands_nothing_and_rest_the_weight():
    t = np.arange(20)[:, None] / FPS
    force, _ = path_of([0, 0, 1] + t * [1, 0, 2] + 0.5 * t**2 * G, 0.1, 0.02)
    np.testing.assert_allclose(force, 0, atol=1e-6)
    force, _ = path_of(np.tile([0.0, 0, 1], (20, 1)), 0.1, 0.02)
    np.testing.assert_allclose(force, np.tile(-G, (20, 1)), rtol=2e-3, atol=1e-6)
