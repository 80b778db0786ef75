"""The robot's whole trajectory as one least-squares problem: base (x, y, yaw) and the joints of every frame.

Residuals: the tool's pose; hinges on joint, velocity and acceleration limits; hinges on the clearance of the arm's
spheres from the ground, from the scene's boxes and from each other; smoothness; posture. Solved by Levenberg-Marquardt
on the block-banded normal equations of `motion.problem`: time and memory are linear in the number of frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float
from scipy.linalg import LinAlgError

from motion.problem import BAND, NormalEquations
from motion.robot import Arm
from motion.rotation import inverse_right_jacobian, logarithm, quaternion
from records import Motion
from sim.clearance import Gaps, above_ground, apart, outside_box
from sim.tasks.task import Box

POSITION = 0.004
"""Standard deviation of the head's position error [m]."""
ROTATION = np.radians(3.0)
"""Standard deviation of the tool's orientation error where it works [rad]."""
FREE_ROTATION = np.radians(40.0)
"""The same on the way there: the video hardly shows it and the task does not need it [rad]."""
ROOM = 0.10
"""Objects may stand this far from where the stroke found them, along x and y: the arm must reach there too [m]."""
SPEED_SHARE = 0.95
"""Share of the velocity and acceleration limits that is used."""
GAP = 0.01
"""Room between spheres and what they must not touch [m]."""
_SMOOTH = 40.0
"""Standard deviation of joint accelerations [rad/s^2]."""
_POSTURE = 2.0
"""Standard deviation of joint angles about the rest configuration [rad]."""
_LEISURE = 10.0
"""How much longer than the stroke a motion takes in which time does not matter."""
_CLEARANCE = 0.05
"""Standard deviation of a violated clearance where limits have 1 [m]: clearances are tightened as limits are."""
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-6, 1e6
_LONGEST = 0.5
"""Largest step of a joint or the base [rad, m]."""
_CONVERGED = 1e-4
"""Relative decrease of the cost below which the solver stops."""


class Solution(NamedTuple):
    """Joints and base."""

    q: np.ndarray
    """(T + 4, J) [rad]: the stroke's frames, then the four displaced ones."""
    base: np.ndarray
    """x, y [m], yaw [rad]."""
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

    To the T frames of the stroke, four are added that time does not connect: the frame in which the head is nearest to
    its work, displaced by `ROOM` to each side. They keep the base where the stroke can be moved along with its objects.
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
    ) -> None:
        """State the problem.

        Args:
            stroke: motion of the tool.
            arm: robot and tool.
            work: where the tool does its work [m].
            obstacles: what the arm must stay clear of.
            working: distance from the work within which the tool's orientation matters [m].
            timed: whether the arm has to be as fast as the stroke; without it, only reach and obstacles matter.
        """
        self.arm, self.T, self.J = arm, stroke.num_frames, arm.model.nv
        R = np.stack([pin.Quaternion(q[3:7]).toRotationMatrix() for q in stroke.q])
        head = stroke.q[:, :3] + R @ arm.tool.p_head
        nearest = int(np.linalg.norm(head - work, axis=1).argmin())
        self.R = np.concatenate([R, np.tile(R[nearest], (4, 1, 1))])
        self.head = np.concatenate(
            [head, head[nearest] + ROOM * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])]
        )
        self._rotation = rotation_tolerance(head, work, working)
        self._rotation = np.append(self._rotation, np.full(4, self._rotation[nearest]))
        lower, upper = arm.model.lowerPositionLimit, arm.model.upperPositionLimit
        self._middle, self._half = (lower + upper) / 2, (upper - lower) / 2
        self._rest = np.array(arm.spec.rest)
        rate = stroke.fps if timed else stroke.fps / _LEISURE
        self._speed = np.array(arm.model.velocityLimit) / rate
        self._strength = np.array(arm.spec.acceleration) / rate**2
        self._smooth = _SMOOTH / rate**2
        self._arm_spheres = np.flatnonzero(~arm.spheres.tool)
        self._grounded = self._arm_spheres[arm.spheres.joint[self._arm_spheres] > 0]
        self._boxes = [(np.array(box.centre), np.array(box.half)) for box in obstacles]

    def minimise(
        self, q: Float[np.ndarray, "N J"], base: Float[np.ndarray, "3"], iterations: int, hinge: float
    ) -> Solution:
        """Levenberg-Marquardt from a start.

        Args:
            q: joints [rad].
            base: x, y [m], yaw [rad].
            iterations: steps that are tried at most.
            hinge: standard deviation of a violated limit, in shares of the limit.
        """
        damping = _FIRST_DAMPING
        equations, cost = self.linearise(q, base, hinge)
        for _ in range(iterations):
            try:
                dq, dbase = equations.solve(damping)
            except LinAlgError:
                damping *= 8
                continue
            q_new, base_new = q + np.clip(dq, -_LONGEST, _LONGEST), base + np.clip(dbase, -_LONGEST, _LONGEST)
            tried, new = self.linearise(q_new, base_new, hinge)
            if new < cost:
                done = cost - new < _CONVERGED * cost
                q, base, equations, cost = q_new, base_new, tried, new
                damping = max(damping / 4, _LEAST_DAMPING)
                if done:
                    break
            else:
                damping *= 8
                if damping > _MOST_DAMPING:
                    break
        return Solution(q, base, cost)

    def use(self, q: Float[np.ndarray, "N J"], base: Float[np.ndarray, "3"]) -> Use:
        """Errors and use of the limits."""
        q = q[: self.T]
        pose, turn = self.arm.poses(q), _yaw(base[2])
        head = pose.head @ turn.T + [*base[:2], 0.0]
        miss = logarithm(quaternion(turn @ pose.R @ self.R[: self.T].swapaxes(1, 2)))
        spheres = pose.spheres @ turn.T + [*base[:2], 0.0]
        gaps = [gap.min() for gap, _ in self._clearances(spheres, np.zeros((*spheres.shape, 1))) if gap.size]
        return Use(
            np.linalg.norm(head - self.head[: self.T], axis=1),
            np.linalg.norm(miss, axis=1),
            float((np.abs(np.diff(q, axis=0)) / self._speed).max(initial=0.0)),
            float((np.abs(np.diff(q, 2, axis=0)) / self._strength).max(initial=0.0)),
            float(min(gaps)),
        )

    def linearise(
        self, q: Float[np.ndarray, "N J"], base: Float[np.ndarray, "3"], hinge: float
    ) -> tuple[NormalEquations, float]:
        """Normal equations and cost (the sum of squared residuals)."""
        e, J, S = self.rows(q, base, hinge)
        blocks = np.zeros((BAND, len(q), self.J, self.J))
        blocks[0] = J.swapaxes(1, 2) @ J
        g = np.einsum("trj,tr->tj", J, e)
        cost = float((e**2).sum())
        for window, error, slope in self.differences(q, hinge):
            cost += float((error**2).sum())
            count = len(error)
            for i, a in enumerate(window):
                g[i : i + count] += a * slope * error
                for k in range(len(window) - i):
                    diagonal = np.einsum("tjj->tj", blocks[k, i : i + count])
                    diagonal += a * window[i + k] * slope**2
        border = J.swapaxes(1, 2) @ S
        corner = np.einsum("tra,trb->ab", S, S)
        return NormalEquations(blocks, border, corner, g, np.einsum("tra,tr->a", S, e)), cost

    def rows(
        self, q: Float[np.ndarray, "N J"], base: Float[np.ndarray, "3"], hinge: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Residuals of single frames (N, E), and their derivatives by joints (N, E, J) and base (N, E, 3)."""
        pose, turn = self.arm.poses(q), _yaw(base[2])
        head, shift = pose.head @ turn.T, np.array([*base[:2], 0.0])
        miss = logarithm(quaternion(turn @ pose.R @ self.R.swapaxes(1, 2)))
        left = inverse_right_jacobian(-miss)
        weight = 1 / self._rotation[:, None]
        errors = [(head + shift - self.head) / POSITION, miss * weight]
        by_q = [turn @ pose.J[:, :3] / POSITION, left @ turn @ pose.J[:, 3:] * weight[..., None]]
        by_base = [_moved_by_base(head) / POSITION, np.zeros((len(q), 3, 3))]
        by_base[1][:, :, 2] = left[:, :, 2] * weight
        spheres = pose.spheres @ turn.T
        moving = np.concatenate([turn @ pose.J_spheres, _moved_by_base(spheres)], axis=-1)
        for gap, slope in self._clearances(spheres + shift, moving):
            low = (gap < GAP) / (_CLEARANCE * hinge)
            errors.append((gap - GAP) * low)
            by_q.append(slope[..., : self.J] * low[..., None])
            by_base.append(slope[..., self.J :] * low[..., None])
        for error, slope in (_hinge(q - self._middle, self._half, hinge), self._posture(q)):
            errors.append(error)
            by_q.append(slope[:, :, None] * np.eye(self.J))
            by_base.append(np.zeros((len(q), self.J, 3)))
        return np.concatenate(errors, 1), np.concatenate(by_q, 1), np.concatenate(by_base, 1)

    def differences(
        self, q: Float[np.ndarray, "N J"], hinge: float
    ) -> Iterator[tuple[tuple[float, ...], np.ndarray, np.ndarray]]:
        """Residuals of differences between frames: the differences' weights, errors and slopes (N, J)."""
        velocity, acceleration = np.diff(q[: self.T], axis=0), np.diff(q[: self.T], 2, axis=0)
        yield (-1.0, 1.0), *_hinge(velocity, SPEED_SHARE * self._speed, hinge)
        yield (1.0, -2.0, 1.0), *_hinge(acceleration, SPEED_SHARE * self._strength, hinge)
        yield (1.0, -2.0, 1.0), acceleration / self._smooth, np.full_like(acceleration, 1 / self._smooth)

    def _posture(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (q - self._rest) / _POSTURE, np.full_like(q, 1 / _POSTURE)

    def _clearances(self, centre: np.ndarray, slopes: np.ndarray) -> Iterator[Gaps]:
        """Gaps of the arm's spheres, in the world. The tool may touch the scene, but not the arm."""
        radius, arm, moving = self.arm.spheres.radius, self._arm_spheres, self._grounded
        yield above_ground(centre[:, moving], slopes[:, moving], radius[moving])
        for box in self._boxes:
            yield outside_box(centre[:, arm], slopes[:, arm], radius[arm], box)
        yield apart(centre, slopes, radius, self.arm.sphere_pairs)


def rotation_tolerance(
    head: Float[np.ndarray, "T 3"], work: Float[np.ndarray, "3"], working: float
) -> Float[np.ndarray, "T"]:
    """Standard deviation of the tool's orientation [rad] where its head is: small near its work, large elsewhere.

    `working` is the distance from the work within which the orientation matters [m].
    """
    near = np.exp(-((np.linalg.norm(head - work, axis=1) / working) ** 2))
    return np.asarray(np.exp(near * np.log(ROTATION) + (1 - near) * np.log(FREE_ROTATION)))


def _hinge(value: np.ndarray, bound: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Residual of |value| <= bound in units of the bound times `width`, and its slope."""
    share = value / bound
    over = np.maximum(np.abs(share) - 1, 0)
    return np.sign(share) * over / width, (over > 0) / (bound * width)


def _moved_by_base(p: Float[np.ndarray, "T *N 3"]) -> np.ndarray:
    """Derivative (T, *N, 3, 3) by the base's x, y and yaw of points that are given about the base, in world axes."""
    slope = np.zeros((*p.shape, 3))
    slope[..., 0, 0] = slope[..., 1, 1] = 1.0
    slope[..., 0, 2], slope[..., 1, 2] = -p[..., 1], p[..., 0]
    return slope


def _yaw(angle: float) -> Float[np.ndarray, "3 3"]:
    return pin.rpy.rpyToMatrix(0.0, 0.0, float(angle))
