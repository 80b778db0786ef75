"""A robot's demonstration with its tool displaced: inverse kinematics around each frame.

The arm goes as far from its demonstrated configuration as the displacement needs, and no further; the tool keeps its
orientation, or turns as it is told, where it works, and may turn otherwise on the way there, as in retargeting. The
answer depends on frame and displacement alone, so that a restored environment repeats itself.
"""

from __future__ import annotations

import numpy as np
import pinocchio as pin
from jaxtyping import Float
from scipy.linalg.lapack import dposv

from motion.robot import Arm
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
        self._last: tuple[int, bytes, np.ndarray] = (-1, b"", q[0])

    def __call__(self, frame: int, displacement: Float[np.ndarray, "6"]) -> Float[np.ndarray, "J"]:
        """Joints [rad] of a frame with the head displaced [m] and the tool turned [rad] about it, world axes."""
        demonstrated = self._q[frame]
        if not any(displacement.tolist()):
            return demonstrated
        # A control step starts where the last one ended.
        if self._last[:2] != (frame, displacement.tobytes()):
            self._last = (frame, displacement.tobytes(), self._solve(frame, displacement))
        return self._last[2]

    def _solve(self, frame: int, displacement: np.ndarray) -> np.ndarray:
        """Levenberg-Marquardt from the demonstrated configuration."""
        demonstrated, (R, head, _), (A, H) = self._q[frame], self._poses[frame], self._weighed[frame]
        R_base_world = self._R_world_base.T
        goal, R_wanted = head + R_base_world @ displacement[:3], pin.exp3(R_base_world @ displacement[3:]) @ R
        scale = self._scale[frame]

        def miss(R: np.ndarray, head: np.ndarray) -> np.ndarray:
            return np.concatenate([goal - head, pin.log3(R_wanted @ R.T)]) * scale

        q, damping, away = demonstrated, 0.0, np.zeros_like(demonstrated)
        error = miss(R, head)
        squared = error @ error
        for _ in range(STEPS):
            g = A.T @ error + away / POSTURE**2
            step, limited = self._within(q, H + np.diag(damping * H.diagonal()) if damping else H, g)
            if not (limited or damping) and g @ step < ENOUGH:
                return q + step
            R_new, head_new, J_new = self._arm.head_jacobian(q + step)
            error_new, away_new = miss(R_new, head_new), away - step
            squared_new = error_new @ error_new + away_new @ away_new / POSTURE**2
            gain, squared = squared - squared_new, min(squared, squared_new)
            if gain > 0:
                q, error, away, damping = q + step, error_new, away_new, damping / 10
                if gain < ENOUGH or error @ error < ENOUGH:
                    break
                A, H = _weighed(J_new, scale)
            else:
                damping = max(10 * damping, 1e-2)
        return q

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
