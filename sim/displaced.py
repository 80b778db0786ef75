"""A robot's demonstration with its tool displaced: inverse kinematics around each frame.

The arm goes as far from its demonstrated configuration as the displacement needs, and no further; the tool keeps its
orientation, or turns as it is told, where it works, and may turn otherwise on the way there, as in retargeting. The
answer depends on frame and displacement alone, so that a restored environment repeats itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float
from scipy.linalg.lapack import dposv

from motion.robot import Arm
from sim.actions import UNMOVED, Displacement
from sim.arm_problem import rotation_tolerance

POSITION = 0.001
"""Standard deviation of the head's position [m]."""
POSTURE = 3.0
"""Standard deviation of joint angles about the demonstration's [rad]."""
STEPS = 12
"""Steps that are tried; three are enough but near the end of the arm's reach."""
ENOUGH = 0.1
"""A step that decreases the squared error by less, in variances, or leaves less, is the last one."""
LONGEST = 0.5
"""Largest step of a joint [rad]."""
LOOSER = (30.0, 6.0, 1.0)
"""Standard deviations of the head's position, in stages, where the arm is stretched; shares of `POSITION`."""

Pose = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Rotation and place of the head, and its Jacobian."""


class _Found(NamedTuple):
    """Where a descent ended."""

    q: np.ndarray
    squared: float
    """Squared error, in variances."""
    straight: bool
    """Whether every step made it smaller."""


class Displaced:
    """Joint configurations of displaced frames."""

    def __init__(
        self,
        arm: Arm,
        q: Float[np.ndarray, "T J"],
        R_world_base: Float[np.ndarray, "3 3"],
        work: Float[np.ndarray, "3"],
        working: float,
    ) -> None:
        """Remember the demonstration.

        Args:
            arm: robot and tool.
            q: the demonstration's joints [rad].
            R_world_base: rotation of the base.
            work: where the tool works, in the base frame [m].
            working: distance from it within which the tool's orientation matters [m].
        """
        self._arm, self._q, self._R_world_base = arm, q, R_world_base
        self._poses = [arm.head_jacobian(row) for row in q]
        tolerance = rotation_tolerance(np.stack([head for _, head, _ in self._poses]), work, working)
        self._scale = np.repeat(np.c_[np.full(len(q), 1 / POSITION), 1 / tolerance], 3, axis=1)
        self._weighed = [_weighed(J, scale) for (_, _, J), scale in zip(self._poses, self._scale, strict=True)]
        self._lower = np.asarray(arm.model.lowerPositionLimit, float)
        self._upper = np.asarray(arm.model.upperPositionLimit, float)
        self._limits = list(zip(self._lower.tolist(), self._upper.tolist(), strict=True))
        self._last: tuple[int, Displacement, np.ndarray] = (-1, UNMOVED, q[0])

    def __call__(self, frame: int, displacement: Displacement) -> Float[np.ndarray, "J"]:
        """Joints [rad] of a frame with the head displaced [m] and the tool turned [rad] about it, world axes."""
        if displacement == UNMOVED:
            return self._q[frame]
        # A control step starts where the last one ended.
        if self._last[:2] != (frame, displacement):
            self._last = (frame, displacement, self._solve(frame, np.array(displacement)))
        return self._last[2]

    def _solve(self, frame: int, displacement: Float[np.ndarray, "6"]) -> np.ndarray:
        """From the demonstrated configuration; where the arm is stretched, with the head's place let loose at first.

        A stretched arm's head leaves the line of a long step. Where its place counts most, only short steps pass, and
        the tool is hardly turned when they are all used up; let loose, the arm turns first and then brings it back.
        """
        R, head, _ = self._poses[frame]
        R_base_world = self._R_world_base.T
        goal = head + R_base_world @ displacement[:3], pin.exp3(R_base_world @ displacement[3:]) @ R
        found = self._descend(frame, goal)
        if found.straight:
            return found.q
        loose = found._replace(q=self._q[frame])
        for looser in LOOSER:
            loose = self._descend(frame, goal, loose.q, looser)
        return loose.q if loose.squared < found.squared else found.q

    def _descend(
        self, frame: int, goal: tuple[np.ndarray, np.ndarray], start: np.ndarray | None = None, looser: float = 1.0
    ) -> _Found:
        """Levenberg-Marquardt.

        Args:
            frame: of the demonstration.
            goal: place [m] and rotation of the head, in the base's frame.
            start: configuration; the demonstrated one by default.
            looser: share of `POSITION` that the head's place is held to.
        """
        demonstrated, damping, straight = self._q[frame], 0.0, True
        place, R_wanted = goal
        scale = self._scale[frame] / np.repeat([looser, 1.0], 3)

        def at(q: np.ndarray, pose: Pose) -> tuple[float, np.ndarray, np.ndarray]:
            """Squared error, errors, and the way from the demonstrated joints."""
            R, head, _ = pose
            error = np.concatenate([place - head, pin.log3(R_wanted @ R.T)]) * scale
            away = demonstrated - q
            return error @ error + away @ away / POSTURE**2, error, away

        q = demonstrated if start is None else start
        pose = self._poses[frame] if start is None else self._arm.head_jacobian(q)
        squared, error, away = at(q, pose)
        A, H = self._weighed[frame] if start is None else _weighed(pose[2], scale)
        for _ in range(STEPS):
            g = A.T @ error + away / POSTURE**2
            step, limited = self._within(q, H + np.diag(damping * H.diagonal()) if damping else H, g)
            if not (limited or damping) and g @ step < ENOUGH:
                q = q + step
                break
            tried = self._arm.head_jacobian(q + step)
            squared_new, error_new, away_new = at(q + step, tried)
            gain = squared - squared_new
            if gain > 0:
                q, squared, error, away, damping = q + step, squared_new, error_new, away_new, damping / 10
                if gain < ENOUGH or error @ error < ENOUGH:
                    break
                A, H = _weighed(tried[2], scale)
            else:
                straight, damping = False, max(10 * damping, 1e-2)
        return _Found(q, squared, straight)

    def _within(self, q: np.ndarray, H: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, bool]:
        """The step H^-1 g, shortened and then kept within the joints' limits, and whether they stop it."""
        step = _shortened(H, g)
        wanted = q + step
        if all(low <= joint <= high for joint, (low, high) in zip(wanted.tolist(), self._limits, strict=True)):
            return step, False
        limited = np.minimum(np.maximum(wanted, self._lower), self._upper)
        free = limited == wanted
        if free.any():
            # Joints at their limits stay there, and the others do their share.
            stopped = ~free
            share = _shortened(H[np.ix_(free, free)], (g - H[:, stopped] @ (limited - q)[stopped])[free])
            wanted[free] = q[free] + share
            limited = np.minimum(np.maximum(wanted, self._lower), self._upper)
        return limited - q, True


def _weighed(J: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A Jacobian in standard deviations, and the matrix of its normal equations."""
    A = J * scale[:, None]
    H = A.T @ A
    H.reshape(-1)[:: len(H) + 1] += 1 / POSTURE**2
    return A, H


def _shortened(H: np.ndarray, g: np.ndarray) -> np.ndarray:
    """H^-1 g of a positive definite H, no joint moved by more than `LONGEST`.

    By LAPACK itself: numpy's checks take longer than solving for a few numbers.
    """
    _, x, _ = dposv(H, g)
    longest = max(map(abs, x.tolist()))
    return np.asarray(x if longest <= LONGEST else x * (LONGEST / longest))
