"""Retargeting: where the robot stands, and how all its joints move, so that its tool follows the stroke.

The base (x, y, yaw) and every frame's joints are found together, see `sim.arm_problem`, from several bases around the
stroke. Where the arm collides with the tool's usual grip, the hand holds it elsewhere along the handle or from another
side; the demonstration's tool then says where. A stroke too fast for the robot's joints, or one whose replay in physics
no longer solves the task, is slowed down.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pinocchio as pin

from motion.robot import Arm, RobotSpec, build_arm, robot_named
from motion.single_thread import single_thread
from motion.tool import Tool, differentiate, motion_of_poses, tool_of
from records import Demonstration, Motion, UnknownName
from sim.arm_problem import BASE, FINE, HINGES, ArmProblem, Solution, Use
from sim.replay import outcomes
from sim.tasks.task import TASKS

_STARTS, _FEWER = 8, 4
"""Bases tried around the stroke with the tool's usual grip, and with every other."""
_DISTANCE = 0.36
"""Distance of a first guess of the base from the middle of the stroke, in lengths of the stretched arm."""
_FRAMES = 16
"""Frames of the stroke, about, that bases are compared by."""
_PLACES = (1.0, 0.5)
"""Where else the handle may be held, in shares of the usual distance from its free end."""
_ROLLS = (0.0, *np.radians([60.0, -60.0, 120.0, -120.0]).tolist())
"""How else the hand may be turned about the handle [rad]."""
_GRIPS = 2
"""Other ways of holding the tool, the most promising ones, that are followed up."""
_COARSE = 12
"""Iterations for every start."""
GOOD = 0.025
"""Largest error of the head [m] that a stroke is not slowed down for."""
_SLOWER = 1.15
"""Factor by which a stroke is slowed down at a time."""
WORST = 0.04
"""A larger mean error of the head [m] means that the robot cannot reach the stroke."""


_log = logging.getLogger(__name__)


class RetargetError(ValueError):
    """The robot cannot follow the stroke."""


class Tracking(NamedTuple):
    """How well the robot follows."""

    mean_mm: float
    """Mean distance of the tool's head from the stroke [mm]."""
    max_mm: float
    """Largest distance [mm]."""
    mean_degrees: float
    """Mean angle between the tool and the stroke's [degrees]."""
    velocity: float
    """Largest joint velocity as a share of its limit."""
    acceleration: float
    """Largest joint acceleration as a share of its limit."""
    clearance_mm: float
    """Smallest distance of the arm from the ground, from what stands in the scene and from itself [mm]; negative where
    they overlap. The links count as round, as thick as `RobotSpec.link_radius`."""
    slowdown: float
    """How much longer the stroke takes than demonstrated."""


class Retargeted(NamedTuple):
    """A demonstration with the robot's motion, and its quality."""

    demonstration: Demonstration
    tracking: Tracking


def retarget(
    demonstration: Demonstration, robot: str | RobotSpec = "panda", *, slowest: float = 3.0, seed: int = 0
) -> Retargeted:
    """Find the robot's base and joint trajectory.

    Args:
        demonstration: an aligned stroke.
        robot: name in the table of robots, `FILE.urdf:LINK`, or a description.
        slowest: how much the stroke may be slowed down where joints are too slow for it.
        seed: of the angle that the first base stands at.

    Raises:
        RetargetError: the stroke is out of reach or too fast; the message says by how much.
    """
    spec = robot_named(robot) if isinstance(robot, str) else robot
    if spec.assumed:
        _log.warning(
            "acceleration limits of %s are assumed, no source states them: %g rad/s^2 for every joint",
            spec.name,
            max(spec.acceleration),
        )
    with single_thread():
        slowed, arm, solution, tracking = _slow_down(demonstration, spec, slowest, seed)
    return Retargeted(_with_robot(slowed, arm, solution), tracking)


class _Held(NamedTuple):
    """A way of holding the tool, and the best motion known with it."""

    demonstration: Demonstration
    """With the stroke as fast as it is shown, its tool held like this."""
    arm: Arm
    solution: Solution
    frames: int
    """Frames of the solution's stroke."""


def _slow_down(
    demonstration: Demonstration, spec: RobotSpec, slowest: float, seed: int
) -> tuple[Demonstration, Arm, Solution, Tracking]:
    """Solve for the stroke as it is, then for slower and slower ones until the robot keeps up, each from the last.

    Where the arm collides with the tool's usual grip, others are tried before the stroke is slowed down.
    """
    slowdown, usual, alone = 1.0, tool_of(demonstration.tool), True
    holds = [_held(demonstration, spec, usual, seed, _STARTS)]
    while True:
        tried = []
        for k, held in enumerate(holds):
            slowed = held.demonstration.replace(tool=stretch(held.demonstration.tool, held.arm.tool, slowdown))
            problem = _problem(slowed, held.arm)
            solution = _resampled(held.solution, held.frames, problem.T)
            solution = problem.solve(solution.q, solution.base)
            holds[k] = held._replace(solution=solution, frames=problem.T)
            tracking = _tracking(problem.use(solution.q, solution.base), slowdown)
            tried.append((solution.cost, slowed, held.arm, solution, tracking))
            follows = _fits(tracking) and tracking.max_mm <= 1000 * GOOD
            if follows and _solves(_with_robot(slowed, held.arm, solution)):
                return slowed, held.arm, solution, tracking
        if alone and tracking.clearance_mm < 0:
            alone = False
            others = [_held(demonstration, spec, other, seed, _FEWER) for other in _other_grips(usual)]
            holds = [*sorted(others, key=lambda other: other.solution.cost)[:_GRIPS], *holds]
            continue
        best = min(range(len(holds)), key=lambda k: tried[k][0])
        holds, tried = [holds[best]], [tried[best]]
        if slowdown * _SLOWER > slowest:
            break
        slowdown *= _SLOWER
    _, slowed, arm, solution, tracking = tried[0]
    _refuse(tracking, arm, _problem(slowed, arm, timed=False), solution)
    if not _solves(_with_robot(slowed, arm, solution)):
        _log.warning("%s follows the stroke, but its replay does not solve the task", arm.spec.name)
    return slowed, arm, solution, tracking


def _other_grips(usual: Tool) -> list[Tool]:
    """The tool held elsewhere along its handle, and from other sides of it."""
    places = [share * usual.grip for share in _PLACES]
    grips = [replace(usual, grip=place, grip_roll=roll) for place in places for roll in _ROLLS]
    return [tool for tool in grips if tool != usual]


def _held(demonstration: Demonstration, spec: RobotSpec, tool: Tool, seed: int, starts: int) -> _Held:
    """The best base for a way of holding the tool, by few of the stroke's frames."""
    stroke = demonstration.tool.replace(parameters={**demonstration.tool.parameters, **tool.parameters()})
    held, arm = demonstration.replace(tool=stroke), build_arm(spec, tool)
    few = held.replace(tool=_sampled(stroke))
    return _Held(held, arm, _best_start(_problem(few, arm), arm, seed, starts), few.tool.num_frames)


def _problem(demonstration: Demonstration, arm: Arm, *, timed: bool = True) -> ArmProblem:
    task = TASKS.load(demonstration.task)
    work, obstacles = task.work(demonstration.scene), task.obstacles(demonstration.scene)
    return ArmProblem(demonstration.tool, arm, work, obstacles, working=task.working, timed=timed)


def _sampled(stroke: Motion) -> Motion:
    """Every so many frames of a stroke: enough to tell where a base may stand."""
    every = -(-stroke.num_frames // _FRAMES)
    q, v, a = stroke.q[::every], stroke.v[::every], stroke.a[::every]
    return stroke.replace(q=q, v=v, a=a, fps=stroke.fps / every)


def _with_robot(demonstration: Demonstration, arm: Arm, solution: Solution) -> Demonstration:
    """The demonstration with the robot's motion."""
    fps, q = demonstration.tool.fps, solution.q[: demonstration.tool.num_frames]
    v, a = differentiate(arm.model, q, fps)
    parameters = {f"base_{name}": float(value) for name, value in zip(BASE, solution.base, strict=True)}
    return demonstration.replace(robot=Motion(model=arm.spec.name, parameters=parameters, fps=fps, q=q, v=v, a=a))


def _solves(demonstration: Demonstration) -> bool:
    """Whether the arm's own dynamics let it do what the tool alone did: one replay in physics.

    Not asked of a stroke that never solved its task, nor of an arm that only its caller can describe.
    """
    if demonstration.score == 0 or demonstration.robot is None:
        return True
    try:
        return outcomes(demonstration, np.zeros((1, 2)))[0]
    except UnknownName:
        return True


def _best_start(problem: ArmProblem, arm: Arm, seed: int, starts: int) -> Solution:
    """Coarse solutions from bases all around the stroke: the best one."""
    first = np.random.default_rng(seed).uniform(0, 2 * np.pi / starts)
    middle = problem.head[: problem.T, :2].mean(axis=0)
    lengths = [np.linalg.norm(placement.translation) for placement in list(arm.model.jointPlacements)[1:]]
    distance = _DISTANCE * (float(np.sum(lengths)) + arm.tool.length - arm.tool.grip)
    q = np.tile(np.array(arm.spec.rest), (len(problem.head), 1))
    found = []
    for angle in first + 2 * np.pi * np.arange(starts) / starts:
        base = np.array([*(middle - distance * np.array([np.cos(angle), np.sin(angle)])), 0.0, angle])
        found.append(problem.minimise(q, base, _COARSE, HINGES[0]))
    return min(found, key=lambda solution: solution.cost)


def _resampled(solution: Solution, before: int, after: int) -> Solution:
    """The same motion in another number of frames."""
    old, new = np.linspace(0, 1, before), np.linspace(0, 1, after)
    moving = np.stack([np.interp(new, old, column[:before]) for column in solution.q.T], axis=1)
    return solution._replace(q=np.concatenate([moving, solution.q[before:]]))


def _tracking(use: Use, slowdown: float) -> Tracking:
    return Tracking(
        1000 * float(use.distance.mean()),
        1000 * float(use.distance.max()),
        float(np.degrees(use.angle.mean())),
        use.velocity,
        use.acceleration,
        1000 * use.clearance,
        slowdown,
    )


def _fits(tracking: Tracking) -> bool:
    return max(tracking.velocity, tracking.acceleration) <= 1.0 and tracking.clearance_mm >= 0


def _refuse(tracking: Tracking, arm: Arm, leisurely: ArmProblem, solution: Solution) -> None:
    """Raise where even the slowest stroke is out of the robot's reach or breaks its limits."""
    if tracking.mean_mm > 1000 * WORST:
        free = leisurely.minimise(solution.q, solution.base, FINE, HINGES[-1])
        reach = _tracking(leisurely.use(free.q, free.base), tracking.slowdown)
        if reach.mean_mm > 1000 * WORST:
            raise RetargetError(
                f"{arm.spec.name} cannot reach the stroke: its tool stays {reach.mean_mm:.0f} mm from it on average"
                f" ({reach.max_mm:.0f} mm at most); align with a smaller scale or use a longer arm"
            )
        raise RetargetError(
            f"{arm.spec.name} is too slow for the stroke: within its limits, its tool stays {tracking.mean_mm:.0f} mm"
            f" from it on average even {tracking.slowdown:.1f} times slower"
        )
    if max(tracking.velocity, tracking.acceleration) > 1.0:
        raise RetargetError(
            f"{arm.spec.name} is too slow for the stroke: {tracking.velocity:.2f} of its velocity limits and"
            f" {tracking.acceleration:.2f} of its acceleration limits even {tracking.slowdown:.1f} times slower"
        )
    if tracking.clearance_mm < 0:
        raise RetargetError(
            f"{arm.spec.name} collides: on every way along the stroke that was found, its links overlap the ground, the"
            f" scene or each other by {-tracking.clearance_mm:.0f} mm; align with another seed or use a longer arm"
        )


def stretch(stroke: Motion, tool: Tool, factor: float) -> Motion:
    """The same stroke, taking `factor` times as long, at the same frame rate."""
    if factor == 1.0:
        return stroke
    count = round((stroke.num_frames - 1) * factor) + 1
    frames = np.linspace(0, stroke.num_frames - 1, count)
    poses = []
    for frame in frames:
        before = min(int(frame), stroke.num_frames - 2)
        a, b = pin.XYZQUATToSE3(stroke.q[before]), pin.XYZQUATToSE3(stroke.q[before + 1])
        poses.append(pin.SE3.Interpolate(a, b, frame - before))
    rotation = np.stack([pose.rotation for pose in poses])
    position = np.stack([pose.translation for pose in poses])
    return motion_of_poses(stroke.model, dict(stroke.parameters), rotation, position, stroke.fps)
