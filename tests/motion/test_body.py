from __future__ import annotations

import numpy as np
import pinocchio as pin
import pytest

from motion.body import BODIES, BodyError, body_of, build_body
from motion.skeleton import SEGMENTS, SITES
from records import Motion


def random_configurations(body, count, seed=0):
    rng = np.random.default_rng(seed)
    return np.array([pin.integrate(body.model, body.neutral(), 0.4 * rng.standard_normal(75)) for _ in range(count)])


def test_segment_masses_sum_to_the_body_mass():
    assert sum(segment.mass for segment in SEGMENTS) == pytest.approx(1, abs=1e-9)
    assert pin.computeTotalMass(build_body(mass=61.0).model) == pytest.approx(61.0)


def test_neutral_body_stands_upright_with_its_stature():
    body = build_body(height=1.8)
    points = body.site_positions(body.neutral()[None], ["head", "l_heel", "r_toes", "l_hip", "r_hip", "nose", "neck"])[
        0
    ]
    assert points[0, 2] == pytest.approx(1.8, abs=0.02)
    np.testing.assert_allclose(points[1:3, 2], 0, atol=1e-9)
    assert points[3, 1] > points[4, 1], "facing +x, the left hip lies towards +y"
    assert points[5, 0] > points[6, 0], "the nose is in front of the neck"


def test_site_positions_agree_with_pinocchio():
    body = build_body()
    data = body.model.createData()
    for q in random_configurations(body, 5):
        pin.framesForwardKinematics(body.model, data, q)
        expected = [data.oMf[body.model.getFrameId(name + "_site")].translation for name in SITES]
        np.testing.assert_allclose(body.site_positions(q[None], list(SITES))[0], expected, atol=1e-12)


def test_site_jacobian_against_finite_differences():
    body, names, step = build_body(), list(SITES), 1e-6
    q = random_configurations(body, 1)
    _, J = body.site_jacobian(q, names)
    for k in range(75):
        dv = np.zeros(75)
        dv[k] = step
        ahead = body.site_positions(pin.integrate(body.model, q[0], dv)[None], names)
        behind = body.site_positions(pin.integrate(body.model, q[0], -dv)[None], names)
        np.testing.assert_allclose(J[0, :, :, k], (ahead - behind)[0] / (2 * step), atol=1e-8)


def test_centre_of_mass_agrees_with_pinocchio():
    body = build_body(mass=61.0)
    data = body.model.createData()
    q = random_configurations(body, 3)
    expected = np.array([pin.centerOfMass(body.model, data, q_t).copy() for q_t in q])
    np.testing.assert_allclose(body.centre_of_mass(q), expected, atol=1e-9)
    centre, J, J_bones = body.centre_of_mass_jacobian(q)
    np.testing.assert_allclose(centre, expected, atol=1e-9)
    step, rng = 1e-6, np.random.default_rng(1)
    for _ in range(5):
        dv = rng.standard_normal(75)
        ahead, behind = (body.centre_of_mass(pin.integrate(body.model, q[0], s * step * dv)[None])[0] for s in (1, -1))
        np.testing.assert_allclose(J[0] @ dv, (ahead - behind) / (2 * step), atol=1e-8)
    for b, bone in enumerate(body.bone_names):
        longer = build_body(bones={**body.bones, bone: body.bones[bone] + step})
        np.testing.assert_allclose(J_bones[..., b], (longer.centre_of_mass(q) - expected) / step, atol=1e-8)


def test_bone_jacobian_against_finite_differences():
    body, names, step = build_body(), list(SITES), 1e-6
    q = random_configurations(body, 2)
    J = body.bone_jacobian(q, names)
    for b, bone in enumerate(body.bone_names):
        longer = build_body(bones={**body.bones, bone: body.bones[bone] + step})
        difference = (longer.site_positions(q, names) - body.site_positions(q, names)) / step
        np.testing.assert_allclose(J[..., b], difference, atol=1e-8)


def test_body_survives_a_motion_record():
    body = build_body(height=1.62, mass=55, bones={"thigh": 0.41})
    q = body.neutral()[None]
    motion = Motion(
        model="smpl_tree", parameters=body.parameters(), fps=25, q=q, v=np.zeros((1, 75)), a=np.zeros((1, 75))
    )
    assert body_of(motion) == body


def test_impossible_bodies_are_refused():
    with pytest.raises(BodyError, match="positive"):
        build_body(mass=-1)
    with pytest.raises(BodyError, match="unknown bone 'tail'"):
        build_body(bones={"tail": 0.3})
    with pytest.raises(BodyError, match="no site 'tail'"):
        build_body().site_positions(build_body().neutral()[None], ["tail"])


def test_every_body_in_the_table_loads():
    for name in BODIES:
        assert BODIES.load(name)(height=1.7, mass=70).model.nv > 0
