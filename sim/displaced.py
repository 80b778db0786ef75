"""A robot's demonstration with the head of its tool displaced: inverse kinematics around each frame.

The arm goes as far from its demonstrated configuration as the displacement needs, and no further; the tool keeps its
orientation where it works and may turn on the way there, as in retargeting. The answer depends on frame and
displacement alone, so that a restored environment repeats itself.
"""

from __future__ import annotations

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.robot import Arm
from sim.arm_problem import rotation_tolerance

POSITION = 0.001
"""Standard deviation of the head's position [m]."""
POSTURE = 3.0
"""Standard deviation of joint angles about the demonstration's [rad]."""
STEPS = 4
"""Gauss-Newton steps: errors shrink quadratically, so that 10 cm are met within a millimetre where there is reach."""
ENOUGH = 0.1
"""Error, in standard deviations, at which no further step is taken."""
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
    ) -> None:
        """Remember the demonstration.

        Args:
            arm: robot and tool.
            q: the demonstration's joints [rad].
            R_world_base: rotation of the base.
            work: where the tool works, in the base frame [m].
        """
        self._arm, self._q, self._R_world_base = arm, q, R_world_base
        self._poses = [arm.head_jacobian(row) for row in q]
        self._tolerance = rotation_tolerance(np.stack([head for _, head, _ in self._poses]), work)
        self._lower = np.asarray(arm.model.lowerPositionLimit, float)
        self._upper = np.asarray(arm.model.upperPositionLimit, float)
        self._last: tuple[int, bytes, np.ndarray] = (-1, b"", q[0])

    def __call__(self, frame: int, residual: Float[np.ndarray, "3"]) -> Float[np.ndarray, "J"]:
        """Joints [rad] of a frame with the head displaced by `residual` [m], world axes."""
        demonstrated = self._q[frame]
        if not residual.any():
            return demonstrated
        # A control step starts where the last one ended.
        if self._last[:2] != (frame, residual.tobytes()):
            self._last = (frame, residual.tobytes(), self._solve(frame, residual))
        return self._last[2]

    def _solve(self, frame: int, residual: np.ndarray) -> np.ndarray:
        demonstrated = self._q[frame]
        R, head, J = self._poses[frame]
        R_wanted, goal = R, head + self._R_world_base.T @ residual
        scale = np.repeat([1 / POSITION, 1 / self._tolerance[frame]], 3)
        q = demonstrated
        for _ in range(STEPS):
            error = np.concatenate([goal - head, pin.log3(R_wanted @ R.T)]) * scale
            if np.abs(error).max() < ENOUGH:
                break
            A = J * scale[:, None]
            H = A.T @ A
            H.flat[:: len(H) + 1] += 1 / POSTURE**2
            step = np.linalg.solve(H, A.T @ error + (demonstrated - q) / POSTURE**2)
            step *= min(1.0, LONGEST / max(float(np.abs(step).max()), 1e-9))
            q = np.minimum(np.maximum(q + step, self._lower), self._upper)
            R, head, J = self._arm.head_jacobian(q)
        return q
