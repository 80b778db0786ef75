"""The robot's whole trajectory as one least-squares problem: its base and the joints of every frame.

Residuals: the tool's pose; hinges on joint, velocity and acceleration limits; hinges on the clearance of the arm's
spheres from the ground, from the scene's boxes and from each other; smoothness; posture. Solved by Levenberg-Marquardt
on the block-banded normal equations of `motion.problem`: time and memory are linear in the number of frames.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float
from scipy.linalg import LinAlgError

from motion.arm_poses import ArmPoses, cross_product
from motion.banded import solve_banded
from motion.problem import BAND, NormalEquations
from motion.robot import Arm
from motion.rotation import inverse_right_jacobian, logarithm, quaternion
from records import Motion
from sim.clearance import Clearance, Near
from sim.tasks.task import Box

POSITION = 0.004
"""Standard deviation of the head's position error [m]."""
ROTATION = np.radians(3.0)
"""Standard deviation of the tool's orientation error where it works [rad]."""
FREE_ROTATION = np.radians(40.0)
"""The same on the way there: the video hardly shows it and the task does not need it [rad]."""
ROOM = 0.10
"""Objects may stand this far from where the stroke found them, along x and y: the arm must reach there too [m]."""
ASIDE = 5
"""Frames of the stroke, evenly from the first to the last, that the arm must reach with the objects aside, beside the
one in which the tool is nearest to its work."""
SPEED_SHARE = 0.95
"""Share of the velocity and acceleration limits that is used."""
GAP = 0.01
"""Room between spheres and what they must not touch [m]."""
BASE = ("x", "y", "z", "yaw")
"""The numbers that say where a base stands."""
ON_THE_GROUND = ("x", "y", "yaw")
"""Those that are searched for an arm that stands on the ground."""
HINGES = (0.2, 0.1, 0.05, 0.025)
"""Standard deviation of a violated limit, in shares of the limit; tightened in stages."""
FINE = 20
"""Iterations in a stage."""
_SMOOTH = 40.0
"""Standard deviation of joint accelerations [rad/s^2]."""
_POSTURE = 2.0
"""Standard deviation of joint angles about the rest configuration [rad]."""
_PEDESTAL = 0.5
"""Standard deviation of the base's height over the ground, where it is searched [m]."""
_LEISURE = 10.0
"""How much longer than the stroke a motion takes in which time does not matter."""
CLEARANCE = 0.05
"""Standard deviation of a violated clearance where limits have 1 [m]: clearances are tightened as limits are."""
_FELT = 5.0
"""Gaps are felt from this many standard deviations before they are too small."""
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-6, 1e6
_LONGEST = 0.5
"""Largest step of a joint or the base [rad, m]."""
_CONVERGED = 1e-4
"""Relative decrease of the cost below which the solver stops."""


class Solution(NamedTuple):
    """Joints and base."""

    q: np.ndarray
    """(N, J) [rad]: the T frames of the stroke, then the displaced ones."""
    base: np.ndarray
    """x, y, z [m], yaw [rad]."""
    cost: float


class Use(NamedTuple):
    """What a solution makes of the stroke and of the limits, for `sim.retarget.Tracking`."""

    distance: np.ndarray
    """Of the tool's head from the stroke (T,) [m]."""
    angle: np.ndarray
    """Between the tool and the stroke's (T,) [rad]."""
    velocity: float
    """Largest joint velocity as a share of its limit."""
    acceleration: float
    """Largest joint acceleration as a share of its limit."""
    clearance: float
    """Smallest distance of a sphere from the ground, a box or another sphere [m]; negative where they overlap."""


class ArmProblem:
    """Residuals of one stroke and one arm among boxes.

    To the T frames of the stroke, others are added that time does not connect: the frame in which the head is nearest
    to its work, and `ASIDE` all along the stroke, displaced by `ROOM` to each side. They keep the base where the whole
    stroke can be moved along with its objects; were it reached only just, the joints of a displaced one would jump.
    """

    def __init__(
        self,
        stroke: Motion,
        arm: Arm,
        work: Float[np.ndarray, "3"],
        obstacles: Sequence[Box] = (),
        *,
        working: float = np.inf,
        timed: bool = True,
        searched: Collection[str] = ON_THE_GROUND,
    ) -> None:
        """State the problem.

        Args:
            stroke: motion of the tool.
            arm: robot and tool.
            work: where the tool does its work [m].
            obstacles: what the arm must stay clear of.
            working: distance from the work within which the tool's orientation matters [m].
            timed: whether the arm has to be as fast as the stroke; without it, only reach and obstacles matter.
            searched: which of `BASE` are unknown; the others stay as they are given.
        """
        self.arm, self.T, self.J = arm, stroke.num_frames, arm.model.nv
        R = np.stack([pin.Quaternion(q[3:7]).toRotationMatrix() for q in stroke.q])
        head = stroke.q[:, :3] + R @ arm.tool.p_head
        tolerance = rotation_tolerance(head, work, working)
        nearest = int(np.linalg.norm(head - work, axis=1).argmin())
        aside = [nearest, *np.linspace(0, self.T - 1, ASIDE).round().astype(int).tolist()]
        ways = ROOM * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
        self.frame = np.append(np.arange(self.T), np.repeat(aside, len(ways)))
        """Frame of the stroke that each one is, or is displaced from."""
        self.R, self.rotation, self.head = R[self.frame], tolerance[self.frame], head[self.frame]
        self.head[self.T :] += np.tile(ways, (len(aside), 1))
        lower, upper = arm.model.lowerPositionLimit, arm.model.upperPositionLimit
        self.middle, self.half = (lower + upper) / 2, (upper - lower) / 2
        self.rest = np.array(arm.spec.rest)
        rate = stroke.fps if timed else stroke.fps / _LEISURE
        self.speed = np.array(arm.model.velocityLimit) / rate
        self.strength = np.array(arm.spec.acceleration) / rate**2
        self.smooth = _SMOOTH / rate**2
        self.clearance = Clearance(arm.spheres, arm.sphere_pairs, obstacles)
        self.held = np.array([name not in searched for name in BASE])

    def solve(
        self,
        q: Float[np.ndarray, "N J"],
        base: Float[np.ndarray, "4"],
        hinges: Sequence[float] = HINGES,
        iterations: int = FINE,
    ) -> Solution:
        """Minimise with limits that become stricter stage by stage."""
        return list(self.stages(q, base, hinges, iterations))[-1]

    def stages(
        self,
        q: Float[np.ndarray, "N J"],
        base: Float[np.ndarray, "4"],
        hinges: Sequence[float] = HINGES,
        iterations: int = FINE,
    ) -> Iterator[Solution]:
        """What `solve` has found after each of its stages."""
        for hinge in hinges:
            solution = self.minimise(q, base, iterations, hinge)
            q, base, _ = solution
            yield solution

    def minimise(
        self, q: Float[np.ndarray, "N J"], base: Float[np.ndarray, "4"], iterations: int, hinge: float
    ) -> Solution:
        """Levenberg-Marquardt from a start.

        Args:
            q: joints [rad].
            base: x, y, z [m], yaw [rad].
            iterations: steps that are tried at most.
            hinge: standard deviation of a violated limit, in shares of the limit.
        """
        damping = _FIRST_DAMPING
        here = ArmProblemAt(self, q, base, hinge)
        for _ in range(iterations):
            try:
                dq, dbase = solve_banded(here.equations, damping)
            except LinAlgError:
                damping *= 8
                continue
            dq, dbase = np.clip(dq, -_LONGEST, _LONGEST), np.clip(dbase, -_LONGEST, _LONGEST)
            tried = ArmProblemAt(self, here.q + dq, here.base + dbase, hinge)
            if tried.cost < here.cost:
                done = here.cost - tried.cost < _CONVERGED * here.cost
                here, damping = tried, max(damping / 4, _LEAST_DAMPING)
                if done:
                    break
            else:
                damping *= 8
                if damping > _MOST_DAMPING:
                    break
        return Solution(here.q, here.base, here.cost)

    def use(self, q: Float[np.ndarray, "N J"], base: Float[np.ndarray, "4"]) -> Use:
        """Errors and use of the limits."""
        here, q = ArmProblemAt(self, q, base, 1.0), q[: self.T]
        return Use(
            np.linalg.norm(here.head - self.head, axis=1)[: self.T],
            np.linalg.norm(here.miss, axis=1)[: self.T],
            float((np.abs(np.diff(q, axis=0)) / self.speed).max(initial=0.0)),
            float((np.abs(np.diff(q, 2, axis=0)) / self.strength).max(initial=0.0)),
            self.clearance.smallest(here.spheres[: self.T], base[:3]),
        )


@dataclass(frozen=True)
class ArmProblemAt:
    """The problem at a solution: its cost at once, its normal equations when they are asked for."""

    problem: ArmProblem
    q: np.ndarray
    base: np.ndarray
    hinge: float
    """Standard deviation of a violated limit, in shares of the limit."""

    @cached_property
    def cost(self) -> float:
        """Sum of squared residuals."""
        return float(sum((error**2).sum() for error in self.residuals()))

    def residuals(self) -> list[np.ndarray]:
        """Errors in units of their standard deviations: of pose, gaps, joint limits, posture, differences, base."""
        pose = [self._pose_error, self._gap_error[0]]
        single = [error for error, _ in self._single]
        return [*pose, *single, *(error for _, error, _ in self._differences), self._base_error()[0]]

    @cached_property
    def equations(self) -> NormalEquations:
        """Gauss-Newton approximation."""
        problem, count = self.problem, len(self.q)
        rows = self._rows()
        joints, rest = slice(problem.J), slice(problem.J, -1)
        square = rows.swapaxes(1, 2) @ rows
        blocks = np.zeros((BAND, count, problem.J, problem.J))
        blocks[0], border, g = square[:, joints, joints], square[:, joints, rest], square[:, joints, -1]
        corner, h = square[:, rest, rest].sum(axis=0), square[:, rest, -1].sum(axis=0)
        diagonals = [np.einsum("tjj->tj", block) for block in blocks]
        for error, slope in self._single:
            g += slope * error
            diagonals[0] += slope**2
        for window, error, slope in self._differences:
            pull, square = slope * error, slope**2
            for i, a in enumerate(window):
                g[i : i + len(error)] += a * pull
                for k in range(len(window) - i):
                    diagonals[k][i : i + len(error)] += a * window[i + k] * square
        error, slope = self._base_error()
        corner[np.diag_indices(len(BASE))] += slope**2
        h += slope * error
        held = problem.held
        border[..., held], corner[held], corner[:, held], h[held] = 0.0, 0.0, 0.0, 0.0
        corner[held, held] = 1.0
        return NormalEquations(blocks, border, corner, g, h)

    @cached_property
    def _pose(self) -> ArmPoses:
        return self.problem.arm.poses(self.q)

    @cached_property
    def _turn(self) -> np.ndarray:
        return pin.rpy.rpyToMatrix(0.0, 0.0, float(self.base[3]))

    @cached_property
    def head(self) -> Float[np.ndarray, "N 3"]:
        """The tool's head in the world [m]."""
        return self._pose.head @ self._turn.T + self.base[:3]

    @cached_property
    def miss(self) -> Float[np.ndarray, "N 3"]:
        """Rotation from the stroke's tool to the arm's, in world axes [rad]."""
        return logarithm(quaternion(self._turn @ self._pose.R @ self.problem.R.swapaxes(1, 2)))

    @cached_property
    def spheres(self) -> Float[np.ndarray, "N S 3"]:
        """Centres of the collision spheres in the world [m]."""
        return self._pose.spheres @ self._turn.T + self.base[:3]

    def _rows(self) -> Float[np.ndarray, "N R C"]:
        """What concerns single frames, and the base: pose, then gaps. By joints and base, and the errors last.

        Frames with fewer small gaps than others have rows of zeros.
        """
        frame, counts = self._near.frame, np.bincount(self._near.frame, minlength=len(self.q))
        rows = np.zeros((len(self.q), 6 + counts.max(initial=0), self.problem.J + len(BASE) + 1))
        joints, base = slice(self.problem.J), slice(self.problem.J, -1)
        rows[:, :6, joints], rows[:, :6, base] = self._pose_slope()
        rows[:, :6, -1] = self._pose_error
        order = np.argsort(frame, kind="stable")
        place = np.empty_like(frame)
        place[order] = 6 + np.arange(len(frame)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows[frame, place, joints], rows[frame, place, base] = self._gap_slope()
        rows[frame, place, -1] = self._gap_error[0]
        return rows

    @cached_property
    def _pose_error(self) -> np.ndarray:
        problem = self.problem
        return np.concatenate([(self.head - problem.head) / POSITION, self.miss / problem.rotation[:, None]], axis=1)

    def _pose_slope(self) -> tuple[np.ndarray, np.ndarray]:
        """By the joints (N, 6, J) and by the base (N, 6, 4)."""
        left = inverse_right_jacobian(-self.miss) / self.problem.rotation[:, None, None]
        J = self._pose.J
        by_joints = np.concatenate([(self._turn / POSITION) @ J[:, :3], left @ self._turn @ J[:, 3:]], axis=1)
        by_base = np.zeros((len(self.q), 6, len(BASE)))
        by_base[:, :3] = _moved_by_base(self.head - self.base[:3]) / POSITION
        by_base[:, 3:, 3] = left[:, :, 2]
        return by_joints, by_base

    @cached_property
    def _near(self) -> Near:
        return self.problem.clearance.near(self.spheres, self.base[:3], GAP + _FELT * CLEARANCE * self.hinge)

    @cached_property
    def _gap_error(self) -> tuple[np.ndarray, np.ndarray]:
        """Errors and slopes (N,) of small gaps."""
        error, slope = _hinge(GAP - self._near.gap, CLEARANCE * self.hinge)
        return error, -slope

    def _gap_slope(self) -> tuple[np.ndarray, np.ndarray]:
        """By the joints (N, J) and by the base (N, 4): the power of a unit force that opens the gap.

        Both spheres of a pair lie on the line of that force, so that it has the same moment about either.
        """
        frame, sphere, other, _, normal, own = self._near
        moved = self._pose.moved[sphere] - np.where(other[:, None] >= 0, self._pose.moved[other], 0.0)
        force = (normal * self._gap_error[1][:, None]) @ self._turn
        wrench = np.concatenate([force, cross_product(self._pose.spheres[frame, sphere], force)], axis=1)
        by_joints = (wrench[:, None] @ self._pose.twists[frame])[:, 0] * moved
        by_base = np.concatenate([force @ self._turn.T, wrench[:, 5:]], axis=1) * ~own[:, None]
        return by_joints, by_base

    @cached_property
    def _single(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """Errors and slopes (N, J) of joints by themselves: limits, posture."""
        limits = _within(self.q - self.problem.middle, self.problem.half, self.hinge)
        return limits, ((self.q - self.problem.rest) / _POSTURE, np.full_like(self.q, 1 / _POSTURE))

    @cached_property
    def _differences(self) -> tuple[tuple[tuple[float, ...], np.ndarray, np.ndarray], ...]:
        """Residuals of differences between frames: the differences' weights, errors and slopes (N, J)."""
        problem = self.problem
        velocity = np.diff(self.q[: problem.T], axis=0)
        acceleration = np.diff(velocity, axis=0)
        slope = np.broadcast_to(1 / problem.smooth, acceleration.shape)
        return (
            ((-1.0, 1.0), *_within(velocity, SPEED_SHARE * problem.speed, self.hinge)),
            ((1.0, -2.0, 1.0), *_within(acceleration, SPEED_SHARE * problem.strength, self.hinge)),
            ((1.0, -2.0, 1.0), acceleration * slope, slope),
        )

    def _base_error(self) -> tuple[np.ndarray, np.ndarray]:
        """Errors and slopes (4,) of a base whose height is searched: no pedestal is better than a high one."""
        slope = np.where([name == "z" for name in BASE] & ~self.problem.held, 1 / _PEDESTAL, 0.0)
        return slope * self.base, slope


def rotation_tolerance(
    head: Float[np.ndarray, "T 3"], work: Float[np.ndarray, "3"], working: float
) -> Float[np.ndarray, "T"]:
    """Standard deviation of the tool's orientation [rad] where its head is: small near its work, large elsewhere.

    `working` is the distance from the work within which the orientation matters [m].
    """
    near = np.exp(-((np.linalg.norm(head - work, axis=1) / working) ** 2))
    return np.asarray(np.exp(near * np.log(ROTATION) + (1 - near) * np.log(FREE_ROTATION)))


def _hinge(over: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Residual of over <= 0 in units of `width`, and its slope: max(over, 0) with its corner rounded off.

    A residual that sets in suddenly misleads Gauss and Newton: a step that keeps one limit breaks its neighbours, of
    which it was told nothing. Smoothing function of Chen, Harker, Kanzow and Smale; Kanzow 1996, "Some noninterior
    continuation methods for linear complementarity problems", SIAM J. Matrix Anal. Appl. 17, 851.
    """
    root = np.hypot(over, width)
    return (over + root) / (2 * width), (1 + over / root) / (2 * width)


def _within(value: np.ndarray, bound: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Residual of |value| <= bound in units of the bound times `width`, and its slope."""
    share = value / bound
    error, slope = _hinge(np.abs(share) - 1, width)
    return error, slope * np.sign(share) / bound


def _moved_by_base(p: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3 4"]:
    """Derivative by the base's x, y, z and yaw of points that are given about the base, in world axes."""
    slope = np.zeros((*p.shape, len(BASE)))
    slope[..., :3] = np.eye(3)
    slope[..., 0, 3], slope[..., 1, 3] = -p[..., 1], p[..., 0]
    return slope
