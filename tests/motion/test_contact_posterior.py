from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motion.body import build_body
from motion.contact_evidence import COMBINATIONS, balance_log_likelihood, motion_log_odds, rest_log_odds
from motion.contact_posterior import refine_contacts, smoothed
from motion.force_options import ForceOptions
from motion.skeleton import CONTACT_SITES
from records import ContactStates

G = 9.81
FPS = 25.0
FRAMES = 24
BODY = build_body(height=1.75, mass=65.0)
VIDEO = ForceOptions(acceleration_sigma=2.2, mass_error=0.2)


def standing():
    return np.repeat(BODY.neutral()[None], FRAMES, axis=0)


def said(rows):
    probability = np.broadcast_to(np.asarray(rows, float), (FRAMES, 4)).copy()
    return ContactStates(names=CONTACT_SITES, probability=probability, fps=FPS)


def refined(q, rows, **more):
    return refine_contacts(BODY, q, said(rows), options=VIDEO, **more).probability


def hanging():
    """Arms straight up, legs down, feet 30 cm over the ground."""
    q = standing()
    q[:, 2] += 0.3
    for side, angle in (("l", 80), ("r", -80)):
        shoulder = 3 + 4 * BODY.joint_names.index(f"{side}_shoulder")
        q[:, shoulder : shoulder + 4] = Rotation.from_euler("z", angle, degrees=True).as_quat()
        ankle = 3 + 4 * BODY.joint_names.index(f"{side}_ankle")
        q[:, ankle : ankle + 4] = Rotation.from_euler("x", 45, degrees=True).as_quat()
    return q


def falling():
    t = np.arange(FRAMES) / FPS
    q = standing()
    q[:, 2] += 1 + 3 * t - 0.5 * G * t**2
    q[:, 0] += 2 * t
    return q


def test_a_standing_body_is_carried_by_its_feet_and_needs_no_hands():
    found = refined(standing(), [0.5, 0.5, 0.5, 0.5])
    assert (found[:, :2] > 0.8).all()
    assert (found[:, 2:] < found[:, :2]).all()


def test_a_body_in_free_fall_touches_nothing():
    assert refined(falling(), [0.5] * 4).max() < 0.05


def test_bridged_frames_are_no_evidence():
    found = refined(falling(), [0.7, 0.7, 0.2, 0.2], observed=np.zeros(FRAMES, bool))
    assert (found[:, :2] > 0.5).all()
    assert (found[:, 2:] < 0.5).all()


def test_a_body_that_hangs_by_its_arms_is_held_by_what_the_image_names():
    q = hanging()
    found = refined(q, [0.1, 0.1, 0.8, 0.8])
    assert (found[:, 2:] > 0.9).all()
    assert (found[:, :2] < 0.2).all()


def test_both_hands_are_believed_together(monkeypatch):
    """By the evidence set by hand; the network sees both hands by itself."""
    q = standing()
    q[:, 2] += 1.0
    rows = [0.05, 0.05, 0.95, 0.4]
    found = refined(q, rows, learned=False)
    assert (found[:, 3] > 0.6).all()
    monkeypatch.setattr("motion.contact_posterior.TOGETHER", 0.0)
    assert (refined(q, rows, learned=False)[:, 3] < found[:, 3]).all()
    monkeypatch.undo()
    assert (refined(q, rows)[:, 3] > 0.6).all()


def test_hands_on_a_tool_stay_as_the_image_says():
    rows = [0.5, 0.5, 0.3, 0.9]
    found = refined(standing(), rows, holding=True)
    np.testing.assert_array_equal(found[:, 2:], said(rows).probability[:, 2:])
    assert (found[:, :2] > 0.8).all()


def test_names_that_are_not_listed_stay_unnamed_and_others_untouched():
    state = ContactStates(names=("nose", "r_ankle"), probability=np.full((FRAMES, 2), 0.4), fps=FPS)
    found = refine_contacts(BODY, standing(), state, options=VIDEO)
    assert found.names == state.names
    np.testing.assert_array_equal(found.probability[:, 0], 0.4)
    assert (found.probability[:, 1] > 0.8).all()
    nothing = ContactStates(names=("nose",), probability=np.full((FRAMES, 1), 0.4), fps=FPS)
    assert refine_contacts(BODY, standing(), nothing) is nothing


def test_a_sole_that_swings_or_is_high_is_less_likely_to_touch():
    slid, high = standing(), standing()
    slid[:, 0] += 2.0 * np.arange(FRAMES) / FPS
    high[:, 2] += 0.4
    still = motion_log_odds(BODY, standing(), FPS, None, VIDEO)
    assert (motion_log_odds(BODY, slid, FPS, None, VIDEO) < still - 1).all()
    above = motion_log_odds(BODY, high, FPS, None, VIDEO)
    assert (above[:, :2] < still[:, :2] - 1.5).all()
    np.testing.assert_allclose(above[:, 2:], still[:, 2:], atol=1e-9)
    assert rest_log_odds(np.zeros(1), 1.0)[0] == pytest.approx(2 * np.log(5))


def test_the_weight_over_one_foot_is_best_explained_by_that_foot():
    q = standing()
    feet = BODY.site_positions(q, ["l_ball", "r_ball"])[0]
    exact = ForceOptions(acceleration_sigma=0.3, moment_arm_sigma=0.02)
    lean = np.arctan2(abs(feet[0, 1] - feet[1, 1]) / 2, BODY.centre_of_mass(q)[0, 2])
    q[:, 3:7] = (Rotation.from_rotvec([-lean, 0, 0]) * Rotation.from_quat(q[:, 3:7])).as_quat()
    found = balance_log_likelihood(BODY, q, FPS, exact, carrying=(True,) * 4)
    side = int(np.argmin(np.abs(BODY.site_positions(q, ["l_ball", "r_ball"])[0, :, 1] - BODY.centre_of_mass(q)[0, 1])))
    one, other = (int(np.flatnonzero((np.eye(4)[k] == COMBINATIONS).all(axis=1))[0]) for k in (side, 1 - side))
    assert (found[:, one] > found[:, other] + 2).all()


def test_smoothing_follows_strong_evidence_and_bridges_none():
    evidence = np.zeros((FRAMES, 16))
    evidence[:8, 3] = 20
    evidence[16:, 0] = 20
    found = smoothed(evidence, 0.08) @ COMBINATIONS
    np.testing.assert_allclose(smoothed(evidence, 0.08).sum(axis=1), 1)
    assert (found[:8, :2] > 0.99).all()
    assert (found[16:] < 0.01).all()
    assert (np.diff(found[8:16, 0]) < 0).all(), "between, it fades from one to the other"


def test_evidence_of_any_size_gives_probabilities():
    rng = np.random.default_rng(0)
    found = smoothed(1e4 * rng.standard_normal((50, 16)), 0.08)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
