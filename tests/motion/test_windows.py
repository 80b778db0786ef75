"""Clips that are solved by windows: the same as at once, no seams, gaps over seams, bounded memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from squatting import FPS, level_camera, observe, squatting, standing_contacts

from motion.body import body_of
from motion.estimate import EstimateOptions, balance, contact_residuals, estimate, start
from motion.evidence import image_residuals
from motion.markers import MARKERS, marker_positions
from motion.residuals.contact import Sliding
from motion.residuals.shared_prior import SharedPrior
from motion.residuals.smoothness import Acceleration
from motion.rotation import exponential
from motion.solve import SolverOptions
from motion.solve_clip import solve_clip
from motion.touch import touches
from motion.windows import Window, WindowOptions, blend, divide, joined, part_of
from records.progress import listening

SHORT = WindowOptions(frames=44, overlap=0.8)
"""Windows of 44 frames with 20 in common."""


@pytest.mark.parametrize("frames", [44, 45, 68, 200, 1000])
def test_windows_cover_the_clip_and_overlap(frames):
    windows = divide(frames, FPS, SHORT)
    kept = np.concatenate([np.arange(frames)[w.kept] for w in windows])
    np.testing.assert_array_equal(kept, np.arange(frames))
    assert len({w.frames.stop - w.frames.start for w in windows}) == 1
    assert max(w.frames.stop - w.frames.start for w in windows) <= 44
    assert all(w.frames.start <= w.kept.start and w.kept.stop <= w.frames.stop for w in windows)
    assert all(a.frames.stop - b.frames.start >= 20 for a, b in pairwise(windows))
    assert len(windows) <= 1 + np.ceil(frames / 24)
    assert sum(w.frames.stop - w.frames.start for w in windows) <= frames + 21 * (len(windows) - 1), "no more twice"


def test_a_clip_that_is_not_longer_than_a_window_is_one():
    assert divide(30, FPS, SHORT) == [Window(slice(0, 30), slice(0, 30))]


def test_parts_take_rows_of_frames_pairs_and_triples_and_nothing_else():
    total = 100
    sliding = Sliding(names=("l_ball",), weight=np.arange(total - 1.0)[:, None])
    np.testing.assert_array_equal(part_of(sliding, slice(10, 20), total).weight[:, 0], np.arange(10, 19))
    contacts = standing_contacts(total)
    assert part_of(contacts, slice(10, 20), total).probability.shape == (10, 4)
    prior = SharedPrior()
    assert part_of(prior, slice(10, 20), total) is prior
    assert part_of(None, slice(10, 20), total) is None


def test_joined_rows_are_those_that_each_window_keeps():
    windows = divide(100, FPS, SHORT)
    frames = np.arange(100.0)
    np.testing.assert_array_equal(joined(lambda w: frames[w.frames], windows), frames)
    contacts = standing_contacts(100)
    found = joined(lambda w: part_of(contacts, w.frames, 100), windows)
    np.testing.assert_array_equal(found.probability, contacts.probability)


def test_motions_that_differ_are_blended_without_a_jump_in_velocity_or_acceleration():
    frames, away = 50, 0.02
    before = np.tile([0.0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1], (frames, 1))
    after = before.copy()
    after[:, 0] = away
    after[:, 7:] = exponential(np.array([0.0, 0.3, 0.0]))
    found = blend(before, after)
    np.testing.assert_allclose(found[0], before[0])
    np.testing.assert_allclose(found[-1], after[-1])
    np.testing.assert_allclose(np.linalg.norm(found[:, 3:].reshape(-1, 2, 4), axis=-1), 1)
    # The steepest change of acceleration of the minimum-jerk blend: 60 times the way over the cube of its time.
    third = np.abs(np.diff(found[:, 0], 3)).max()
    assert third < 1.2 * 60 * away / (frames / 2) ** 3


@pytest.fixture(scope="module")
def clip():
    body, q = squatting(frames=68)
    camera = level_camera()
    return body, observe(body, q, camera), camera, standing_contacts(68)


@pytest.fixture(scope="module")
def both(clip):
    body, person, camera, contacts = clip
    exact = EstimateOptions(
        height=body.height,
        first=SolverOptions(iterations=30, damping=1e-5, tolerance=1e-4),
        second=SolverOptions(iterations=30, widening=1.0, damping=1e-6, tolerance=1e-5),
    )
    whole = estimate(person, camera, contacts, options=exact)
    return whole, estimate(person, camera, contacts, options=replace(exact, windows=SHORT))


def test_two_windows_give_what_the_whole_clip_gives(clip, both):
    whole, parts = (marker_positions(body_of(x.person), x.person.q) for x in both)
    away = np.linalg.norm(whole - parts, axis=-1)
    shape = np.linalg.norm((whole - whole[:, :1]) - (parts - parts[:, :1]), axis=-1)
    assert away.mean() < 0.012, "place along the line of sight follows the scale"
    assert shape.mean() < 0.005
    weight = 9.81 * both[0].person.parameters["mass"]
    force = np.abs(both[0].forces.wrench - both[1].forces.wrench)[..., :3]
    assert force.mean() < 0.01 * weight
    assert np.abs(both[0].contacts.probability - both[1].contacts.probability).mean() < 0.01
    assert both[1].uncertainty.joints.shape == (68, len(MARKERS), 3, 3)
    ratio = np.einsum("tnii->n", both[1].uncertainty.joints) / np.einsum("tnii->n", both[0].uncertainty.joints)
    assert 0.6 < ratio.min() <= ratio.max() < 1.6
    assert both[1].cost.keys() == both[0].cost.keys()
    assert sum(both[1].cost.values()) < 1.02 * sum(both[0].cost.values())


def test_seams_do_not_show_in_accelerations(both):
    accelerations = [
        np.linalg.norm(np.diff(marker_positions(body_of(x.person), x.person.q), 2, axis=0), axis=-1) * FPS**2
        for x in both
    ]
    seam = slice(22, 46)
    assert accelerations[1][seam].max() < 1.15 * accelerations[0].max()
    assert np.abs(accelerations[1] - accelerations[0]).mean() < 0.2


def test_windows_give_the_same_result_again():
    body, q = squatting(frames=46)
    person, camera, contacts = observe(body, q, level_camera()), level_camera(), standing_contacts(46)
    few = EstimateOptions(
        windows=replace(SHORT, sample=1),
        first=SolverOptions(iterations=1),
        second=SolverOptions(iterations=1, widening=1.0),
    )
    one, other = (estimate(person, camera, contacts, options=few) for _ in range(2))
    np.testing.assert_array_equal(one.person.q, other.person.q)
    np.testing.assert_array_equal(one.forces.wrench, other.forces.wrench)


def test_a_gap_over_a_seam_is_bridged_and_marked(clip):
    body, person, camera, contacts = clip
    confidence = person.confidence.copy()
    confidence[30:38] = 0
    found = estimate(
        person.replace(confidence=confidence),
        camera,
        contacts,
        options=EstimateOptions(height=body.height, windows=SHORT),
    )
    assert not found.observed[30:38].any()
    assert found.observed[[29, 38]].all()
    p = marker_positions(body_of(found.person), found.person.q)
    assert np.isfinite(p).all()
    assert np.linalg.norm(np.diff(p, axis=0), axis=-1).max() * FPS < 6.0, "nothing jumps [m/s]"


def problem(frames):
    """A squat's residuals with contacts, and where it starts."""
    body, q = squatting(frames=frames)
    person, contacts = observe(body, q, level_camera()), standing_contacts(frames)
    state, evidence = start(person, level_camera(), EstimateOptions())
    residuals = image_residuals(evidence, person.fps) | contact_residuals(touches(state, contacts, evidence.observed))
    return residuals | {"balance": balance(contacts, holding=False)}, state


def test_memory_does_not_grow_with_the_clip():
    """What a window needs is let go with it: longer clips add their unknowns and what is given back alone."""
    few, one = SolverOptions(iterations=1, widening=1.0), replace(SHORT, sample=1)

    def peak(frames):
        residuals, state = problem(frames)
        tracemalloc.start()
        solve_clip(residuals, state, few, one)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    short, long = peak(68), peak(116)  # two and four windows of 44 frames
    per_frame = (long - short) / 48
    assert per_frame < 8_000, "a frame of the factor alone is 145 kB"
    assert short > 44 * 145_000, "the measure sees what a window needs"


def test_progress_is_told_and_an_interruption_leaves_the_solver_usable():
    residuals, state = problem(68)
    few, told = SolverOptions(iterations=1, widening=1.0), []

    def interrupt(what, done, total):
        told.append((what, done, total))
        if done == 3:
            raise KeyboardInterrupt

    with listening(interrupt), pytest.raises(KeyboardInterrupt):
        solve_clip(residuals, state, few, SHORT, "squat")
    assert [done for _, done, _ in told] == [0, 1, 2, 3]
    with listening(lambda *step: told.append(step)):
        solution = solve_clip(residuals, state, few, SHORT, "squat")
    assert told[-1] == ("squat", told[-1][2], told[-1][2])
    assert np.isfinite(solution.state.q).all()
    assert isinstance(residuals["acceleration"], Acceleration)
