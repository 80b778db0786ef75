"""Arms: kinematics against finite differences, collision spheres, and robots of one's own with what they lack."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pinocchio as pin
import pytest

from motion.robot import ROBOTS, Arm, RobotError, build_arm, panda, robot_named, robot_of_urdf
from motion.tool import HAMMER
from records import UnknownName
from sim.urdf import arm_urdf

JOINT = """<joint name="j{k}" type="revolute"><parent link="l{k}"/><child link="l{n}"/>
<origin xyz="0 0 0.2"/><axis xyz="{axis}"/><limit lower="-2.5" upper="2.5" effort="200" velocity="{speed}"/></joint>"""
LINK = """<link name="l{k}"><inertial><mass value="1"/><inertia ixx=".01" iyy=".01" izz=".01" ixy="0" ixz="0" iyz="0"/>
</inertial></link>"""


def arm_text(joints=6, speed="3"):
    """A stack of joints that turn about z and y in turns."""
    axes = ["0 0 1", "0 1 0", "0 1 0", "0 0 1", "0 1 0", "0 0 1", "0 1 0"]
    parts = [LINK.format(k=k) for k in range(joints + 1)]
    parts += [JOINT.format(k=k, n=k + 1, axis=axes[k], speed=speed) for k in range(joints)]
    return f'<robot name="own">{"".join(parts)}</robot>'


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.urdf"
    path.write_text(arm_text())
    return path


@pytest.fixture(scope="module")
def arm():
    return build_arm("panda", HAMMER)


def _configuration(arm, seed=0):
    rng = np.random.default_rng(seed)
    return arm.spec.rest + 0.3 * rng.standard_normal(arm.model.nq)


def test_jacobian_of_the_head(arm):
    q, step = _configuration(arm), 1e-6
    R, head, J = arm.head_jacobian(q)
    for k in range(arm.model.nv):
        moved = q + step * np.eye(arm.model.nv)[k]
        R_moved, head_moved, _ = arm.head_jacobian(moved)
        assert (head_moved - head) / step == pytest.approx(J[:3, k], abs=1e-5)
        assert pin.log3(R_moved @ R.T) / step == pytest.approx(J[3:, k], abs=1e-5)


def test_many_poses_at_once_are_the_single_ones(arm):
    q = np.stack([_configuration(arm, seed) for seed in range(4)])
    together = arm.poses(q)
    for t, row in enumerate(q):
        R, head, J = arm.head_jacobian(row)
        assert together.R[t] == pytest.approx(R)
        assert together.head[t] == pytest.approx(head)
        assert together.J[t] == pytest.approx(J)


def test_twists_move_the_spheres_that_a_joint_carries(arm):
    q, step = _configuration(arm, 1), 1e-6
    here = arm.poses(q[None])
    for k in range(arm.model.nv):
        moved = arm.poses((q + step * np.eye(arm.model.nv)[k])[None])
        slope = (moved.spheres - here.spheres)[0] / step
        velocity, turn = here.twists[0, :3, k], here.twists[0, 3:, k]
        expected = (velocity + np.cross(turn, here.spheres[0])) * here.moved[:, k, None]
        assert slope == pytest.approx(expected, abs=1e-5)


def test_the_tool_lies_in_the_hand(arm):
    """The grip of the handle is where the hand holds it, the handle across the fingers, the head at its other end."""
    q = np.array(arm.spec.rest)
    R, origin = arm.tool_pose(q)
    grip = origin + R @ [HAMMER.grip, 0.0, 0.0]
    pin.framesForwardKinematics(arm.model, arm.data, q)
    hand = arm.data.oMf[arm.model.getFrameId("panda_hand")]
    assert hand.actInv(grip) == pytest.approx([0, 0, 0.1034], abs=1e-9)
    assert hand.rotation.T @ R[:, 0] == pytest.approx([1, 0, 0], abs=1e-9)
    assert np.linalg.norm(arm.head_jacobian(q)[1] - grip) == pytest.approx(HAMMER.length - HAMMER.grip)


def test_spheres_cover_arm_and_tool(arm):
    spheres = arm.spheres
    at = arm.poses(np.array(arm.spec.rest)[None]).spheres[0]
    assert spheres.joint[0] == 0
    assert spheres.radius[-1] == pytest.approx(max(HAMMER.head_size) / 2)
    assert spheres.tool[-1]
    # Consecutive spheres of the arm leave no gap.
    chain = at[~spheres.tool]
    assert np.linalg.norm(np.diff(chain, axis=0), axis=1).max() < 2 * arm.spec.link_radius


def test_pairs_are_apart_at_rest_and_no_neighbours(arm):
    first, second = arm.sphere_pairs
    spheres = arm.spheres
    at = arm.poses(np.array(arm.spec.rest)[None]).spheres[0]
    gap = np.linalg.norm(at[first] - at[second], axis=1) - spheres.radius[first] - spheres.radius[second]
    assert gap.min() > 0
    assert np.abs(spheres.joint[first] - spheres.joint[second]).min() >= 2
    assert (spheres.tool[first] != spheres.tool[second]).any(), "the tool may hit the arm"


@pytest.mark.parametrize("name", list(ROBOTS))
def test_every_robot_of_the_table(name):
    arm = build_arm(name, HAMMER)
    spec = arm.spec
    assert spec.name == name
    assert len(spec.rest) == len(spec.acceleration) == len(spec.joints) == arm.model.nq
    assert np.all(arm.model.lowerPositionLimit < spec.rest)
    assert np.all(arm.model.upperPositionLimit > spec.rest)


def test_an_arm_of_ones_own(own):
    spec = robot_of_urdf(own, hand="l6")
    assert spec.joints == tuple(f"j{k}" for k in range(6))
    again = robot_named(spec.name)
    assert (again.name, again.urdf, again.joints, again.rest) == (spec.name, spec.urdf, spec.joints, spec.rest)
    assert Arm(spec=spec, tool=HAMMER).poses(np.array(spec.rest)[None]).head.shape == (1, 3)


@pytest.mark.parametrize(
    ("text", "hand", "message"),
    [
        pytest.param(arm_text(4), "l4", "lacks: 4 moving joints before 'l4', at least 6 are needed", id="few joints"),
        pytest.param(arm_text(speed="0"), "l6", "joint 'j0' states no velocity limit; joint 'j1'", id="no speed"),
        pytest.param(arm_text(), "tip", "no link 'tip' to hold the tool; its links are: l0, l1", id="no such link"),
        pytest.param(
            arm_text().replace(
                "</inertial>", '</inertial><visual><geometry><mesh filename="a.stl"/></geometry></visual>'
            ),
            "l6",
            "lacks: mesh file a.stl$",
            id="no mesh",
        ),
        pytest.param("<robot", "tip", "not a readable URDF", id="no xml"),
    ],
)
def test_what_an_arm_lacks_is_said(tmp_path, text, hand, message):
    path = tmp_path / "own.urdf"
    path.write_text(text)
    with pytest.raises(RobotError, match=message):
        robot_of_urdf(path, hand=hand)


def test_missing_files_and_unknown_names():
    with pytest.raises(RobotError, match=r"none\.urdf: no such URDF file"):
        robot_named("none.urdf:hand")
    with pytest.raises(UnknownName, match="unknown robot 'pandas'; choose from: panda"):
        robot_named("pandas")


def test_joints_that_the_urdf_lacks():
    from dataclasses import replace

    spec = replace(panda(), joints=("elbow",))
    with pytest.raises(RobotError, match="no joint 'elbow'"):
        _ = Arm(spec=spec, tool=HAMMER).model


def test_a_pedestal_is_drawn_below_the_base():
    """A column from the base down to the ground, in pictures only; the base's link has no other cylinder."""
    for name in ROBOTS:
        spec = build_arm(name, HAMMER).spec
        columns = ET.fromstring(arm_urdf(spec, HAMMER, meshes=True, pedestal=0.3)).findall("link")[0].findall("visual")
        shape, origin = columns[-1].find("geometry/cylinder"), columns[-1].find("origin")
        assert float(shape.get("length")) == 0.3
        assert float(origin.get("xyz").split()[2]) == -0.15
        assert arm_urdf(spec, HAMMER, meshes=False, pedestal=0.3) == arm_urdf(spec, HAMMER, meshes=False)


def test_holding_the_tool_still_strains_the_motors(arm):
    """Straight out, gravity on hammer and links takes more torque than hanging by the base's axis."""
    up = np.array(arm.spec.rest)
    out = up + np.array([0, 1.2, 0, 0.8, 0, 0, 0])
    assert 0 < arm.strain(up[None]) < arm.strain(out[None])
    assert arm.strain(np.stack([up, out])) == arm.strain(out[None])


def test_moving_strains_the_motors_as_newton_and_euler_say(arm):
    """A motion that is known to take a torque: inertia times acceleration, Coriolis and gravity, against the limit."""
    model, tool = arm.model.copy(), arm.model.frames[arm.tool_frame]
    model.appendBodyToJoint(tool.parentJoint, HAMMER.inertia(), tool.placement)
    data, rng = model.createData(), np.random.default_rng(0)
    q, v, a = np.array(arm.spec.rest), *rng.standard_normal((2, model.nv))
    M, h = pin.crba(model, data, q).copy(), pin.nonLinearEffects(model, data, q, v)
    M = np.triu(M) + np.triu(M, 1).T
    expected = (np.abs(M @ a + h) / model.effortLimit).max()
    assert arm.strain(q[None], v[None], a[None]) == pytest.approx(expected)
