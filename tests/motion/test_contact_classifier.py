"""The contact classifier as it ships: complete, finite, symmetric, and right on movements with known contacts."""

from __future__ import annotations

import numpy as np
import pytest

from motion.contact_classifier import (
    WEIGHTS,
    Classifier,
    ClassifierError,
    Network,
    load_classifier,
    save_classifier,
)
from motion.contact_features import contact_features
from motion.contact_posterior import refine_contacts
from motion.force_options import ForceOptions
from records import ContactStates
from sim.studio_moves import perform

VIDEO = ForceOptions(acceleration_sigma=2.2, mass_error=0.2)


def unknown(frames: int, fps: float) -> ContactStates:
    names = ("l_ankle", "r_ankle", "l_fingers", "r_fingers")
    return ContactStates(names=names, probability=np.full((frames, 4), 0.5), fps=fps)


def read(move: str, seed: int, seconds: float = 1.2, fps: float = 25.0) -> tuple[np.ndarray, np.ndarray]:
    """What is true, and what the network says without an image."""
    done = perform(move, seed=seed, seconds=seconds, fps=fps)
    features = contact_features(done.body, done.q, unknown(len(done.q), fps))
    return done.touch, load_classifier().log_odds(features)


def test_the_weights_are_complete_and_finite() -> None:
    classifier = load_classifier()
    for network in classifier:
        assert all(np.isfinite(values).all() for values in network)
        assert (network.scale > 0).all()
        assert network.W1.shape == (*network.b1.shape, len(network.mean))


def test_feet_of_who_stands_touch_and_hands_do_not() -> None:
    touch, log_odds = read("squat", seed=4)
    assert touch[:, :2].all()
    assert (log_odds[:, :2] > 0).mean() > 0.95
    assert (log_odds[:, 2:] < 0).mean() > 0.95


def test_feet_of_who_hangs_dangle_and_hands_hold() -> None:
    done = perform("muscle_up", seed=2, seconds=1.2)
    assert done.touch[:, 2:].all()
    said = unknown(len(done.q), done.fps)
    # The ground that an estimate finds lies where the lowest feet are.
    q = done.q.copy()
    q[:, 2] -= done.body.site_positions(q, ["l_toes", "r_toes"])[..., 2].min()
    found = refine_contacts(done.body, q, said, options=VIDEO).probability
    assert (found[:, :2] < 0.5).mean() > 0.9
    assert (found[:, 2:] > 0.5).mean() > 0.9


def test_most_frames_of_new_vaults_are_read_rightly() -> None:
    touch, log_odds = read("kong", seed=905, seconds=2.0)
    assert ((log_odds > 0) == touch).mean() > 0.85


def test_twice_the_frame_rate_gives_the_same_answer() -> None:
    _, slow = read("hang", seed=3, seconds=1.0)
    done = perform("hang", seed=3, seconds=1.0)
    fine = np.repeat(done.q, 2, axis=0)[:-1]
    fine[1::2] = 0.5 * (done.q[:-1] + done.q[1:])
    fine[:, 3:] /= np.linalg.norm(fine[:, 3:].reshape(len(fine), 24, 4), axis=-1).repeat(4, axis=1)
    fast = load_classifier().log_odds(contact_features(done.body, fine, unknown(len(fine), 50.0)))[::2]
    probability = [1 / (1 + np.exp(-values)) for values in (slow, fast)]
    assert np.abs(probability[0] - probability[1])[3:-3].max() < 0.15


def test_weights_for_other_features_are_refused(tmp_path) -> None:
    shipped = load_classifier()
    copy = tmp_path / "copy.safetensors"
    save_classifier(shipped, copy)
    np.testing.assert_allclose(load_classifier(copy).feet.W1, shipped.feet.W1)
    feet = Network(*(values[..., 1:] if n in (0, 1, 2) else values for n, values in enumerate(shipped.feet)))
    save_classifier(Classifier(feet, *shipped[1:]), tmp_path / "short.safetensors")
    with pytest.raises(ClassifierError, match=r"short\.safetensors: feet take \d+ inputs"):
        load_classifier(tmp_path / "short.safetensors")
    (tmp_path / "torn.safetensors").write_bytes(WEIGHTS.read_bytes()[:500])
    with pytest.raises(ClassifierError, match=r"cannot be read .* make it again"):
        load_classifier(tmp_path / "torn.safetensors")
    with pytest.raises(ClassifierError, match="cannot be read"):
        load_classifier(tmp_path / "none.safetensors")
