"""Smooth motion: points accelerate little, joints turn slowly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.residuals.loss import Loss, PseudoHuber, Quadratic
from motion.residuals.residual import Jacobian
from motion.rotation import conjugate, inverse_right_jacobian, logarithm, product
from motion.state import SHARED, State

SMOOTH_SITES = (
    "pelvis", "neck", "head",
    *(f"{side}_{name}" for side in ("l", "r")
      for name in ("shoulder", "elbow", "wrist", "fingers", "knee", "ankle", "toes")),
)  # fmt: skip
"""Seventeen points spread over the body."""


@dataclass(frozen=True, kw_only=True)
class Acceleration:
    """Second differences of points over `sigma`; linear beyond, so that landings and strokes stay sharp."""

    names: tuple[str, ...] = SMOOTH_SITES
    sigma: float = 12.0
    """Usual acceleration [m/s^2]."""
    loss: Loss = PseudoHuber(1.0)

    def error(self, state: State) -> Float[np.ndarray, "N G 3"]:
        """Acceleration in the world."""
        p = state.positions(self.names)
        return (p[:-2] - 2 * p[1:-1] + p[2:]) * (state.fps**2 / self.sigma)

    def jacobian(self, state: State) -> Jacobian:
        """Three frames with weights 1, -2, 1."""
        points = state.points(self.names)
        factor = state.fps**2 / self.sigma
        J, S = factor * points.J, factor * points.J_shared
        return Jacobian(np.stack([J[:-2], -2 * J[1:-1], J[2:]], axis=1), S[:-2] - 2 * S[1:-1] + S[2:])


@dataclass(frozen=True, kw_only=True)
class JointRate:
    """Relative rotation of every joint between frames, over `sigma`."""

    sigma: float = 5.0
    """Usual rate [rad/s]."""
    loss: Loss = Quadratic()

    def error(self, state: State) -> Float[np.ndarray, "N 24 3"]:
        """Rate in local axes."""
        return self._turn(state) * (state.fps / self.sigma)

    def jacobian(self, state: State) -> Jacobian:
        """Inverse right Jacobian at the later frame, inverse left Jacobian at the earlier one."""
        turn = self._turn(state)
        after = inverse_right_jacobian(turn) * (state.fps / self.sigma)
        count, joints = turn.shape[:2]
        frames = np.zeros((count, 2, joints, 3, state.nv))
        for j in range(joints):
            columns = slice(3 + 3 * j, 6 + 3 * j)
            frames[:, 0, j, :, columns] = -after[:, j].swapaxes(-1, -2)
            frames[:, 1, j, :, columns] = after[:, j]
        return Jacobian(frames, np.zeros((count, joints, 3, len(SHARED))))

    def _turn(self, state: State) -> np.ndarray:
        quaternions = state.q[:, 3:].reshape(state.num_frames, len(Body.joint_names), 4)
        return logarithm(product(conjugate(quaternions[:-1]), quaternions[1:]))
