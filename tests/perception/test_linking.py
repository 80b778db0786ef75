"""People told apart over time."""

from __future__ import annotations

import numpy as np
import pytest

from perception.linking import Linker, extent

SHAPE = np.array([[0, 0], [40, 0], [10, 160], [30, 160]], float)
WHITE, BLACK = np.array([90.0, 0, 0]), np.array([15.0, 0, 0])


def body(x: float, scale: float = 1.0) -> np.ndarray:
    return np.concatenate([scale * SHAPE + [x, 100], np.ones((4, 1))], axis=1)


def test_extent_is_the_diagonal_of_the_points_seen():
    assert extent(body(0)) == pytest.approx(np.hypot(40, 160))
    hidden = body(0)
    hidden[2:, 2] = 0
    assert extent(hidden) == 40
    assert extent(np.zeros((4, 3))) == 0


def test_two_people_who_cross_in_any_order_of_detection_keep_their_tracks():
    linker = Linker(10.0)
    for frame in range(20):
        people = [(body(100 + 20 * frame), WHITE), (body(480 - 20 * frame), BLACK)]
        people = people if frame % 3 else people[::-1]
        linker.add(frame, [one[0] for one in people], [one[1] for one in people])
    first, second = sorted(linker.tracks, key=lambda track: track.people[0][0, 0])
    assert [one[0, 0] for one in first.people] == [100 + 20 * k for k in range(20)]
    assert [one[0, 0] for one in second.people] == [480 - 20 * k for k in range(20)]


def test_somebody_larger_who_steps_in_front_is_somebody_else():
    linker = Linker(10.0)
    for frame in range(3):
        linker.add(frame, [body(300)], [BLACK])
    linker.add(3, [body(280, scale=2.5)], [WHITE])
    linker.add(4, [body(305)], [BLACK])
    assert [track.frames for track in linker.tracks] == [[0, 1, 2, 4], [3]]


def test_after_a_gap_a_person_may_be_further_away():
    for gap, tracks in ((0, 2), (10, 1)):
        linker = Linker(10.0)
        linker.add(0, [body(100)])
        linker.add(1 + gap, [body(300)])
        assert len(linker.tracks) == tracks, "200 px, more than the person's height, in .1 s and in 1.1 s"


def test_gaps_stay_gaps():
    linker = Linker(10.0)
    linker.add(1, [body(100)])
    linker.add(3, [body(100)])
    laid = linker.tracks[0].spread(5)
    assert (laid[:, :, 2] > 0).all(axis=1).tolist() == [False, True, False, True, False]
