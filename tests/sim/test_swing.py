"""Strokes freed from noise."""

from __future__ import annotations

import numpy as np
import pytest
from strokes import hammer_stroke

from motion.tool import HAMMER, head_positions
from sim.swing import CONTROL_RATE, smooth, swing_of


def _path(count):
    t = np.linspace(0, 4, count)
    return np.stack([np.sin(3 * t), t**2, np.cos(t)], axis=1)


def test_smoothing_leaves_a_smooth_path_alone():
    path = _path(200)
    assert smooth(path) == pytest.approx(path, abs=2e-3)


def test_a_straight_line_stays_what_it_is():
    line = np.linspace(0, 1, 50)[:, None] * [1.0, -2.0, 0.5] + [3.0, 0, 0]
    assert smooth(line) == pytest.approx(line, abs=1e-9)


@pytest.mark.parametrize("count", [100, 240])
@pytest.mark.parametrize("noise", [0.01, 0.03])
def test_smoothing_takes_noise_away(count, noise):
    rng = np.random.default_rng(0)
    path = _path(count)
    noisy = path + noise * rng.standard_normal(path.shape)
    inner = slice(5, -5)
    left = np.std(smooth(noisy)[inner] - path[inner])
    assert left < 0.7 * noise


def test_too_few_frames_are_left_alone():
    few = np.random.default_rng(0).standard_normal((4, 3))
    assert np.array_equal(smooth(few), few)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 120.0])
def test_fast_recordings_are_thinned_to_the_control_rate(fps):
    stroke = hammer_stroke(fps=fps)
    swing = swing_of(stroke, HAMMER)
    assert CONTROL_RATE <= swing.fps <= 1.5 * CONTROL_RATE
    assert len(swing.head) / swing.fps == pytest.approx(stroke.num_frames / fps, abs=0.1)
    assert swing.R @ swing.R.swapaxes(1, 2) == pytest.approx(np.broadcast_to(np.eye(3), swing.R.shape), abs=1e-9)
    assert np.linalg.det(swing.R) == pytest.approx(1, abs=1e-9)


def test_the_strike_survives_smoothing():
    """A clean strike ends abruptly; smoothing may round it by no more than the depth of a nail's head."""
    stroke = hammer_stroke(speed=5.0)
    head = swing_of(stroke, HAMMER).head
    assert head == pytest.approx(head_positions(HAMMER, stroke), abs=0.015)


def test_poses_between_frames_follow_geodesics():
    swing = swing_of(hammer_stroke(), HAMMER)
    between = swing.at(np.array([10.0, 10.5, 11.0]))
    assert between.R[0] == pytest.approx(swing.R[10])
    assert between.head[1] == pytest.approx((swing.head[10] + swing.head[11]) / 2)
    assert between.R[0].T @ between.R[1] == pytest.approx(between.R[1].T @ between.R[2], abs=1e-9)
