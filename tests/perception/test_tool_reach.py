from __future__ import annotations

import numpy as np
import pytest

from perception.tool_reach import HAND_ERROR, hand_distances, within_reach
from records import Keypoints

NAMES = ("l_shoulder", "r_shoulder", "l_hip", "r_hip", "l_wrist", "r_wrist")
TRUNK = 100.0


def person(frames: int, hands_seen: bool = True) -> Keypoints:
    """Someone whose trunk is 100 px long and whose right wrist is at (0, 0), the left one at (400, 0)."""
    uv = np.tile(np.array([[180.0, 0], [220, 0], [180, TRUNK], [220, TRUNK], [400, 0], [0, 0]]), (frames, 1, 1))
    confidence = np.ones((frames, len(NAMES)))
    confidence[:, 4:] = float(hands_seen)
    return Keypoints(names=NAMES, uv=uv, confidence=confidence, xyz=None, fps=25.0, size_hw=(480, 640))


def test_distance_is_from_each_hand_in_trunk_lengths():
    uv = np.array([[30.0, 40.0], [400.0, 100.0]])
    left, right = hand_distances(uv, person(2))
    assert (left[1], right[0]) == pytest.approx((1.0, 0.5), rel=1e-6)
    assert np.isnan(hand_distances(uv, person(2, hands_seen=False))).all()


def test_the_free_hand_says_nothing_of_the_tool():
    uv = np.tile([40.0, 0.0], (8, 1))
    seen = np.array([True, True, True, False, False, True, True, True])
    uv[5:] = [400.0, 0.0]
    assert within_reach(uv, seen, [0], person(8)).tolist() == [True] * 5 + [False] * 3


@pytest.mark.parametrize(
    ("away", "believed"),
    [(40.0, True), (60.0, True), (1.49 * 40 + TRUNK * HAND_ERROR, True), (90.0, False), (200.0, False)],
)
def test_an_endpoint_found_again_is_believed_within_reach_of_the_hand(away, believed):
    uv = np.tile([40.0, 0.0], (8, 1))
    seen = np.array([True, True, True, False, False, True, True, True])
    uv[5:] = [0.0, away]
    found = within_reach(uv, seen, [0], person(8))
    assert found[:3].all()
    assert found[5:].tolist() == [believed] * 3


def test_what_is_followed_from_a_click_without_a_gap_is_believed_wherever_it_goes():
    uv = np.stack([np.linspace(40, 190, 8), np.zeros(8)], axis=1)
    assert within_reach(uv, np.ones(8, bool), [2], person(8)).all()


def test_where_no_hand_is_seen_nothing_is_judged():
    uv = np.tile([900.0, 900.0], (5, 1))
    seen = np.array([True, False, True, True, True])
    assert within_reach(uv, seen, [0], person(5, hands_seen=False)).all()
