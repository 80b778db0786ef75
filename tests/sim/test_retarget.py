"""Retargeting: derivatives, limits, collisions, refusals, and the nail in physics."""

from __future__ import annotations

import copy
import itertools
import logging
from dataclasses import replace

import numpy as np
import pinocchio as pin
import pybullet_data
import pytest
from episodes import play
from strokes import random_stroke

from motion.robot import Arm, build_arm
from motion.tool import HAMMER, head_positions, tool_of
from records import Demonstration
from sim import retarget as module
from sim.align import align
from sim.arm_problem import BASE, GAP, ROOM, ArmProblem, ArmProblemAt
from sim.clearance import Clearance, above_ground, apart, beside_column, outside_box
from sim.conditions import Spread
from sim.displaced import Displaced
from sim.env import ToolEnv
from sim.retarget import GOOD, RetargetError, retarget, stretch
from sim.tasks.hammer import HammerTask
from sim.tasks.task import TASKS, Box

SHIFTED = 0.85
"""Share of displaced episodes (5 cm) that a demonstration moved with its object solves at least."""


@pytest.fixture(scope="module")
def problem(aligned):
    """Few frames, an arm, and boxes in its way."""
    tool = aligned.tool
    short = tool.replace(q=tool.q[::6], v=tool.v[::6], a=tool.a[::6])
    boxes = (Box((0.3, 0.0, 0.4), (0.2, 0.3, 0.4)), *HammerTask.obstacles(aligned.scene))
    return ArmProblem(
        short, build_arm("panda", HAMMER), HammerTask.work(aligned.scene), boxes, working=HammerTask.working
    )


@pytest.fixture(scope="module")
def point(problem):
    """Joints and base at which limits and clearances are violated: every residual is active somewhere."""
    rng = np.random.default_rng(0)
    q = problem.arm.spec.rest + 1.6 * rng.standard_normal((len(problem.head), problem.J))
    return q, np.array([0.23, -0.27, 0.05, 0.4])


def test_equations_are_those_of_the_residuals_derivatives(problem, point):
    """By finite differences of every residual: curvature of joints and base, and gradient."""
    problem, (q, base) = _searching(problem, "x", "y", "z", "yaw"), point
    here = ArmProblemAt(problem, q, base, 0.05)
    pose, gap, limits, *_ = here.residuals()
    assert pose.shape == (len(q), 6)
    assert gap.size > 20
    assert np.count_nonzero(limits) > 0
    step, unknowns = 1e-6, np.eye(q.size + len(base))
    J = []
    for one in unknowns:
        dq, dbase = step * one[: q.size].reshape(q.shape), step * one[q.size :]
        up, down = (ArmProblemAt(problem, q + s * dq, base + s * dbase, 0.05).residuals() for s in (1, -1))
        J.append(np.concatenate([(a - b).ravel() / (2 * step) for a, b in zip(up, down, strict=True)]))
    J, e = np.array(J).T, np.concatenate([error.ravel() for error in here.residuals()])
    equations, free = here.equations, problem.J
    frames = np.arange(len(q))
    dense = np.zeros((len(q), free, len(q), free))
    for k, block in enumerate(equations.blocks):
        for t in frames[: len(q) - k]:
            dense[t + k, :, t], dense[t, :, t + k] = block[t], block[t].T
    curvature, scale = J.T @ J, np.abs(J.T @ J).max()
    assert dense.reshape(q.size, q.size) == pytest.approx(curvature[: q.size, : q.size], abs=1e-5 * scale)
    assert equations.border.reshape(q.size, 4) == pytest.approx(curvature[: q.size, q.size :], abs=1e-5 * scale)
    assert equations.corner == pytest.approx(curvature[q.size :, q.size :], rel=1e-4, abs=1e-6 * scale)
    gradient = J.T @ e
    assert np.append(equations.g.ravel(), equations.h) == pytest.approx(gradient, abs=1e-6 * np.abs(gradient).max())


def test_what_is_not_searched_stays(problem, point):
    q, base = point
    for names in ((), ("yaw",), ("x", "y", "yaw")):
        moved = _searching(problem, *names).minimise(q, base, 3, 0.2).base
        assert [name for name, a, b in zip(BASE, moved, base, strict=True) if a != b] == list(names)


def _searching(problem, *names):
    """The same problem with these numbers of the base unknown."""
    other = copy.copy(problem)
    other.held = np.array([name not in names for name in BASE])
    return other


def test_clearances_in_closed_form():
    centre = np.array([[0.0, 0, 0.5], [0.0, 0, 0.1], [0.3, 0.4, 0.5]])
    radius = np.array([0.1, 0.2, 0.05])
    assert above_ground(centre, radius)[0] == pytest.approx([0.4, -0.1, 0.45])
    gap, normal = outside_box(centre, radius, (np.zeros(3), np.array([0.2, 0.2, 0.3])))
    assert gap[0] == pytest.approx(0.2 - 0.1)
    assert normal[0] == pytest.approx([0, 0, 1])
    # Inside: the nearest side is 0.2 away.
    assert gap[1] == pytest.approx(-0.2 - 0.2)
    # From an edge: sqrt(.1^2 + .2^2 + .2^2) = .3.
    assert gap[2] == pytest.approx(0.3 - 0.05)
    assert normal[2] == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    assert apart(centre[:1], centre[2:], np.array([0.15]))[0] == pytest.approx(0.5 - 0.15)
    # A column of radius 0.1 that ends at the origin: above it, beside it, off its edge by .3 and .4.
    around = np.array([[0.0, 0.0, 0.3], [0.0, 0.5, -1.0], [0.4, 0.0, 0.4]])
    gap, normal = beside_column(around, np.full(3, 0.05), 0.1)
    assert gap == pytest.approx([0.25, 0.35, 0.45])
    assert normal == pytest.approx(np.array([[0, 0, 1], [0, 1, 0], [0.6, 0, 0.8]]))


def test_near_gaps_are_all_that_are_small(problem, point):
    """Against every gap, one by one; the pedestal of a raised base counts, too."""
    q, base = point
    arm = problem.arm
    at = ArmProblemAt(problem, q, base, 0.05).spheres
    clearance = Clearance(arm.spheres, arm.sphere_pairs, ())
    found = clearance.near(at, base[:3], GAP)
    radius, joint = arm.spheres.radius, arm.spheres.joint
    gaps = []
    for spheres in at:
        between = [spheres[i] - spheres[j] for i, j in zip(*arm.sphere_pairs, strict=True)]
        gaps.append(np.linalg.norm(between, axis=1) - radius[arm.sphere_pairs[0]] - radius[arm.sphere_pairs[1]])
        gaps.append((spheres[:, 2] - radius)[(joint > 0) & ~arm.spheres.tool])
        gaps.append(beside_column((spheres - base[:3])[joint > 1], radius[joint > 1], float(radius[0]))[0])
    gaps = np.concatenate(gaps)
    assert np.sort(found.gap) == pytest.approx(np.sort(gaps[gaps < GAP]))
    assert clearance.smallest(at, base[:3]) == pytest.approx(gaps.min())


def test_within_all_limits(retargeted):
    found, robot = retargeted.tracking, retargeted.demonstration.robot
    arm = build_arm("panda", HAMMER)
    assert found.mean_mm < 7
    assert found.max_mm <= 1000 * GOOD
    assert np.all(robot.q >= arm.model.lowerPositionLimit)
    assert np.all(robot.q <= arm.model.upperPositionLimit)
    steps = np.abs(np.diff(robot.q, axis=0)) * robot.fps
    assert (steps / arm.model.velocityLimit).max() == pytest.approx(found.velocity)
    assert found.velocity <= 1
    assert found.acceleration <= 1


def test_torques_are_stated_and_too_weak_motors_named(short, retargeted, monkeypatch):
    robot = retargeted.demonstration.robot
    arm = build_arm("panda", tool_of(retargeted.demonstration.tool))
    assert retargeted.tracking.torque == pytest.approx(arm.strain(robot.q, robot.v, robot.a))
    for torque, said in ((0.9, []), (1.3, ["panda needs 1.30 of its torque limits"])):
        monkeypatch.setattr(Arm, "strain", lambda *_, torque=torque: torque)
        found = retarget(short.replace(score=0.0), "panda")
        assert found.tracking.torque == torque
        assert [remark[:37] for remark in found.remarks] == said


def test_the_stated_errors_are_the_true_ones(retargeted):
    demonstration, found, _ = retargeted
    arm, robot = build_arm("panda", HAMMER), demonstration.robot
    yaw = robot.parameters["base_yaw"]
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    head = arm.poses(robot.q).head @ turn.T + [robot.parameters[f"base_{a}"] for a in "xyz"]
    distance = np.linalg.norm(head - head_positions(HAMMER, demonstration.tool), axis=1)
    assert 1000 * distance.mean() == pytest.approx(found.mean_mm)
    assert 1000 * distance.max() == pytest.approx(found.max_mm)


def test_nothing_collides(retargeted):
    """Recomputed from the spheres: not with the ground, the nail, the block, nor with itself."""
    demonstration, found, _ = retargeted
    arm, robot = build_arm("panda", HAMMER), demonstration.robot
    points = arm.link_positions(robot)
    assert points[:, 2:, 2].min() > 0.05
    nail = HammerTask.work(demonstration.scene)
    assert np.linalg.norm(points - nail, axis=2).min() > arm.spec.link_radius
    assert 0 <= found.clearance_mm <= 1000 * (GAP + 0.01)


def test_physics_agrees(retargeted):
    """Replayed as it is, the Panda drives the nail; moved with its object, it nearly always does."""
    env = ToolEnv(retargeted.demonstration, spread=Spread(0.05))
    replay = play(env, object_offset=np.zeros(2))[1]["success"]
    shifted = np.mean([play(env, "shifted", seed=seed)[1]["success"] for seed in range(20)])
    env.close()
    assert replay
    assert shifted >= SHIFTED


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_physics_agrees_for_noisy_strokes(seed):
    test_physics_agrees(retarget(align(random_stroke(seed), "hammer", seed=0).demonstration, "panda"))


def test_the_arm_has_room_for_displaced_objects(retargeted):
    """The displaced work frames are within reach: the head gets there within 1 cm."""
    robot, demonstration = retargeted.demonstration.robot, retargeted.demonstration
    arm, yaw = build_arm("panda", HAMMER), robot.parameters["base_yaw"]
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    work = HammerTask.work(demonstration.scene)
    base = np.array([robot.parameters[f"base_{a}"] for a in "xyz"])
    displaced = Displaced(arm, robot.q, turn, turn.T @ (work - base), HammerTask.working)
    nearest = int(np.linalg.norm(head_positions(HAMMER, demonstration.tool) - work, axis=1).argmin())
    head = arm.head_jacobian(robot.q[nearest])[1]
    for offset in ROOM * np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]]):
        moved = arm.head_jacobian(displaced(nearest, (*offset.tolist(), 0.0, 0.0, 0.0)))[1]
        assert turn @ (moved - head) == pytest.approx(offset, abs=0.01)


def test_no_displacement_is_the_demonstration_itself(retargeted):
    robot = retargeted.demonstration.robot
    displaced = Displaced(build_arm("panda", HAMMER), robot.q, np.eye(3), np.zeros(3), HammerTask.working)
    assert all(np.array_equal(displaced(frame, (0.0,) * 6), q) for frame, q in enumerate(robot.q))


@pytest.fixture(scope="module")
def short(aligned):
    """Every third frame: quickly solved."""
    tool = aligned.tool
    return aligned.replace(tool=tool.replace(q=tool.q[::3], v=tool.v[::3], a=tool.a[::3], fps=tool.fps / 3))


def test_the_same_seed_gives_the_same_motion(short):
    first, second = (retarget(short.replace(score=0.0), "panda", seed=1).demonstration.robot for _ in range(2))
    assert np.array_equal(first.q, second.q)
    assert first.parameters == second.parameters


def test_stretched_strokes_take_longer_along_the_same_path(aligned):
    slow = stretch(aligned.tool, HAMMER, 2.0)
    assert slow.num_frames == 2 * aligned.tool.num_frames - 1
    assert slow.q[::2] == pytest.approx(aligned.tool.q, abs=1e-9)


def test_an_arm_may_stand_on_a_pedestal(short):
    """As high as it is told, or as it finds best, to the centimetre; it keeps clear of its own column."""
    for pedestal in (0.25, None):
        demonstration, found, _ = retarget(short.replace(score=0.0), "panda", pedestal=pedestal)
        robot = demonstration.robot
        base = [robot.parameters[f"base_{name}"] for name in BASE]
        assert base[2] == pedestal if pedestal else 0 <= base[2] <= 1
        assert 100 * base[2] == pytest.approx(round(100 * base[2]), abs=1e-9)
        assert found.mean_mm < 7
        assert found.clearance_mm >= 0
        arm = build_arm("panda", tool_of(demonstration.tool))
        spheres, joint = arm.poses(robot.q).spheres.reshape(-1, 3), arm.spheres.joint
        gap = beside_column(spheres, np.tile(arm.spheres.radius, robot.num_frames), arm.spec.link_radius)[0]
        assert gap.reshape(robot.num_frames, -1)[:, joint > 1].min() >= 0
    with pytest.raises(RetargetError, match=r"a pedestal is 0 to 1 m high, not -0\.5 m"):
        retarget(short, "panda", pedestal=-0.5)


def test_acceleration_limits_may_be_stated(short):
    """They are kept, and a stated limit is no assumption."""
    found = retarget(short.replace(score=0.0), "kuka", acceleration=6.0)
    assumed = retarget(short.replace(score=0.0), "kuka")
    robot = found.demonstration.robot
    assert np.abs(np.diff(robot.q, 2, axis=0)).max() * robot.fps**2 <= 6.0
    assert not found.remarks
    assert [remark.startswith("The acceleration limits of kuka are assumed") for remark in assumed.remarks] == [True]
    with pytest.raises(RetargetError, match="an acceleration limit is a positive number, not 0"):
        retarget(short, "kuka", acceleration=0.0)


def test_fast_strokes_are_slowed_down(retargeted):
    assert 1 <= retargeted.tracking.slowdown <= 3
    demonstration = retargeted.demonstration
    assert demonstration.robot.num_frames == demonstration.tool.num_frames


def test_what_is_out_of_reach_is_refused(short):
    """A stroke through 4 m of height: no arm of 0.9 m follows it."""
    q = np.array(short.tool.q)
    q[:, :3] *= 6.0
    with pytest.raises(RetargetError, match=r"panda cannot reach the stroke: its tool stays \d+ mm from it on average"):
        retarget(short.replace(tool=short.tool.replace(q=q)), "panda", slowest=1.0)


def test_what_is_too_fast_is_refused(aligned):
    with pytest.raises(RetargetError, match=r"panda is too slow for the stroke: .* even 1\.0 times slower"):
        retarget(aligned.replace(tool=_faster(aligned.tool, 4)), "panda", slowest=1.0)


def _faster(motion, factor):
    return motion.replace(q=motion.q[::factor], v=motion.v[::factor], a=motion.a[::factor])


def test_a_stroke_that_fails_in_the_robots_hand_is_slowed_down(short, monkeypatch, caplog):
    """One replay in physics has the last word; where no speed helps, that is said."""
    monkeypatch.setattr(module, "outcomes", lambda demonstration, offsets: [True])
    usual = retarget(short, "panda", seed=0).tracking.slowdown
    verdicts = itertools.chain([False] * module._KEPT, itertools.repeat(True))
    monkeypatch.setattr(module, "outcomes", lambda demonstration, offsets: [next(verdicts)])
    assert retarget(short, "panda", seed=0).tracking.slowdown > usual
    monkeypatch.setattr(module, "outcomes", lambda demonstration, offsets: [False])
    with caplog.at_level(logging.WARNING, logger="sim"):
        retarget(short, "panda", seed=0, slowest=usual)
    assert "panda follows the stroke, but its replay does not solve the task" in caplog.text


def test_an_arm_of_ones_own_drives_the_nail(aligned):
    """KUKA's iiwa from a URDF file, named as on the command line; the record alone rebuilds it."""
    urdf = f"{pybullet_data.getDataPath()}/kuka_iiwa/model.urdf"
    found = retarget(aligned, f"{urdf}:lbr_iiwa_link_7")
    assert found.tracking.max_mm <= 1000 * GOOD
    env = ToolEnv(found.demonstration, spread=Spread(0.05))
    assert play(env, object_offset=np.zeros(2))[1]["success"]
    env.close()


def test_saved_and_loaded_it_is_the_same(retargeted, tmp_path):
    retargeted.demonstration.save(tmp_path / "demonstration.npz")
    loaded = Demonstration.load(tmp_path / "demonstration.npz")
    results = []
    for demonstration in (loaded, retargeted.demonstration):
        env = ToolEnv(demonstration, spread=Spread(0.05))
        results.append(play(env, "shifted", seed=3)[0])
        env.close()
    assert np.array_equal(*results)


UR5 = (
    ("shoulder_pan", "0 0 0.0892", "0 0 0", "0 0 1", 3.15),
    ("shoulder_lift", "0 0.1358 0", "0 1.5708 0", "0 1 0", 3.15),
    ("elbow", "0 -0.1197 0.425", "0 0 0", "0 1 0", 3.15),
    ("wrist_1", "0 0 0.3922", "0 1.5708 0", "0 1 0", 3.2),
    ("wrist_2", "0 0.093 0", "0 0 0", "0 0 1", 3.2),
    ("wrist_3", "0 0 0.0947", "0 0 0", "0 1 0", 3.2),
)
"""Joints with the link lengths of a UR5 (.0892, .425, .3922, .109 and .0947 m): origin, turn, axis, speed."""


def ur5_text() -> str:
    """A six-axis arm of the UR5's geometry, its tool flange (`tool0`) with z outwards."""
    link = (
        '<link name="{}"><inertial><mass value="2"/>'
        '<inertia ixx=".01" iyy=".01" izz=".01" ixy="0" ixz="0" iyz="0"/></inertial></link>'
    )
    parts, parent = [link.format("base")], "base"
    for name, xyz, rpy, axis, speed in UR5:
        parts.append(link.format(name))
        parts.append(
            f'<joint name="{name}_joint" type="revolute"><parent link="{parent}"/><child link="{name}"/>'
            f'<origin xyz="{xyz}" rpy="{rpy}"/><axis xyz="{axis}"/>'
            f'<limit lower="-6.28" upper="6.28" effort="150" velocity="{speed}"/></joint>'
        )
        parent = name
    parts.append(
        '<link name="tool0"/><joint name="flange" type="fixed"><parent link="wrist_3"/><child link="tool0"/>'
        '<origin xyz="0 0.0823 0" rpy="-1.5708 0 0"/></joint>'
    )
    return f'<robot name="ur5">{"".join(parts)}</robot>'


def test_a_six_axis_arm_of_ones_own(short, tmp_path, caplog):
    """A URDF of the UR5's geometry follows the hammer within all limits, and is told what was assumed of it."""
    path = tmp_path / "ur5.urdf"
    path.write_text(ur5_text())
    with caplog.at_level(logging.WARNING, logger="sim"):
        found = retarget(short.replace(score=0.0), f"{path}:tool0").tracking
    assert found.mean_mm <= 10
    assert max(found.velocity, found.acceleration) <= 1
    assert found.clearance_mm >= 0
    assert "are assumed, as no source states them: 10 rad/s" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("task", ["hammer", "scythe", "spade", "pour"])
def test_every_tasks_own_stroke_fits_the_panda(task):
    found = retarget(TASKS.load(task).scripted(), "panda").tracking
    assert found.mean_mm <= 10
    assert max(found.velocity, found.acceleration) <= 1
    assert found.clearance_mm >= 0


def test_where_the_usual_grip_collides_another_is_taken(short, monkeypatch):
    """The tool that comes back says how it is held; joints, grip and base of the record give the stroke again."""
    awkward = replace(HAMMER, grip_roll=np.pi)
    turned = short.replace(tool=short.tool.replace(parameters=awkward.parameters()), score=0.0)
    collides = iter([{"clearance_mm": -500.0}] * module._KEPT)
    judge = module._tracking
    monkeypatch.setattr(module, "_tracking", lambda use, slowdown: judge(use, slowdown)._replace(**next(collides, {})))
    demonstration, found, _ = retarget(turned, "panda")
    tool, robot = tool_of(demonstration.tool), demonstration.robot
    assert (tool.grip, tool.grip_roll) != (awkward.grip, awkward.grip_roll)
    assert tool.length == HAMMER.length
    arm, turn = build_arm("panda", tool), pin.rpy.rpyToMatrix(0.0, 0.0, robot.parameters["base_yaw"])
    head = arm.poses(robot.q).head @ turn.T + [robot.parameters[f"base_{a}"] for a in "xyz"]
    distance = np.linalg.norm(head - head_positions(tool, demonstration.tool), axis=1)
    assert 1000 * distance.mean() == pytest.approx(found.mean_mm)
