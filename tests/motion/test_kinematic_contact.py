from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motion.body import build_body
from motion.exporters import EXPORTERS, export
from motion.importers import Track
from motion.importers.interaction import interaction_of
from motion.kinematic_contact import kinematic_contacts
from motion.local_derivative import differentiate
from records import Motion

FPS = 100.0
BODY = build_body(height=1.75, mass=70.0)
WEIGHT = 9.81 * 70.0


def track(q, measured=True):
    v, a = differentiate(q, FPS, 0.03)
    motion = Motion(model="smpl_tree", parameters=BODY.parameters(), fps=FPS, q=q, v=v, a=a)
    return Track(name="0", motion=motion, observed=np.ones(len(q), bool), measured=measured)


def standing(frames=60):
    """Arms hanging, feet under the body."""
    q = np.tile(BODY.neutral(), (frames, 1))
    for side, sign in (("l", -1), ("r", 1)):
        j = BODY.joint_names.index(f"{side}_shoulder")
        q[:, 3 + 4 * j : 7 + 4 * j] = Rotation.from_rotvec([0, 0, sign * 1.4]).as_quat()
    return q


def test_standing_still_is_the_weight_on_both_feet():
    found = interaction_of(track(standing()))
    np.testing.assert_allclose(found.contacts.probability, np.tile([1, 1, 0, 0], (60, 1)), atol=0.05)
    vertical = found.forces.wrench[..., 2]
    np.testing.assert_allclose(vertical[:, :2].sum(axis=1), WEIGHT, rtol=0.01)
    np.testing.assert_allclose(vertical[:, 0], vertical[:, 1], rtol=0.02)
    np.testing.assert_allclose(vertical[:, 2:], 0, atol=3)


def test_a_fall_is_no_contact_and_no_force():
    q = standing(40)
    t = np.arange(40) / FPS
    q[:, 2] += 1.5 - 0.5 * 9.81 * t**2
    found = interaction_of(track(q))
    assert found.contacts.probability.max() < 0.1
    np.testing.assert_allclose(found.forces.wrench[..., :3], 0, atol=0.02 * WEIGHT)


def test_a_foot_that_is_lifted_gives_its_share_to_the_other():
    q = standing(100)
    hip, knee = (BODY.joint_names.index(f"l_{joint}") for joint in ("hip", "knee"))
    bend = 0.9 * np.clip((np.arange(100) - 30) / 20, 0, 1)
    q[:, 3 + 4 * hip : 7 + 4 * hip] = Rotation.from_rotvec(np.outer(-bend, [1, 0, 0])).as_quat()
    q[:, 3 + 4 * knee : 7 + 4 * knee] = Rotation.from_rotvec(np.outer(2 * bend, [1, 0, 0])).as_quat()
    p = kinematic_contacts(BODY, track(q).motion).probability
    assert p[:25, 0].min() > 0.9
    assert p[60:, 0].max() < 0.01
    assert p[:, 1].min() > 0.9
    vertical = interaction_of(track(q)).forces.wrench[70:, :, 2]
    np.testing.assert_allclose(vertical[:, 1], WEIGHT, rtol=0.03)


def test_sliding_feet_do_not_stand():
    q = standing(40)
    q[:, 0] += 3.0 * np.arange(40) / FPS
    assert kinematic_contacts(BODY, track(q).motion).probability[:, :2].max() < 0.02


def test_hands_carry_a_body_that_hangs():
    q = standing(60)
    for side, sign in (("l", 1), ("r", -1)):
        j = BODY.joint_names.index(f"{side}_shoulder")
        q[:, 3 + 4 * j : 7 + 4 * j] = Rotation.from_rotvec([0, 0, sign * 1.5]).as_quat()
    q[:, 2] += 0.6
    found = interaction_of(track(q))
    assert found.contacts.probability[:, 2:].min() > 0.9
    assert found.contacts.probability[:, :2].max() < 0.01
    np.testing.assert_allclose(found.forces.wrench[:, 2:, 2].sum(axis=1), WEIGHT, rtol=0.03)


def test_feet_carry_a_body_that_stands_on_a_box():
    q = standing(60)
    q[:, 2] += 0.4
    found = interaction_of(track(q))
    assert found.contacts.probability[:, :2].min() > 0.9
    assert found.contacts.probability[:, 2:].max() < 0.05
    np.testing.assert_allclose(found.forces.wrench[:, :2, 2].sum(axis=1), WEIGHT, rtol=0.03)


def test_hands_carry_a_vault():
    """Feet swing past, hands stay: what carries the body are the hands, below the head as they are."""
    q = standing(60)
    q[:, 2] += 0.3
    for joint in ("l_hip", "r_hip"):
        j = BODY.joint_names.index(joint)
        swing = np.linspace(0.6, -0.9, 60)
        q[:, 3 + 4 * j : 7 + 4 * j] = Rotation.from_rotvec(np.outer(swing, [1, 0, 0])).as_quat()
    p = interaction_of(track(q)).contacts.probability[5:-5]
    assert p[:, 2:].min() > 0.8
    assert p[:, :2].max() < 0.2


def test_an_estimate_that_floats_a_little_still_stands():
    q = standing(40)
    q[:, 2] += 0.06
    assert interaction_of(track(q, measured=False)).contacts.probability[:, :2].min() > 0.7


def test_one_frame():
    found = interaction_of(track(standing(1)))
    np.testing.assert_allclose(found.forces.wrench[0, :2, 2].sum(), WEIGHT, rtol=0.01)


@pytest.mark.parametrize("measured", [True, False])
def test_the_made_up_camera_sees_everyone_and_every_format_can_be_exported(tmp_path, measured):
    q = standing(30)
    q[:, 0] += np.linspace(-2, 2, 30)
    found = interaction_of(track(q, measured))
    points = BODY.site_positions(q, ["head", "l_toes", "r_toes", "l_fingers"])
    uv = found.camera.project(points)
    h, w = found.camera.size_hw
    assert (uv.min(axis=(0, 1)) > 0).all()
    assert (uv.max(axis=(0, 1)) < [w, h]).all()
    assert found.camera.project(points)[0, 0, 1] < found.camera.project(points)[0, 1, 1]
    assert found.assumed["focal"] == found.camera.K[0, 0]
    for format in EXPORTERS:
        assert export(found, format, tmp_path / format)
