"""Ways to spoil observations, and what an estimate must do with them: end soundly, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from squatting import SEEN, level_camera, observe, squatting

from benchmarks import robustness
from benchmarks.robustness import TRIALS, Errors, Scene, Spoiled, Truth, look, measure, report, same, trial
from motion.markers import LIMB_MARKERS
from motion.score import limb_markers

FRAMES = 24
SCENE = Scene(1.0, np.zeros((0, 4)))
TRUNK = ("l_shoulder", "r_shoulder", "l_hip", "r_hip")


@pytest.fixture(scope="module")
def person():
    body, q = squatting(frames=FRAMES)
    return observe(body, q, level_camera(), names=tuple(dict.fromkeys((*SEEN, *LIMB_MARKERS))))


@pytest.fixture(scope="module")
def clean(person):
    return look(Spoiled(person), SCENE)


@pytest.fixture(scope="module")
def truth(clean):
    """The clean estimate stands for the truth: what is spoiled is off it."""
    found, _ = clean
    return Truth(limb_markers(found), found.forces.wrench, np.zeros((FRAMES, 4), bool))


def spoiled(name, person):
    return TRIALS[name](person, person, np.random.default_rng(0))


@pytest.mark.parametrize("name", TRIALS)
def test_every_way_spoils_and_keeps_the_record_sound(name, person):
    after = spoiled(name, person)
    assert after.person.num_frames == person.num_frames
    assert np.isfinite(after.person.uv).all()
    changed = after.person != person or after.focal_factor != 1
    assert changed
    np.testing.assert_array_equal(after.person.uv, spoiled(name, person).person.uv)


def test_what_is_dropped_swapped_or_cut_off_is_what_the_name_says(person):
    gone = ~spoiled("gap of 0.5 s", person).person.seen.any(axis=1)
    assert gone.sum() == pytest.approx(0.5 * person.fps, abs=1)
    legs = spoiled("legs not seen", person).person.seen.all(axis=0)
    assert not legs[person.index("l_knee")]
    assert legs[[person.index(name) for name in TRUNK]].all()
    swapped = spoiled("0.4 s of 2 s left/right swapped", person).person
    wrong = (swapped.uv != person.uv).any(axis=(1, 2))
    assert wrong.sum() == round(robustness.BURST * person.fps)
    left, right = person.index("l_hip"), person.index("r_hip")
    np.testing.assert_array_equal(swapped.uv[wrong][:, left], person.uv[wrong][:, right])


@pytest.mark.parametrize("name", ["0.4 s of 2 s left/right swapped", "0.4 s of 2 s another person"])
def test_an_estimate_withstands_it(name, person, clean, truth):
    found, _ = clean
    errors = trial(TRIALS[name], person, person, found, truth, SCENE, again=False)
    assert errors.shift < 25, "millimetres; the mistakes themselves are as far as a body is wide"


def test_the_same_input_gives_the_same_output_and_no_nan(person, clean, truth):
    found, gated = clean
    again, _ = look(Spoiled(person), SCENE)
    assert same(found, again)
    assert not same(found, found.replace(status="stalled"))
    errors = measure(found, gated, found, truth)
    assert errors.shift == pytest.approx(0, abs=1e-6)
    assert errors.pa == pytest.approx(0, abs=1e-6)
    assert errors.force == pytest.approx(0, abs=1e-6)


def test_a_body_that_nobody_can_see_is_refused_not_invented(person):
    nobody = person.replace(confidence=np.zeros_like(person.confidence))
    assert look(Spoiled(nobody), SCENE) is None


def test_the_table_shows_increases_and_the_worst():
    clean = [Errors(60.0, 90.0, 80.0, 0.0, 75.0)] * 2
    table = {
        "noise": [Errors(61.0, 92.0, 83.0, 5.0, 75.5)] * 2,
        "gap": [Errors(70.0, 120.0, 81.0, 40.0, 90.0), None],
        "fog": [None, None],
    }
    lines = report(clean, table).splitlines()
    assert lines[2].split() == ["noise", "+1.0", "+2.0", "+3.0", "5.0", "+0.5", "0"]
    assert lines[3].split() == ["gap", "+10.0", "+30.0", "+1.0", "40.0", "+15.0", "1"]
    assert "refused in all clips" in lines[4]
    assert "adds 10.0 mm to 60.0 (gap), for forces 3.0 N to 80.0 (noise)" in lines[-1]
