"""Retargeting: where the robot stands, and how all its joints move, so that its tool follows the stroke.

One Levenberg-Marquardt problem over the base (x, y, yaw) and every frame's joints, sparse, linear in the number of
frames; joint, velocity and acceleration limits and the ground are hinge residuals. A stroke too fast for the robot's
joints is slowed down.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pinocchio as pin
import scipy.sparse as sp
from jaxtyping import Float
from scipy.sparse.linalg import spsolve

from motion.robot import Arm, RobotSpec, build_arm
from motion.tool import Tool, differentiate, motion_of_poses, tool_of
from records import Demonstration, Motion
from sim.tasks.task import TASKS

POSITION = 0.004
"""Standard deviation of the head's position error [m]."""
ROTATION = np.radians(3.0)
"""Standard deviation of the tool's orientation error where it works [rad]."""
FREE_ROTATION = np.radians(40.0)
"""The same on the way there: the video hardly shows it and the task does not need it [rad]."""
WORKING = 0.15
"""Distance from the tool's work within which its orientation matters [m]."""
SPEED_SHARE = 0.95
"""Share of the velocity limits that is used."""
_SMOOTH = 40.0
"""Standard deviation of joint accelerations [rad/s^2]."""
_POSTURE = 2.0
"""Standard deviation of joint angles about the rest configuration [rad]."""
_HINGES = (0.2, 0.05, 0.01)
"""Standard deviation of a violated limit, in shares of the limit; tightened in stages."""
_CLEARANCE = 0.01
"""Standard deviation of a violated ground clearance [m]."""
_STARTS = 8
"""Bases tried around the stroke."""
_DISTANCE = 0.5
"""Distance of a first guess of the base from the middle of the stroke [m]."""
_COARSE, _FINE = 12, 20
"""Iterations for every start, and per stage for the best one."""
GOOD = 0.025
"""Largest error of the head [m] that a stroke is not slowed down for."""
_SLOWER = 1.15
"""Factor by which a stroke is slowed down at a time."""
WORST = 0.04
"""A larger mean error of the head [m] means that the robot cannot reach the stroke."""


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
        robot: name in the table of robots, or a description.
        slowest: how much the stroke may be slowed down where joints are too slow for it.
        seed: of the angle that the first base stands at.

    Raises:
        RetargetError: the stroke is out of reach or too fast; the message says by how much.
    """
    tool: Tool = tool_of(demonstration.tool)
    work = TASKS.load(demonstration.task).work(demonstration.scene)
    arm = build_arm(robot, tool)
    slowdown = 1.0
    while True:
        slowed = demonstration.replace(tool=stretch(demonstration.tool, tool, slowdown))
        solution, base, tracking = _follow(slowed.tool, arm, work, slowdown, seed)
        if _fits(tracking) and tracking.max_mm <= 1000 * GOOD:
            break
        if slowdown * _SLOWER > slowest:
            _refuse(tracking, arm)
            break
        slowdown *= _SLOWER
    model = arm.model
    v, a = differentiate(model, solution, slowed.tool.fps)
    parameters = {"base_x": base[0], "base_y": base[1], "base_z": 0.0, "base_yaw": base[2]}
    motion = Motion(model=arm.spec.name, parameters=parameters, fps=slowed.tool.fps, q=solution, v=v, a=a)
    return Retargeted(slowed.replace(robot=motion), tracking)


def _fits(tracking: Tracking) -> bool:
    return max(tracking.velocity, tracking.acceleration) <= 1.0


def _refuse(tracking: Tracking, arm: Arm) -> None:
    """Raise where even the slowest stroke is out of the robot's reach or breaks its limits."""
    if tracking.mean_mm > 1000 * WORST:
        raise RetargetError(
            f"{arm.spec.name} cannot reach the stroke: its tool stays {tracking.mean_mm:.0f} mm from it on average"
            f" ({tracking.max_mm:.0f} mm at most); align with a smaller scale or use a longer arm"
        )
    if not _fits(tracking):
        raise RetargetError(
            f"{arm.spec.name} is too slow for the stroke: {tracking.velocity:.2f} of its velocity limits and"
            f" {tracking.acceleration:.2f} of its acceleration limits even {tracking.slowdown:.1f} times slower"
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


def _follow(
    stroke: Motion, arm: Arm, target: np.ndarray, slowdown: float, seed: int
) -> tuple[np.ndarray, np.ndarray, Tracking]:
    """Best of several starts: joints (T, J), base (3,), tracking."""
    problem = _Problem(stroke, arm, target)
    first = np.random.default_rng(seed).uniform(0, 2 * np.pi / _STARTS)
    middle = problem.head[:, :2].mean(axis=0)
    found = []
    for k in range(_STARTS):
        angle = first + 2 * np.pi * k / _STARTS
        base = np.append(middle - _DISTANCE * np.array([np.cos(angle), np.sin(angle)]), angle)
        q = np.tile(np.array(arm.spec.rest), (stroke.num_frames, 1))
        found.append(problem.minimise(q, base, _COARSE, _HINGES[0]))
    q, base, _ = min(found, key=lambda solution: solution[2])
    for hinge in _HINGES:
        q, base, _ = problem.minimise(q, base, _FINE, hinge)
    return q, base, problem.tracking(q, base, slowdown)


class _Problem:
    """Sum of squared residuals over x = (q_0, ..., q_T-1, base x, y, yaw)."""

    def __init__(self, stroke: Motion, arm: Arm, target: np.ndarray) -> None:
        self.arm, self.fps, self.T, self.J = arm, stroke.fps, stroke.num_frames, arm.model.nq
        self.R = np.stack([pin.Quaternion(q[3:7]).toRotationMatrix() for q in stroke.q])
        self.head = stroke.q[:, :3] + self.R @ arm.tool.p_head
        working = np.exp(-((np.linalg.norm(self.head - target, axis=1) / WORKING) ** 2))
        self._rotation = np.exp(working * np.log(ROTATION) + (1 - working) * np.log(FREE_ROTATION))
        lower, upper = arm.model.lowerPositionLimit, arm.model.upperPositionLimit
        self.middle, self.half = (lower + upper) / 2, (upper - lower) / 2
        identity = sp.eye(self.J)
        step = sp.diags([-np.ones(self.T - 1), np.ones(self.T - 1)], [0, 1], shape=(self.T - 1, self.T)) * self.fps
        self._velocity = sp.kron(step, identity).tocsr()
        turn = sp.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(self.T - 2, self.T)) * self.fps**2
        self._acceleration = sp.kron(turn, identity).tocsr()
        self._speed = np.tile(arm.model.velocityLimit * SPEED_SHARE, self.T - 1)
        self._strength = np.tile(np.array(arm.spec.acceleration) * SPEED_SHARE, self.T - 2)
        self._rest = np.tile(np.array(arm.spec.rest), self.T)

    def minimise(
        self, q: np.ndarray, base: np.ndarray, iterations: int, hinge: float
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Levenberg-Marquardt from a start; returns joints, base and cost."""
        self._hinge = hinge
        x, damping = np.concatenate([q.ravel(), base]), 1e-2
        e, J = self._linearise(x)
        cost = float(e @ e)
        for _ in range(iterations):
            H, g = (J.T @ J).tocsc(), J.T @ e
            step = spsolve(H + damping * sp.diags(H.diagonal() + 1e-6), -g)
            trial = x + np.clip(step, -0.5, 0.5)
            e_trial, J_trial = self._linearise(trial)
            trial_cost = float(e_trial @ e_trial)
            if trial_cost < cost:
                done = cost - trial_cost < 1e-5 * cost
                x, e, J, cost, damping = trial, e_trial, J_trial, trial_cost, max(damping / 4, 1e-6)
                if done:
                    break
            else:
                damping *= 8
                if damping > 1e6:
                    break
        return x[:-3].reshape(self.T, self.J), x[-3:], cost

    def tracking(self, q: np.ndarray, base: np.ndarray, slowdown: float) -> Tracking:
        """Errors and use of the limits."""
        p, R = self._tool(q, base)
        distance = 1000 * np.linalg.norm(p - self.head, axis=1)
        angle = np.degrees([np.linalg.norm(pin.log3(a.T @ b)) for a, b in zip(R, self.R, strict=True)])
        v = np.abs(self._velocity @ q.ravel()) / (self._speed / SPEED_SHARE)
        a = np.abs(self._acceleration @ q.ravel()) / (self._strength / SPEED_SHARE)
        return Tracking(
            float(distance.mean()), float(distance.max()), float(angle.mean()), float(v.max()), float(a.max()), slowdown
        )

    def _tool(self, q: np.ndarray, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        turn = _yaw(base[2])
        found = [self.arm.head_jacobian(row)[:2] for row in q]
        R, p = np.stack([r for r, _ in found]), np.stack([h for _, h in found])
        return p @ turn.T + [base[0], base[1], 0.0], turn @ R

    def _linearise(self, x: np.ndarray) -> tuple[np.ndarray, sp.csr_matrix]:
        q, base = x[:-3].reshape(self.T, self.J), x[-3:]
        turn = _yaw(base[2])
        errors, blocks, border, ground, ground_rows = [], [], [], [], []
        for t in range(self.T):
            R, p, J = self.arm.head_jacobian(q[t])
            world = turn @ p + [base[0], base[1], 0.0]
            miss = turn @ R @ self.R[t].T
            left = pin.Jlog3(miss.T)
            errors.append(np.concatenate([(world - self.head[t]) / POSITION, pin.log3(miss) / self._rotation[t]]))
            blocks.append(np.vstack([turn @ J[:3] / POSITION, left @ turn @ J[3:] / self._rotation[t]]))
            edge = np.zeros((6, 3))
            edge[:2, :2] = np.eye(2) / POSITION
            edge[:3, 2] = np.cross([0, 0, 1], turn @ p) / POSITION
            edge[3:, 2] = left[:, 2] / self._rotation[t]
            border.append(edge)
            height, rows = self.arm.sphere_heights(q[t])
            low = height < 0
            ground.append(np.where(low, height, 0) / _CLEARANCE)
            ground_rows.append(np.where(low[:, None], rows, 0) / _CLEARANCE)
        flat = x[:-3]
        parts = [
            (np.concatenate(errors), sp.hstack([sp.block_diag(blocks), sp.csr_matrix(np.vstack(border))])),
            (np.concatenate(ground), _with_border(sp.block_diag(ground_rows))),
            self._limit(self._velocity, flat, self._speed),
            self._limit(self._acceleration, flat, self._strength),
            self._limit(sp.eye(flat.size).tocsr(), flat, np.tile(self.half, self.T), np.tile(self.middle, self.T)),
            (self._acceleration @ flat / _SMOOTH, _with_border(self._acceleration / _SMOOTH)),
            ((flat - self._rest) / _POSTURE, _with_border(sp.eye(flat.size) / _POSTURE)),
        ]
        return np.concatenate([e for e, _ in parts]), sp.vstack([J for _, J in parts]).tocsr()

    def _limit(
        self, A: sp.csr_matrix, flat: np.ndarray, bound: np.ndarray, centre: np.ndarray | float = 0.0
    ) -> tuple[np.ndarray, sp.csr_matrix]:
        """Hinge residual of |A x - centre| <= bound, in units of the bound."""
        value = (A @ flat - centre) / bound
        over = np.sign(value) * np.maximum(np.abs(value) - 1, 0) / self._hinge
        active = (np.abs(value) > 1) / (bound * self._hinge)
        return over, _with_border(sp.diags(active) @ A)


def _with_border(A: sp.spmatrix) -> sp.csr_matrix:
    return sp.hstack([A, sp.csr_matrix((A.shape[0], 3))]).tocsr()


def _yaw(angle: float) -> Float[np.ndarray, "3 3"]:
    return pin.rpy.rpyToMatrix(0.0, 0.0, float(angle))
