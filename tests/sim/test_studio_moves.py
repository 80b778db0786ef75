"""Movements of the studio: what touches stays, what does not is thrown, and nothing is quicker than people are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from motion.body import build_body
from motion.skeleton import RESTING_SITES
from sim.studio_goals import at_sides, by, mirrored, on
from sim.studio_moves import MOVES, Performance, perform
from sim.studio_script import GRAVITY, Beat, planned
from sim.studio_stroke import draw_body

FPS = 25.0
SECONDS = 1.2
STRAYS = 0.02
"""How far a point in touch is from where it touches, at most [m] (root mean square over a contact)."""
HARDEST = 4.5 * GRAVITY
"""Acceleration of the centre of mass of a hard landing [m/s^2] (McNitt-Gray 1993: 3 to 6 body weights)."""
QUICKEST = 15.0
"""Speed of a hand or a foot [m/s]: feet of sprinters reach 20."""
SITES = ("l_ball", "r_ball", "l_fingers", "r_fingers")


@pytest.fixture(scope="module", params=list(MOVES))
def done(request: pytest.FixtureRequest) -> Performance:
    return perform(request.param, seed=5, seconds=SECONDS, fps=FPS)


def test_what_touches_stays_where_it_is(done: Performance) -> None:
    assert done.touch.any()
    points = done.body.site_positions(done.q, SITES)
    for limb in range(4):
        pieces, count = label(done.touch[:, limb])
        for piece in range(1, count + 1):
            held = points[pieces == piece, limb]
            assert np.sqrt(((held - held.mean(axis=0)) ** 2).sum(axis=1).mean()) < STRAYS


def test_knees_and_seat_that_bear_stay_where_they_are(done: Performance) -> None:
    points = done.body.site_positions(done.q, list(RESTING_SITES.values()))
    for site in range(4):
        pieces, count = label(done.resting[:, site])
        for piece in range(1, count + 1):
            held = points[pieces == piece, site]
            assert np.sqrt(((held - held.mean(axis=0)) ** 2).sum(axis=1).mean()) < STRAYS
    listed = set(RESTING_SITES) & set(done.contacts.names)
    assert bool(listed) == bool(done.resting.any())


@pytest.mark.parametrize("move", ["kneel", "crawl", "sit_down", "sit_box"])
def test_who_is_low_bears_on_knees_or_seat(move: str) -> None:
    done = perform(move, seed=2, seconds=9.0)
    knees, hips = done.resting[:, :2].any(), done.resting[:, 2:].all(axis=1).any()
    assert (knees, hips) == ((True, False) if move in ("kneel", "crawl") else (False, True))
    bearing = done.body.site_positions(done.q, list(RESTING_SITES.values()))[..., 2][done.resting]
    high = max((prop.size[2] for prop in done.props), default=0.0)
    np.testing.assert_allclose(bearing, high, atol=0.01)
    assert done.resting[[0, -1]].any() == (move == "crawl"), "who goes down rises again"


def test_nothing_moves_faster_than_people_do(done: Performance) -> None:
    assert np.isfinite(done.q).all()
    np.testing.assert_allclose(np.linalg.norm(done.q[:, 3:].reshape(-1, 24, 4), axis=-1), 1, atol=1e-6)
    centre = done.body.centre_of_mass(done.q)
    assert np.linalg.norm(np.diff(centre, 2, axis=0), axis=1).max() * FPS**2 < HARDEST
    points = done.body.site_positions(done.q, SITES)
    assert np.linalg.norm(np.diff(points, axis=0), axis=-1).max() * FPS < QUICKEST


def test_nobody_sinks_into_the_ground(done: Performance) -> None:
    soles = done.body.site_positions(done.q, ["l_heel", "l_toes", "r_heel", "r_toes"])[..., 2]
    assert soles.min() > -0.06
    touching = np.repeat(done.touch[:, :2], 2, axis=1)
    on_floor = touching & (soles < 0.05)
    assert np.abs(soles[on_floor]).max(initial=0) < 0.05


def test_a_body_that_touches_nothing_is_thrown() -> None:
    body = build_body(height=1.75, mass=70.0)
    free = (by(0, 0.1, -0.8), by(0, -0.1, -0.8), *at_sides(body))
    feet = (on(0, 0.1), on(0, -0.1), *at_sides(body))
    landed = (on(0.6, 0.1), on(0.6, -0.1), *at_sides(body))
    beats = (
        Beat(0.0, (0, 0, 0.9), feet),
        Beat(0.4, (0.1, 0, 1.0), feet),
        Beat(0.6, (9.0, 9.0, 9.0), free),
        Beat(0.8, (0.5, 0, 1.0), landed),
        Beat(1.2, (0.6, 0, 0.9), landed),
    )
    times = np.linspace(0, 1.2, 601)
    plan = planned(beats, body, times)
    flying = (times >= 0.4) & (times < 0.8)
    np.testing.assert_array_equal(plan.touch[:, 0], ~flying)
    t = times[flying] - 0.4
    rise = GRAVITY * 0.2
    np.testing.assert_allclose(plan.com[flying, 2], 1 + rise * t - 0.5 * GRAVITY * t**2, atol=1e-9)
    np.testing.assert_allclose(plan.com[flying, 0], 0.1 + t, atol=1e-9)
    # Nothing jumps: positions and velocities go on where the feet leave and meet the ground.
    speed = np.diff(plan.com, axis=0) / np.diff(times)[:, None]
    assert np.abs(np.diff(speed, axis=0)).max() < 0.1


def test_a_vault_flies_before_and_after_the_hands() -> None:
    done = perform("kong", seed=0, seconds=9.0)
    hands, feet = done.touch[:, 2:].any(axis=1), done.touch[:, :2].any(axis=1)
    at = np.flatnonzero(hands)
    assert at.size > 3
    assert not feet[hands].any()
    assert not done.touch[at[0] - 1].any()
    assert not done.touch[at[-1] + 1].any()
    pelvis = done.q[:, 2]
    assert pelvis[hands].min() > 0.5 * done.body.height


def test_feet_of_who_hangs_dangle_below_the_hands() -> None:
    done = perform("hang", seed=5, seconds=SECONDS)
    hanging = done.touch[:, 2:].all(axis=1) & ~done.touch[:, :2].any(axis=1)
    assert hanging.any()
    p = done.body.site_positions(done.q, ["l_fingers", "l_toes", "r_toes"])[hanging]
    assert (p[:, 0, 2] > p[:, 1:, 2].max(axis=1) + 1.0 * done.body.height).any()
    assert p[:, 1:, 2].min() > 0


def test_a_mirrored_act_has_mirrored_paths() -> None:
    body = draw_body(np.random.default_rng(0))
    act = MOVES.load("safety")(np.random.default_rng(1), body)
    times = np.linspace(0, act.beats[-1].time, 50)
    one, other = (planned(a.beats, body, times) for a in (act, mirrored(act)))
    flip, twin = np.array([1, -1, 1]), [1, 0, 3, 2]
    np.testing.assert_allclose(other.com, one.com * flip, atol=1e-9)
    np.testing.assert_allclose(other.places, one.places[:, twin] * flip, atol=1e-9)
    np.testing.assert_array_equal(other.touch, one.touch[:, twin])
    act = MOVES.load("kneel")(np.random.default_rng(1), body)
    one, other = (planned(a.beats, body, times) for a in (act, mirrored(act)))
    np.testing.assert_allclose(other.rests, one.rests[:, twin] * flip, atol=1e-9)
    np.testing.assert_array_equal(other.resting, one.resting[:, twin])


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    one, same, other = (perform("stand", seed=seed, seconds=0.5) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.q, same.q)
    assert one.body.height != other.body.height
