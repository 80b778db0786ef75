from __future__ import annotations

import numpy as np
import pinocchio as pin
import pytest

from motion.body import body_of, build_body
from motion.importers.markers import MarkerError, fit_markers
from motion.markers import LIMB_MARKERS, MARKERS, marker_jacobian, marker_positions


def test_marker_jacobian_against_finite_differences():
    body, step = build_body(), 1e-6
    rng = np.random.default_rng(0)
    q = pin.integrate(body.model, body.neutral(), 0.5 * rng.standard_normal(75))[None]
    points, J = marker_jacobian(body, q)
    np.testing.assert_allclose(points, marker_positions(body, q), atol=1e-12)
    for k in range(75):
        dv = np.eye(75)[k] * step
        ahead, behind = (marker_positions(body, pin.integrate(body.model, q[0], sign * dv)[None]) for sign in (1, -1))
        np.testing.assert_allclose(J[0, :, :, k], (ahead - behind)[0] / (2 * step), atol=1e-8)


@pytest.mark.parametrize("surface", [True, False])
def test_a_known_person_is_recovered_from_markers(surface):
    longer = {"thigh": 0.47, "shank": 0.44, "upper_arm": 0.29, "forearm": 0.25, "trunk": 0.50}
    body, rng = build_body(height=1.78, bones=longer), np.random.default_rng(1)
    start, drift = 0.25 * rng.standard_normal(75), 0.02 * rng.standard_normal(75)
    q = np.array([pin.integrate(body.model, body.neutral(), start + t * drift) for t in range(30)])
    place = marker_positions if surface else body.__class__.site_positions
    points = place(body, q, MARKERS)
    motion = fit_markers(points, MARKERS, 25.0, surface=surface, mass=61.0)
    fitted = body_of(motion)
    error = np.linalg.norm(place(fitted, motion.q, MARKERS) - points, axis=-1)
    assert error.mean() < 0.006
    assert fitted.mass == 61.0
    for bone in ("thigh", "shank", "upper_arm", "forearm"):
        assert fitted.bones[bone] == pytest.approx(body.bones[bone], abs=0.02), bone


def test_markers_without_a_trunk_or_with_gaps_are_refused():
    points = np.zeros((2, len(LIMB_MARKERS), 3))
    with pytest.raises(MarkerError, match="no marker 'l_hip'"):
        fit_markers(points[:, 1:], LIMB_MARKERS[1:], 25.0)
    points[1, 3] = np.nan
    with pytest.raises(MarkerError, match="not finite"):
        fit_markers(points, LIMB_MARKERS, 25.0)
