"""Contact evidence: closed forms, then a synthetic walk and a hand on a bar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation

from perception.camera import estimate_camera
from perception.contact import estimate_contacts
from perception.contact_evidence import (
    FOOT_PRIOR,
    GRAVITY,
    REST_SPEED,
    SWING_SPEED,
    contact_probabilities,
    discounted,
    either_log_odds,
    falling_log_odds,
    grip_log_odds,
    height_log_odds,
    holding_log_odds,
    log_student,
    resting_log_odds,
)
from records import Keypoints


def test_student_density_integrates_to_one() -> None:
    x = np.linspace(-60, 60, 1201)
    v = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    total = np.exp(log_student(v, 0.7)).sum() * (x[1] - x[0]) ** 2 / (2 * np.pi)
    assert total == pytest.approx(1.0, abs=1e-3)


def test_one_outlier_does_not_decide() -> None:
    bound = 2 * np.log(SWING_SPEED / REST_SPEED)
    assert resting_log_odds(np.zeros((1, 2))) == pytest.approx(bound)
    assert resting_log_odds(np.array([[1e4, 0.0]])) == pytest.approx(-bound, abs=1e-3)


def test_doubt_takes_evidence_away() -> None:
    evidence = np.array([-5.0, 2.0])
    assert discounted(evidence, np.ones(2)) == pytest.approx(evidence)
    assert discounted(evidence, np.zeros(2)) == pytest.approx([0, 0])
    assert discounted(evidence, np.full(2, 0.5))[0] > np.log(0.5)


def test_fall_and_rest_are_told_apart() -> None:
    falling = falling_log_odds(np.array([-GRAVITY, 0.0, 15.0]))
    assert falling[0] > 1.5
    assert falling[1] < -1.5
    assert falling[2] < -1.5


FOUR = np.array([0.4, 0.4, -1.4, -1.4])
ALL = np.ones(4, bool)


def held(feet: float, hands: float, falling: float, carries: np.ndarray = ALL) -> np.ndarray:
    """Probabilities in the middle of two seconds of the same evidence, at 25 fps."""
    evidence = np.tile([feet, feet, hands, hands], (50, 1)).astype(float)
    return contact_probabilities(evidence, np.full(50, falling), FOUR, 25.0, carries=carries)[25]


def test_a_carried_body_needs_one_contact_and_one_is_enough() -> None:
    assert held(feet=-4.0, hands=0.0, falling=-2.3)[2:].min() > 0.5
    assert held(feet=4.0, hands=0.0, falling=-2.3)[2:] == pytest.approx(1 / (1 + np.exp(1.4)), abs=0.02)
    assert held(feet=-4.0, hands=0.0, falling=2.3).max() < 0.05


def test_hands_on_a_tool_do_not_carry_the_body() -> None:
    feet = np.array([True, True, False, False])
    assert held(feet=0.0, hands=5.0, falling=2.3, carries=feet)[:2].max() < 0.3
    assert held(feet=0.0, hands=5.0, falling=2.3)[:2].min() > 0.5
    assert held(feet=0.0, hands=0.0, falling=-2.3, carries=feet)[2:] == pytest.approx(1 / (1 + np.exp(1.4)), abs=1e-6)


def test_contacts_without_a_tie_are_independent() -> None:
    evidence = np.random.default_rng(0).normal(0, 2, (30, 4))
    free = np.zeros(30)
    joint = contact_probabilities(evidence, free, FOUR, 30.0, carries=ALL)
    for column in range(4):
        alone = contact_probabilities(evidence[:, [column]], free, FOUR[[column]], 30.0, carries=ALL[:1])
        assert joint[:, column] == pytest.approx(alone[:, 0])


def persist(log_odds: np.ndarray, prior: float, fps: float) -> np.ndarray:
    """One contact by itself."""
    return contact_probabilities(log_odds[:, None], np.zeros(len(log_odds)), np.array([prior]), fps, carries=ALL[:1])[
        :, 0
    ]


def test_hand_at_rest_says_more_while_the_body_moves() -> None:
    still, moving = np.array([[0.0, 0.0]]), np.array([[1.5, 0.0]])
    beside_still, beside_moving = holding_log_odds(still, still), holding_log_odds(still, moving)
    assert beside_still == pytest.approx(0.0)
    assert beside_moving > 3
    assert holding_log_odds(moving, moving) < -3


@given(st.floats(0, 3), st.floats(0, 3))
def test_evidence_falls_with_height_and_distance(a: float, b: float) -> None:
    low, high = np.array([min(a, b)]), np.array([max(a, b)])
    assert height_log_odds(low) >= height_log_odds(high)
    assert grip_log_odds(low) >= grip_log_odds(high)


def test_one_of_two_causes_is_enough_and_none_excludes_the_other() -> None:
    sure, against, nothing = np.array([5.0]), np.array([-6.0]), np.array([0.0])
    assert either_log_odds(sure, against) == pytest.approx(5 - np.log(2), abs=1e-3)
    assert either_log_odds(against, sure) == either_log_odds(sure, against)
    assert either_log_odds(nothing, nothing) == pytest.approx(0.0)
    assert either_log_odds(against, nothing) == pytest.approx(-np.log(2), abs=0.01)


def test_a_longer_dwell_bridges_a_longer_gap() -> None:
    evidence = np.repeat([3.0, 0.0, 3.0], 25)[:, None]
    short, long = (
        contact_probabilities(evidence, np.zeros(75), FOUR[2:3], 25.0, carries=~ALL[:1], dwell=dwell)[37, 0]
        for dwell in (0.1, 5.0)
    )
    assert short == pytest.approx(1 / (1 + np.exp(1.4)), abs=0.02)
    assert long > 0.9


def test_no_evidence_gives_the_prior() -> None:
    p = persist(np.zeros(50), float(FOOT_PRIOR), 25.0)
    assert p == pytest.approx(np.full(50, 0.6))


def test_one_frame_is_bayes_rule() -> None:
    assert persist(np.array([1.2]), -0.5, 25.0) == pytest.approx(1 / (1 + np.exp(-(1.2 / 2.5 - 0.5))))


def test_a_single_contrary_frame_is_smoothed_over() -> None:
    evidence = np.full(40, 3.0)
    evidence[20] = -3.0
    assert persist(evidence, 0.0, 30.0)[20] > 0.8


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=60), st.floats(5, 240))
def test_probabilities_stay_probabilities(values: list[float], fps: float) -> None:
    p = persist(np.array(values, np.float64), 0.3, fps)
    assert np.isfinite(p).all()
    assert ((p >= 0) & (p <= 1)).all()


def stepping(num_steps: int = 6, fps: float = 50.0) -> tuple[Keypoints, np.ndarray]:
    """A side view of someone walking to the right at 1.2 m/s, 200 px/m; feet rest 60 % of the time."""
    cycle, stride = 1.0, 1.2
    t = np.arange(int(num_steps * cycle * fps)) / fps
    body = 200 + 240 * t
    names, tracks, contact = [], [], []
    for side, phase in (("l", 0.0), ("r", 0.5)):
        turn = t / cycle + phase
        part = turn % 1.0
        swing = np.clip((part - 0.6) / 0.4, 0, 1)
        forward = 0.5 * (1 - np.cos(np.pi * swing))
        ankle_x = 200 + 200 * stride * (np.floor(turn) - phase + 0.3 + forward - 0.5)
        ankle_y = 500 - 30 * np.sin(np.pi * swing)
        contact.append(part < 0.6)
        hand_x = body + 30 * np.sin(2 * np.pi * (t / cycle + phase + 0.5))
        knee_x, knee_y = (ankle_x + body) / 2 + 15, np.full_like(t, 410.0)
        names += [f"{side}_{n}" for n in ("ankle", "knee", "hip", "shoulder", "wrist")]
        tracks += [
            (ankle_x, ankle_y),
            (knee_x, knee_y),
            (body, 0 * t + 320),
            (body, 0 * t + 222),
            (hand_x, 0 * t + 325),
        ]
    uv = np.stack([np.stack(track, axis=1) for track in tracks], axis=1)
    uv = uv + np.random.default_rng(0).normal(0, 0.7, uv.shape)
    person = Keypoints(names=tuple(names), uv=uv, confidence=np.ones(uv.shape[:2]), fps=fps, size_hw=(720, 1920))
    return person, np.stack(contact, axis=1)


def test_walking_feet_are_told_apart_and_swinging_hands_hold_nothing() -> None:
    person, contact = stepping()
    states = estimate_contacts(person, estimate_camera(person))
    feet = states.probability[:, :2]
    # Just after lift-off and before landing the foot hardly moves, and the detector is not sharper than that.
    changing = np.abs(np.diff(contact.astype(float), axis=0, prepend=contact[:1])) > 0
    clear = ~binary_dilation(changing, np.ones((9, 1)))
    assert np.mean(((feet > 0.5) == contact)[clear]) > 0.99
    assert np.mean(states.probability[:, 2:] > 0.5) < 0.1


def test_hand_on_the_tool_holds_it() -> None:
    person, _ = stepping()
    wrist, half = person.uv[:, person.index("l_wrist")], np.array([60.0, -20.0])
    ends = np.stack([wrist - half, wrist + half], axis=1)
    tool = Keypoints(
        names=("tool_head", "tool_handle"),
        uv=ends,
        confidence=np.ones(ends.shape[:2]),
        fps=person.fps,
        size_hw=person.size_hw,
    )
    states = estimate_contacts(person, estimate_camera(person), tool)
    assert states.probability[:, states.names.index("l_fingers")].min() > 0.8


def test_a_hand_keeps_hold_where_the_tool_is_not_seen_and_the_other_hand_passes_it_by() -> None:
    person, _ = stepping()
    frames, fps = person.num_frames, round(person.fps)
    left = person.uv[:, person.index("l_wrist")]
    ends = np.stack([left - np.array([20.0, 100.0]), left], axis=1)
    gap = np.arange(frames) % fps < 0.4 * fps
    tool = Keypoints(
        names=("tool_head", "tool_handle"),
        uv=np.where(gap[:, None, None], 0.0, ends),
        confidence=np.repeat(np.where(gap, 0.0, 0.9)[:, None], 2, axis=1),
        fps=person.fps,
        size_hw=person.size_hw,
    )
    uv, confidence = person.uv.copy(), person.confidence.copy()
    right = person.index("r_wrist")
    uv[:, right] = left + np.array([60.0, 20.0])
    passing = np.arange(frames) % fps > 0.9 * fps
    uv[passing, right] = left[passing]
    confidence[:, right] = 0.6
    person = person.replace(uv=uv, confidence=confidence)
    hands = estimate_contacts(person, estimate_camera(person), tool).probability[:, 2:]
    assert hands[:, 0].min() > 0.8
    assert hands[:, 1].mean() < 0.3


def test_unseen_points_have_the_prior() -> None:
    blank = Keypoints(
        names=("nose",), uv=np.zeros((9, 1, 2)), confidence=np.zeros((9, 1)), fps=25.0, size_hw=(480, 640)
    )
    states = estimate_contacts(blank, estimate_camera(blank))
    assert states.names == ("l_ankle", "r_ankle", "l_fingers", "r_fingers")
    assert states.probability[0] == pytest.approx([0.6, 0.6, 0.2, 0.2])
