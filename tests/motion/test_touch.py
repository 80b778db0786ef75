"""Contact segments: one place for as long as a point stays in touch, however often the person is out of sight."""

from __future__ import annotations

import numpy as np
import pytest
from squatting import level_camera

from motion.body import build_body
from motion.state import State
from motion.touch import BLINK, touches
from records import ContactStates

FPS = 25.0
FRAMES = 50


def standing_state(height=0.0):
    """Somebody who stands still, lifted by `height` [m] in the second half."""
    body = build_body()
    q = np.tile(body.neutral(), (FRAMES, 1))
    q[FRAMES // 2 :, 2] += height
    return State(q=q, fps=FPS, reference_body=body, reference_camera=level_camera())


def feet(probability):
    return ContactStates(names=("l_ankle", "r_ankle"), probability=np.tile(probability[:, None], (1, 2)), fps=FPS)


def places(touch):
    """Distinct places of the left foot."""
    return np.unique(np.round(touch.place[touch.probability[:, 0] > 0, 0], 6), axis=0)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_contact_seen_through_blinks_has_one_place(share):
    observed = np.random.default_rng(0).random(FRAMES) > share
    touch = touches(standing_state(), feet(np.full(FRAMES, 0.9)), observed)
    assert len(places(touch)) == 1
    first, last = np.flatnonzero(observed)[[0, -1]]
    assert (touch.probability[first : last + 1] > 0.5).all()


def test_a_longer_time_out_of_sight_parts_contacts_and_anchors_nothing():
    observed = np.ones(FRAMES, bool)
    away = slice(20, 20 + int(BLINK * FPS) + 1)
    observed[away] = False
    touch = touches(standing_state(0.1), feet(np.full(FRAMES, 0.9)), observed)
    assert (touch.probability[away] == 0).all()
    assert len(places(touch)) == 2


def test_what_is_not_seen_does_not_move_the_place():
    state = standing_state()
    observed = np.ones(FRAMES, bool)
    observed[10:13] = False
    wandering = state.q.copy()
    wandering[10:13, 1] += 0.02
    moved = State(q=wandering, fps=FPS, reference_body=state.reference_body, reference_camera=state.reference_camera)
    probability = feet(np.full(FRAMES, 0.9))
    np.testing.assert_allclose(
        places(touches(moved, probability, observed)), places(touches(state, probability, observed))
    )


def test_a_foot_that_leaves_and_comes_back_has_two_places():
    probability = np.full(FRAMES, 0.9)
    probability[22:30] = 0.1
    touch = touches(standing_state(0.1), feet(probability), np.ones(FRAMES, bool))
    assert len(places(touch)) == 2
    assert (touch.probability[22:30] == 0).all()
