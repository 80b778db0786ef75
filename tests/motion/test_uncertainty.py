from __future__ import annotations

import numpy as np
import pytest
from squatting import FPS, SEEN, level_camera, observe, squatting, standing_contacts

from motion.elimination import DenseRows, factorise
from motion.estimate import EstimateOptions, estimate
from motion.force_options import ForceOptions
from motion.force_uncertainty import INTERVAL, LEAST_SHARE, force_covariance
from motion.markers import MARKERS
from motion.skeleton import CONTACT_SITES
from motion.uncertainty import _without_similarity
from records import ContactForces, ContactStates


@pytest.fixture(scope="module")
def squat():
    body, q = squatting(frames=20)
    camera = level_camera()
    options = EstimateOptions(height=body.height, mass=body.mass)
    return body, q, estimate(observe(body, q, camera), camera, standing_contacts(20), options=options)


def test_an_estimate_says_how_well_it_is_known(squat):
    _, _, interaction = squat
    known = interaction.uncertainty
    assert known.joint_names == MARKERS
    assert known.contact_names == CONTACT_SITES
    for covariance in (known.joints, known.forces):
        assert np.isfinite(covariance).all()
        assert np.linalg.eigvalsh(covariance).min() > 0
    sigma = np.sqrt(np.einsum("tnii->tni", known.joints))
    assert sigma.min() > 0.003
    assert sigma.max() < 0.5
    assert sigma[..., 1].mean() > 1.3 * sigma[..., [0, 2]].mean(), "least is known along the line of sight"


def test_hands_are_known_less_well_than_the_trunk(squat):
    _, _, interaction = squat
    variance = np.einsum("tnii->n", interaction.uncertainty.joints)
    hands, neck = variance[[MARKERS.index("l_fingers"), MARKERS.index("r_fingers")]], variance[MARKERS.index("neck")]
    assert hands.min() > neck


def test_points_that_are_not_seen_are_known_less_well():
    body, q = squatting(frames=16)
    camera = level_camera()
    person = observe(body, q, camera)
    confidence = person.confidence.copy()
    arm = [SEEN.index(name) for name in ("l_elbow", "l_wrist", "l_fingers")]
    confidence[:, arm] = 0
    whole, hidden = (
        estimate(p, camera, standing_contacts(16), options=EstimateOptions(height=body.height)).uncertainty.joints
        for p in (person, person.replace(confidence=confidence))
    )
    for name, grown in (("l_fingers", True), ("r_fingers", False)):
        n = MARKERS.index(name)
        assert (np.trace(hidden[:, n].sum(axis=0)) > 2 * np.trace(whole[:, n].sum(axis=0))) == grown


def test_an_estimate_whose_equations_are_singular_stands_without_it(monkeypatch):
    def singular(residuals, state):
        raise np.linalg.LinAlgError("not positive definite")

    monkeypatch.setattr("motion.estimate.joint_covariance", singular)
    body, q = squatting(frames=6)
    camera = level_camera()
    assert estimate(observe(body, q, camera), camera, standing_contacts(6)).uncertainty is None


def test_the_similarity_is_taken_out_as_least_squares_does():
    """Points with independent unit errors: their covariance is that of the residuals of a regression."""
    frames, count = 4, 5
    p = np.random.default_rng(0).standard_normal((frames, count, 3))
    size = 3 * count
    blocks = np.zeros((3, frames, size, size))
    blocks[0] = np.eye(size)
    empty = np.zeros((frames, size, 0))
    factor = factorise(DenseRows(blocks, empty, np.zeros((0, 0)), np.zeros((frames, size)), np.zeros(0)), 0.0)
    found = _without_similarity(factor, p, lambda here: np.broadcast_to(np.eye(size), (frames, size, size))[here])
    arm = (p - p.mean(axis=(0, 1))).reshape(-1, 3)
    zero = np.zeros(len(arm))
    x, y, z = arm.T
    turns = [np.stack(a, axis=1) for a in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    shifts = [np.tile(axis, (len(arm), 1)) for axis in np.eye(3)]
    design = np.stack([column.reshape(-1) for column in (*shifts, *turns, arm)], axis=1)
    left = np.eye(len(design)) - design @ np.linalg.pinv(design)
    expected = np.array([left[i : i + 3, i : i + 3] for i in range(0, len(left), 3)])
    np.testing.assert_allclose(found.reshape(-1, 3, 3), expected, atol=1e-7)


def contact_forces(wrench, residual=None):
    frames = len(wrench)
    return ContactForces(
        names=CONTACT_SITES,
        fps=FPS,
        point=np.zeros((frames, 4, 3)),
        wrench=np.concatenate([wrench, np.zeros_like(wrench)], axis=-1),
        tau=np.zeros((frames, 75)),
        residual=np.zeros((frames, 6)) if residual is None else residual,
    )


def states(rows):
    return ContactStates(names=CONTACT_SITES, probability=np.array(rows, float), fps=FPS)


def test_a_single_certain_contact_errs_as_the_acceleration_does():
    wrench = np.zeros((1, 4, 3))
    wrench[0, 0, 2] = 700
    covariance = force_covariance(contact_forces(wrench), states([[1, 0, 0, 0]]), 70.0, held=False)
    options_sigma, none = INTERVAL * 0.5 * 70, INTERVAL * 0.015 * 9.81 * 70
    np.testing.assert_allclose(covariance[0, 0], (options_sigma**2 + none**2) * np.eye(3), rtol=1e-6)
    np.testing.assert_allclose(covariance[0, 1:], np.broadcast_to(none**2 * np.eye(3), (3, 3, 3)), rtol=1e-6)


def test_a_mass_that_is_assumed_widens_forces_along_themselves():
    wrench = np.zeros((1, 4, 3))
    wrench[0, 0] = 60, 0, 700
    known, vague = (
        force_covariance(
            contact_forces(wrench), states([[1, 0, 0, 0]]), 70.0, held=False, options=ForceOptions(mass_error=error)
        )[0, 0]
        for error in (0.0, 0.2)
    )
    np.testing.assert_allclose(vague - known, (INTERVAL * 0.2) ** 2 * np.outer(wrench[0, 0], wrench[0, 0]), atol=1e-6)


def test_doubt_about_a_contact_widens_its_force():
    wrench = np.zeros((2, 4, 3))
    wrench[:, :2, 2] = 350
    covariance = force_covariance(contact_forces(wrench), states([[1, 1, 0, 0], [1, 0.5, 0, 0]]), 70.0, held=False)
    certain, doubtful = np.sqrt(covariance[:, 0, 2, 2])
    assert certain == pytest.approx(INTERVAL * 700 * np.sqrt(0.25 / 3), rel=0.1), "two feet share as they like"
    assert doubtful > 1.3 * certain


def test_variances_of_forces_are_the_mean_squares_of_their_errors():
    """Drawn from the model that is assumed: sets by their probability, shares about the estimate's, no acceleration."""
    rng = np.random.default_rng(0)
    draws, mass = 4000, 70.0
    probability, demand = np.array([0.9, 0.6, 0.2, 0.0]), np.array([0, 0, 9.81 * mass])
    supposed = np.array([0.5, 0.3, 0.2, 0.0])
    errors = []
    while len(errors) < draws:
        present = rng.random(4) < probability
        if present.any():
            mean = (supposed + LEAST_SHARE) * present
            share = np.zeros(4)
            share[present] = rng.dirichlet((mean / mean.sum() * present.sum())[present])
            errors.append((share - supposed)[:, None] * demand)
    expected = (np.array(errors) ** 2).mean(axis=0)[:, 2]
    found = force_covariance(
        contact_forces((supposed[:, None] * demand)[None]), states([probability]), mass, held=False
    )
    np.testing.assert_allclose(np.sqrt(found[0, :3, 2, 2]), INTERVAL * np.sqrt(expected[:3]), rtol=0.06)


def test_hands_on_a_tool_do_not_bear_the_body():
    wrench = np.zeros((1, 4, 3))
    wrench[0, :, 2] = [350, 350, -10, -10]
    covariance = force_covariance(contact_forces(wrench), states([[1, 1, 1, 1]]), 70.0, held=True)
    assert np.sqrt(covariance[0, 2:, 2, 2]).max() < 0.1 * np.sqrt(covariance[0, :2, 2, 2]).min()
