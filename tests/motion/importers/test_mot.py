"""OpenSim's joint angles: poses whose geometry is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from published_markers import mot

from motion.body import body_of
from motion.importers import MotionFileError, import_motion


def posed(tmp_path, **angles):
    (track,) = import_motion(mot(tmp_path / "ik.mot", **angles), height=1.8, mass=80)
    body = body_of(track.motion)

    def at(name):
        return body.site_positions(track.motion.q, [name])[0, 0]

    return track, body, at


def direction(a, b):
    return (b - a) / np.linalg.norm(b - a)


def test_neutral_stands_with_arms_hanging_and_faces_x(tmp_path):
    track, body, at = posed(tmp_path)
    assert track.motion.fps == 100
    assert (body.height, body.mass, track.assumed) == (1.8, 80, {})
    for side, y in (("l", 1), ("r", -1)):
        np.testing.assert_allclose(direction(at(f"{side}_hip"), at(f"{side}_ankle")), [0, 0, -1], atol=1e-6)
        np.testing.assert_allclose(direction(at(f"{side}_shoulder"), at(f"{side}_wrist")), [0, 0, -1], atol=1e-6)
        assert at(f"{side}_hip")[1] * y > 0
        assert at(f"{side}_toes")[0] > at(f"{side}_heel")[0]
        assert at(f"{side}_heel")[2] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(direction(at("pelvis"), at("neck")), [0, 0, 1], atol=1e-6)


@pytest.mark.parametrize("side", ["l", "r"])
def test_every_joint_bends_the_way_that_people_do(tmp_path, side):
    outwards = 1 if side == "l" else -1
    _, _, at = posed(tmp_path, **{f"hip_flexion_{side}": 90.0, f"knee_angle_{side}": 90.0})
    np.testing.assert_allclose(direction(at(f"{side}_hip"), at(f"{side}_knee")), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(direction(at(f"{side}_knee"), at(f"{side}_ankle")), [0, 0, -1], atol=1e-6)
    _, _, at = posed(tmp_path, **{f"hip_adduction_{side}": -30.0})
    np.testing.assert_allclose(direction(at(f"{side}_hip"), at(f"{side}_knee"))[1], outwards * 0.5, atol=1e-6)
    _, _, at = posed(tmp_path, **{f"arm_flex_{side}": 90.0})
    np.testing.assert_allclose(direction(at(f"{side}_shoulder"), at(f"{side}_elbow")), [1, 0, 0], atol=1e-6)
    _, _, at = posed(tmp_path, **{f"arm_add_{side}": -90.0})
    np.testing.assert_allclose(direction(at(f"{side}_shoulder"), at(f"{side}_elbow")), [0, outwards, 0], atol=1e-6)
    _, _, at = posed(tmp_path, **{f"elbow_flex_{side}": 90.0})
    np.testing.assert_allclose(direction(at(f"{side}_elbow"), at(f"{side}_wrist")), [1, 0, 0], atol=0.25)
    _, _, at = posed(tmp_path, **{f"ankle_angle_{side}": 20.0})
    assert at(f"{side}_toes")[2] - at(f"{side}_heel")[2] > 0.05


def test_the_trunk_leans_and_the_body_turns(tmp_path):
    _, _, at = posed(tmp_path, lumbar_extension=-30.0)
    np.testing.assert_allclose(
        direction(at("pelvis"), at("neck"))[0], 0.75 * 0.5 / np.hypot(0.75 * 0.5, 0.25 + 0.75 * 0.75**0.5), atol=1e-6
    )
    _, _, at = posed(tmp_path, pelvis_rotation=90.0)
    facing = direction(at("l_heel"), at("l_toes"))
    np.testing.assert_allclose(facing[:2] / np.linalg.norm(facing[:2]), [0, 1], atol=1e-6)
    _, _, at = posed(tmp_path, pelvis_tx=0.5, pelvis_tz=-0.25)
    np.testing.assert_allclose(0.5 * (at("l_hip") + at("r_hip"))[:2], [0.5 - 0.056 * 1.8 / 1.7, 0.25], atol=1e-6)


def test_radians_paths_and_negative_knees_say_the_same(tmp_path):
    angles = {"hip_flexion_r": 40.0, "knee_angle_r": 70.0, "knee_angle_l": 10.0, "arm_flex_l": 20.0}
    (plain,) = import_motion(mot(tmp_path / "a.mot", **angles), height=1.8)
    (radians,) = import_motion(mot(tmp_path / "b.mot", degrees=False, joint="some_joint", **angles), height=1.8)
    flipped = {name: -value if name.startswith("knee") else value for name, value in angles.items()}
    (negative,) = import_motion(mot(tmp_path / "c.mot", **flipped), height=1.8)
    np.testing.assert_allclose(radians.motion.q, plain.motion.q, atol=1e-7)
    np.testing.assert_allclose(negative.motion.q, plain.motion.q, atol=1e-7)


def test_forces_or_half_a_pelvis_are_not_joint_angles(tmp_path):
    path = mot(tmp_path / "x.mot")
    path.write_text(path.read_text().replace("pelvis_tx", "sternum_tx"))
    with pytest.raises(MotionFileError, match=r"x\.mot: no column 'pelvis_tx'"):
        import_motion(path)
    path.write_text("f\nendheader\ntime\tground_force_vx\n0\t1\n")
    with pytest.raises(MotionFileError, match="not a motion file"):
        import_motion(path)
