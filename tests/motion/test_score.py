"""Scores: what they must not see (turns, shifts, scale) and what they must (known offsets)."""

from __future__ import annotations

import numpy as np
import pytest
from standing import standing

from motion.score import g_mpjpe, laid_over, pa_mpjpe, score, similarity, wrench_errors, yaw_aligned
from records import RecordError


def turn(yaw: float) -> np.ndarray:
    return np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1.0]])


def test_a_similarity_is_undone():
    rng = np.random.default_rng(0)
    target = rng.standard_normal((16, 3))
    np.testing.assert_allclose(similarity(0.7 * target @ turn(0.8).T + [1, 2, 3], target), target, atol=1e-12)


def test_a_mirror_image_is_not_a_similarity():
    rng = np.random.default_rng(1)
    target = rng.standard_normal((16, 3))
    assert np.abs(similarity(target * [-1, 1, 1], target) - target).max() > 0.1


def test_motion_through_the_world_counts_only_for_the_whole_clip():
    rng = np.random.default_rng(2)
    target = rng.standard_normal((8, 16, 3))
    drifting = target + np.linspace(0, 1, 8)[:, None, None] * [1, 0, 0]
    assert pa_mpjpe(drifting, target) == pytest.approx(0, abs=1e-9)
    assert g_mpjpe(drifting, target) > 50
    assert g_mpjpe(1.3 * target @ turn(-0.4).T, target) == pytest.approx(0, abs=1e-9)


def test_yaw_turns_vectors_with_the_joints():
    rng = np.random.default_rng(3)
    target, vectors = rng.standard_normal((5, 16, 3)), rng.standard_normal((5, 4, 3))
    p = target @ turn(1.1) + [3, -1, 0.2]
    np.testing.assert_allclose(yaw_aligned(p, target, vectors @ turn(1.1)), vectors, atol=1e-12)
    np.testing.assert_allclose(laid_over(p, target, p), target, atol=1e-12)


def test_frames_that_the_plates_missed_do_not_count():
    truth = np.zeros((4, 2, 6))
    wrench = np.zeros((4, 2, 6))
    wrench[:, 0, 2], wrench[0, 0, 2], wrench[:, 0, 3] = 30, 999, 4
    missed = np.array([[True, True], [False, True], [False, True], [False, True]])
    force, moment = wrench_errors(wrench, truth, missed)
    assert (force[0], moment[0]) == (30, 4)
    assert np.isnan(force[1])


def test_an_estimate_that_is_the_truth_has_no_error():
    found = score(standing(), standing())
    assert found.pa_mpjpe == pytest.approx(0, abs=1e-6)
    assert found.tool_head == pytest.approx(0, abs=1e-6)
    assert (found.force, found.zero_force) == (pytest.approx(0, abs=1e-9), pytest.approx(175))


def test_known_errors_of_tool_and_force_are_found():
    found = score(standing(head_shift=0.05, force=300), standing())
    assert found.tool_head == pytest.approx(50)
    assert found.contacts["l_ankle"].force == pytest.approx(50)
    assert found.contacts["l_ankle"].zero_force == pytest.approx(350)
    assert found.contacts["l_fingers"].force == 0


def test_estimate_without_a_tool_has_no_tool_error():
    assert score(standing().replace(tool=None), standing()).tool_head is None


def test_different_clips_are_not_compared():
    with pytest.raises(RecordError, match="the estimate has 5 frames and the truth 6"):
        score(standing(frames=5), standing())
