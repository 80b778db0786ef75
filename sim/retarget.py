"""Retargeting: where the robot stands, and how all its joints move, so that its tool follows the stroke.

The base (x, y, yaw, and its height if it may stand on a pedestal) and every frame's joints are found together, see
`sim.arm_problem`, from several bases around the stroke. Where the arm collides with the tool's usual grip, or a slower
stroke does not help, the hand holds it elsewhere along the handle or from another side; the demonstration's tool then
says where. A stroke too fast for the robot's joints, or one whose replay in physics no longer solves the task, is
slowed down.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pinocchio as pin

from motion.robot import Arm, RobotSpec, robot_named
from motion.tool import Tool, differentiate, motion_of_poses, tool_of
from records import Demonstration, Motion, UnknownName
from records.single_thread import single_thread
from sim.arm_problem import BASE, CLEARANCE, FINE, HINGES, Solution, Use
from sim.arm_search import TALLEST, Held, other_grips, problem_of, search
from sim.replay import outcomes

_STARTS, _FEWER = 8, 3
"""Bases tried around the stroke with the tool's usual grip, and with every other."""
_KEPT, _MORE = 2, 3
"""Starts of the usual grip, and of all others, that are followed in all frames."""
_SEARCHES = 2
"""How often all other grips are tried at most, each time at another speed and from other starts."""
GOOD = 0.025
"""Largest error of the head [m] that a stroke is not slowed down for."""
_STUCK = 4.0
"""An arm that overlaps by so many standard deviations of a stage's clearances does not come free in stricter ones."""
_SLOWER = 1.2
"""Factor by which a stroke is slowed down at a time."""
ASSUMED = "The acceleration limits of {} are assumed, as no source states them: {:g} rad/s^2 for every joint."
"""What is said of them."""
WEAK = "{} needs {:.2f} of its torque limits for this motion, not counting friction: a lighter tool would help."
"""What is said of motors that are too weak."""
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
    torque: float = 0.0
    """Largest joint torque that the motion takes, tool included, as a share of its limit. Stated, not kept."""


class Retargeted(NamedTuple):
    """A demonstration with the robot's motion, and its quality."""

    demonstration: Demonstration
    tracking: Tracking
    remarks: tuple[str, ...] = ()
    """What was assumed of the robot, and what it may lack: a sentence each."""


def retarget(
    demonstration: Demonstration,
    robot: str | RobotSpec = "panda",
    *,
    slowest: float = 3.0,
    seed: int = 0,
    acceleration: float | None = None,
    pedestal: float | None = 0.0,
) -> Retargeted:
    """Find the robot's base and joint trajectory.

    Args:
        demonstration: an aligned stroke.
        robot: name in the table of robots, `FILE.urdf:LINK`, or a description.
        slowest: how much the stroke may be slowed down where joints are too slow for it.
        seed: of the bases and joints that are started from.
        acceleration: limit of every joint [rad/s^2], instead of the robot's own.
        pedestal: height of the base over the ground [m]; None: searched, too.

    Raises:
        RetargetError: an option makes no sense; the stroke is out of reach or too fast, and the message says by how
            much.
    """
    spec = robot_named(robot) if isinstance(robot, str) else robot
    if acceleration is not None:
        if not 0 < acceleration < np.inf:
            raise RetargetError(f"an acceleration limit is a positive number, not {acceleration} rad/s^2")
        spec = replace(spec, acceleration=(acceleration,) * len(spec.joints), assumed=False)
    if pedestal is not None and not 0 <= pedestal <= TALLEST:
        raise RetargetError(f"a pedestal is 0 to {TALLEST:g} m high, not {pedestal} m")
    remarks: tuple[str, ...] = (ASSUMED.format(spec.name, max(spec.acceleration)),) if spec.assumed else ()
    with single_thread():
        found = _find(demonstration, spec, slowest, seed, pedestal)
    moving = _with_robot(found.demonstration, found.held.arm, found.solution)
    assert moving.robot is not None
    torque = found.held.arm.strain(moving.robot.q, moving.robot.v, moving.robot.a)
    if torque > 1.0:
        remarks += (WEAK.format(spec.name, torque),)
    for remark in remarks:
        _log.warning(remark)
    return Retargeted(moving, found.tracking._replace(torque=torque), remarks)


class _Trial(NamedTuple):
    """How a robot follows the stroke at a speed."""

    held: Held
    demonstration: Demonstration
    """With the stroke at that speed."""
    solution: Solution
    tracking: Tracking
    stages: int
    """How many stages of limits it was followed through: fewer than there are where it was given up."""
    collides: bool

    @property
    def rank(self) -> tuple[int, float]:
        """Smaller where it is more promising: costs are compared in the same stage."""
        return -self.stages, self.solution.cost

    @property
    def follows(self) -> bool:
        """Whether the limits and the stroke are kept."""
        return self.stages == len(HINGES) and _fits(self.tracking) and self.tracking.max_mm <= 1000 * GOOD

    def solves(self) -> bool:
        """Whether the arm's own dynamics let it do what the tool alone did: one replay in physics.

        Not asked of a stroke that never solved its task, nor of an arm that only its caller can describe.
        """
        demonstration = _with_robot(self.demonstration, self.held.arm, self.solution)
        if demonstration.score == 0:
            return True
        try:
            return outcomes(demonstration, np.zeros((1, 2)))[0]
        except UnknownName:
            return True


def _find(demonstration: Demonstration, spec: RobotSpec, slowest: float, seed: int, pedestal: float | None) -> _Trial:
    """Follow the stroke as it is, then slower and slower ones until the robot keeps up, each from the last.

    Where the arm collides, or a slower stroke does not help, the tool is held in other ways. What cannot keep to the
    stroke is given up early, but for the slowest one: how near it comes decides whether it is refused.
    """
    usual, rng = tool_of(demonstration.tool), np.random.default_rng(seed)
    found = search(demonstration, spec, [usual], rng, starts=_STARTS, keep=_KEPT, pedestal=pedestal)
    slowdown, searches = 1.0, 0
    while True:
        tried: list[_Trial] = []
        last, searched = slowdown * _SLOWER > slowest, False
        while found:
            for held in found:
                tried.append(_follow(held, slowdown, patiently=last))
                if tried[-1].follows and tried[-1].solves():
                    return tried[-1]
            found = []
            if not searched and searches < _SEARCHES and (slowdown > 1 or any(trial.collides for trial in tried)):
                searched, searches = True, searches + 1
                found = search(
                    demonstration, spec, other_grips(usual), rng, starts=_FEWER, keep=_MORE, pedestal=pedestal
                )
        tried = sorted(tried, key=lambda trial: trial.rank)[:_KEPT]
        if slowdown == 1:
            _refuse_far(tried[0])
        if last:
            break
        slowdown, found = slowdown * _SLOWER, [trial.held for trial in tried]
    best = tried[0]
    _refuse(best)
    if not best.solves():
        _log.warning("%s follows the stroke, but its replay does not solve the task", spec.name)
    return best


def _follow(held: Held, slowdown: float, *, patiently: bool) -> _Trial:
    """All frames of the stroke at a speed, from the motion that is known.

    Limits become stricter stage by stage, and the arm then seldom comes nearer to the stroke: where it is too far from
    it, or stuck in an obstacle, it is given up, unless `patiently`.
    """
    slowed = held.demonstration.replace(tool=stretch(held.demonstration.tool, held.arm.tool, slowdown))
    problem = problem_of(slowed, held.arm)
    start = _resampled(held.solution, held.frames, problem.T)
    for stage, (hinge, solution) in enumerate(zip(HINGES, problem.stages(start.q, start.base), strict=True), 1):
        tracking = _tracking(problem.use(solution.q, solution.base), slowdown)
        allowed = _STUCK * CLEARANCE * hinge if stage < len(HINGES) else 0.0
        collides = tracking.clearance_mm < -1000 * allowed
        if not patiently and (collides or tracking.max_mm > 1000 * GOOD):
            break
    return _Trial(held._replace(solution=solution, frames=problem.T), slowed, solution, tracking, stage, collides)


def _with_robot(demonstration: Demonstration, arm: Arm, solution: Solution) -> Demonstration:
    """The demonstration with the robot's motion."""
    fps, q = demonstration.tool.fps, solution.q[: demonstration.tool.num_frames]
    v, a = differentiate(arm.model, q, fps)
    parameters = {f"base_{name}": float(value) for name, value in zip(BASE, solution.base, strict=True)}
    return demonstration.replace(robot=Motion(model=arm.spec.name, parameters=parameters, fps=fps, q=q, v=v, a=a))


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


def _refuse_far(trial: _Trial) -> None:
    """Raise where the stroke is out of the robot's reach, however slow it is."""
    if trial.tracking.mean_mm <= 1000 * WORST:
        return
    arm = trial.held.arm
    leisurely = problem_of(trial.demonstration, arm, timed=False)
    free = leisurely.minimise(trial.solution.q, trial.solution.base, FINE, HINGES[-1])
    reach = _tracking(leisurely.use(free.q, free.base), trial.tracking.slowdown)
    if reach.mean_mm > 1000 * WORST:
        raise RetargetError(
            f"{arm.spec.name} cannot reach the stroke: its tool stays {reach.mean_mm:.0f} mm from it on average"
            f" ({reach.max_mm:.0f} mm at most); align with a smaller scale or use a longer arm"
        )


def _refuse(trial: _Trial) -> None:
    """Raise where even the slowest stroke is out of the robot's reach or breaks its limits."""
    _refuse_far(trial)
    tracking, arm = trial.tracking, trial.held.arm
    if tracking.mean_mm > 1000 * WORST:
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
