"""Sampled and posed features hold what they say they hold; lengths of time follow the clips."""

import numpy as np
import pytest

from perception.states.holding import held_place, holding_features
from perception.states.pose import pose_features
from perception.states.sampled import CORRELATION, DIMENSIONS, OFFSET, sampled_features, slow_noise
from perception.states.tempo import tempo
from records import ContactStates, Features, Keypoints

LABELS = [np.repeat([0, 1, 2, 0, 3], 200) for _ in range(40)]


def test_sampled_labels_have_their_means_clips_their_offsets_and_noise_its_memory():
    clips = sampled_features(LABELS, 3.0, seed=(1, 2))
    again = sampled_features(LABELS, 3.0, seed=(1, 2))
    assert all(np.array_equal(a.value, b.value) for a, b in zip(clips, again, strict=True))
    value = np.array([[clip.value[LABELS[0] == k].mean(axis=0) for k in (1, 2, 3)] for clip in clips])
    offset = np.array([clip.value.mean(axis=0) for clip in clips])
    between = (value - value.mean(axis=1, keepdims=True)).mean(axis=0)
    # Three directions of length 3 about their centre; random ones of 64 dimensions are almost at right angles.
    assert np.linalg.norm(between, axis=1) == pytest.approx(3 * np.sqrt(2 / 3), rel=0.2)
    assert offset.std(axis=0).mean() == pytest.approx(OFFSET, rel=0.15)
    noise = slow_noise(20_000, np.random.default_rng(0))
    assert noise.shape == (20_000, DIMENSIONS)
    assert noise.var() == pytest.approx(1, rel=0.02)
    assert (noise[1:] * noise[:-1]).mean() == pytest.approx(np.exp(-1 / CORRELATION), abs=0.02)


def test_background_is_different_in_every_stretch():
    clip = sampled_features(LABELS[:1], 20.0, seed=(0,))[0]
    first, second = clip.value[:200].mean(axis=0), clip.value[600:800].mean(axis=0)
    assert np.linalg.norm(first - second) == pytest.approx(20 * np.sqrt(2), rel=0.2)


NAMES = ("shoulder", "elbow", "hip", "knee", "wrist", "ankle")


def walker(direction, confidence=0.9):
    """A stiff person of 100 px trunk that slides along by 2 trunk lengths a second, and lifts a hand half-way."""
    fps, frames = 25.0, 50
    names = tuple(f"{side}_{name}" for name in NAMES for side in ("l", "r"))
    place = {
        "shoulder": (0, -50),
        "hip": (0, 50),
        "elbow": (20, 0),
        "knee": (5, 120),
        "wrist": (30, 40),
        "ankle": (0, 190),
    }
    t = np.arange(frames) / fps
    uv = np.zeros((frames, len(names), 2))
    for k, name in enumerate(names):
        x, y = place[name[2:]]
        uv[:, k] = np.stack([320 + direction * (200 * t + x), 200.0 + y + 0 * t], axis=1)
        if name[2:] == "wrist":
            uv[:, k, 1] -= 80 * (t > 1)
    given = np.full((frames, len(names)), confidence)
    return Keypoints(names=names, uv=uv, confidence=given, fps=fps, size_hw=(480, 1000))


def test_poses_do_not_depend_on_place_or_on_which_way_one_walks():
    right, left = pose_features(walker(1)), pose_features(walker(-1))
    np.testing.assert_allclose(right.value, left.value, atol=1e-9)
    assert right.time[-1, 1] == pytest.approx(2.0)
    assert np.abs(right.value[30] - right.value[10]).max() > 0.5  # the hand
    assert np.abs(right.value[18] - right.value[10]).max() < 0.05  # walking on


def test_a_point_that_is_never_seen_is_at_rest_at_the_trunk():
    person = walker(1)
    confidence = person.confidence.copy()
    confidence[:, person.index("l_elbow")] = 0
    value = pose_features(person.replace(confidence=confidence)).value
    assert np.isfinite(value).all()
    assert (np.abs(value).sum(axis=0) == 0).sum() >= 2


def held(person, frames, place):
    """Hands rest at a place in some frames, which are told."""
    uv, probability = person.uv.copy(), np.zeros((person.num_frames, 2))
    for side in ("l", "r"):
        uv[frames, person.index(f"{side}_wrist")] = place
    probability[frames] = 0.9
    person = person.replace(uv=uv)
    return person, ContactStates(names=("l_fingers", "r_fingers"), probability=probability, fps=person.fps)


@pytest.mark.parametrize("direction", [1, -1])
def test_what_is_held_is_where_the_hands_rest_and_the_trunk_passes_it(direction):
    x = 320 + direction * 200.0  # passed after 1 s, by 2 trunk lengths a second
    person, contacts = held(walker(direction), slice(20, 30), (x, 250.0))
    np.testing.assert_allclose(held_place(person, contacts), (x, 250.0), atol=25)
    value = holding_features(person, contacts).value
    assert value.shape == (50, 6)
    assert value[5, 0] == pytest.approx(-1.6, abs=0.3)
    assert value[45, 0] == pytest.approx(1.6, abs=0.3)
    assert value[25, 1] == pytest.approx(-0.5, abs=0.3)
    assert value[25, 2] == pytest.approx(2.0 / 5, abs=0.02)
    np.testing.assert_array_equal(value[:, 4:], contacts.probability)


def test_without_hold_places_are_about_the_mean_of_the_trunk():
    person, contacts = held(walker(1), slice(0, 0), (0, 0))
    assert np.abs(holding_features(person, contacts).value[:, :2].mean(axis=0)).max() < 1e-6


def features(seconds):
    time = np.stack([np.arange(10.0), np.arange(10.0) + 1], axis=1) * seconds / 10
    return Features(value=np.zeros((10, 2)), time=time, encoder="", encoder_hash="")


def test_lengths_of_time_are_those_of_the_papers_in_clips_of_minutes_and_shorter_in_short_ones():
    assert tempo("clustering", [features(200.0)]) == {"action_seconds": 4.0}
    assert tempo("pseudo_labels", [features(200.0)]) == {"reach": 2.0}
    short = tempo("pseudo_labels", [features(s) for s in (1.0, 2.0, 100.0)])
    assert short == {"reach": pytest.approx(0.1)}
    assert tempo("clustering", [features(2.0)])["action_seconds"] == pytest.approx(0.2)
    assert tempo("one's own", [features(2.0)]) == {}
