"""Sides that were mistaken are exchanged back; and a person is in one place at a time."""

from __future__ import annotations

import numpy as np
import pytest

from perception.continuity import FASTEST, continuous
from perception.person import choose_person, gate_detections
from perception.sides import GROUPS, mistaken, settle_sides
from records import Keypoints

FPS = 30.0
TRUNK = 100.0
"""Length of the trunk [px]."""
BODY = {
    "shoulder": (0.35, -1.0), "elbow": (0.45, -0.5), "wrist": (0.45, 0.0), "hip": (0.18, 0.0), "knee": (0.18, 0.8),
    "ankle": (0.18, 1.6),
}  # fmt: skip
NAMES = tuple(f"{side}_{name}" for name in BODY for side in "lr")


def walker(frames=90, *, turn=0.3, landmarks=True) -> Keypoints:
    """Somebody who walks across the image, arms and legs swinging, turned by `turn` [rad] from facing the camera."""
    t = np.arange(frames) / FPS
    p = np.zeros((frames, len(NAMES), 3))
    for k, name in enumerate(NAMES):
        side = 1 if name.startswith("l_") else -1
        across, down = BODY[name[2:]]
        swing = {"wrist": -0.5, "elbow": -0.25, "ankle": 0.6, "knee": 0.3}.get(name[2:], 0.0)
        p[:, k] = [side * across, down, 0.0]
        p[:, k, 2] += side * swing * np.sin(2 * np.pi * t)
    c, s = np.cos(turn), np.sin(turn)
    p = p @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T
    uv = TRUNK * p[..., :2] + np.array([400.0, 300.0]) + np.stack([60 * t, 0 * t], axis=-1)[:, None]
    return Keypoints(
        names=NAMES,
        uv=uv + np.random.default_rng(0).normal(0, 1.0, uv.shape),
        confidence=np.full(uv.shape[:2], 0.9),
        xyz=0.5 * p if landmarks else None,
        fps=FPS,
        size_hw=(720, 1280),
    )


def exchanged(person: Keypoints, frames: np.ndarray, groups=(0, 1)) -> Keypoints:
    names = [n for g in groups for n in GROUPS[g]]
    columns = [
        person.index({"l": "r", "r": "l"}[name[0]] + name[1:]) if name[2:] in names else k
        for k, name in enumerate(person.names)
    ]
    uv, confidence, xyz = person.uv.copy(), person.confidence.copy(), person.xyz
    uv[frames], confidence[frames] = uv[frames][:, columns], confidence[frames][:, columns]
    if xyz is not None:
        xyz = xyz.copy()
        xyz[frames] = xyz[frames][:, columns]
    return person.replace(uv=uv, confidence=confidence, xyz=xyz)


@pytest.mark.parametrize("landmarks", [True, False])
@pytest.mark.parametrize("turn", [0.0, 0.5, np.pi])
def test_somebody_who_walks_is_left_alone(turn, landmarks):
    assert not mistaken(walker(turn=turn, landmarks=landmarks)).any()


@pytest.mark.parametrize("groups", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("landmarks", [True, False])
def test_mistaken_sides_are_exchanged_back(groups, landmarks):
    frames = np.zeros(90, bool)
    frames[[5, 20, 21]] = frames[40:60] = True
    right = walker(turn=0.5, landmarks=landmarks)
    wrong = exchanged(right, frames, groups)
    for group in (0, 1):
        np.testing.assert_array_equal(mistaken(wrong)[:, group], frames & (group in groups))
    settled = settle_sides(wrong)
    np.testing.assert_array_equal(settled.uv, right.uv)
    assert landmarks == (settled.xyz is not None)
    if landmarks:
        np.testing.assert_array_equal(settled.xyz, right.xyz)


def test_a_turn_exchanges_the_sides_in_the_image_and_is_no_mistake():
    """Half a turn within a second."""
    parts = [walker(90, turn=angle).replace(source="") for angle in np.linspace(0, np.pi, 90)]
    turning = parts[0].replace(
        uv=np.stack([one.uv[t] for t, one in enumerate(parts)]),
        xyz=np.stack([one.xyz[t] for t, one in enumerate(parts)]),
    )
    assert not mistaken(turning).any()


def test_frames_without_anybody_are_stepped_over():
    frames = np.zeros(90, bool)
    frames[30:50] = True
    wrong = exchanged(walker(turn=0.5), frames)
    unseen = wrong.replace(confidence=wrong.confidence * (np.arange(90) % 10 != 0)[:, None])
    np.testing.assert_array_equal(mistaken(unseen)[:, 0], frames & (np.arange(90) % 10 != 0))
    nobody = wrong.replace(confidence=np.zeros_like(wrong.confidence))
    assert not mistaken(nobody).any()
    only = wrong.replace(names=("nose",), uv=wrong.uv[:, :1], confidence=wrong.confidence[:, :1], xyz=wrong.xyz[:, :1])
    assert settle_sides(only) == only


def test_a_side_that_is_never_seen_says_nothing():
    whole = walker(turn=0.5)
    left = np.array([name.startswith("l_") for name in NAMES])
    half = whole.replace(confidence=np.where(left, 0.0, whole.confidence))
    assert settle_sides(half) == half


def elsewhere(person: Keypoints, frames: slice, by: float) -> Keypoints:
    uv = person.uv.copy()
    uv[frames, :, 0] += by
    return person.replace(uv=uv)


@pytest.mark.parametrize("length", [1, 10, 40])
def test_somebody_else_for_a_while_is_not_the_person(length):
    beside = elsewhere(walker(), slice(30, 30 + length), 3 * TRUNK)
    expected = np.ones(90, bool)
    expected[30 : 30 + length] = False
    np.testing.assert_array_equal(continuous(beside, TRUNK), expected)
    gated = choose_person([beside])
    np.testing.assert_array_equal(gated.seen.any(axis=1), expected)


def test_a_runner_and_a_person_out_of_sight_go_where_they_like():
    running = walker()
    fast = running.replace(uv=running.uv + (FASTEST / FPS * TRUNK * np.arange(90))[:, None, None] * [1.0, 0.0])
    assert continuous(fast, TRUNK).all()
    back = elsewhere(running, slice(60, 90), 3 * TRUNK)
    back = back.replace(confidence=back.confidence * (np.abs(np.arange(90) - 55) > 4)[:, None])
    assert continuous(back, TRUNK).all()
    assert not continuous(elsewhere(running, slice(60, 90), 3 * TRUNK), TRUNK)[60:].any()
    assert gate_detections(fast).seen.all()
