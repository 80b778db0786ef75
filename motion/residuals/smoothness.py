"""Smooth motion: points accelerate little, joints turn slowly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.residuals.loss import Loss, PseudoHuber, Quadratic
from motion.residuals.residual import Jacobian, OfPoints, OfTurns
from motion.rotation import inverse_right_jacobian
from motion.state import State

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
        shape = (state.num_frames - 2, 3, len(self.names))
        weights = np.array([1.0, -2.0, 1.0]) * (state.fps**2 / self.sigma)
        return Jacobian(points=OfPoints(self.names, np.broadcast_to(weights[:, None], shape)))


@dataclass(frozen=True, kw_only=True)
class JointRate:
    """Relative rotation of every joint between frames, over `sigma`."""

    sigma: float = 5.0
    """Usual rate [rad/s]."""
    loss: Loss = Quadratic()

    def error(self, state: State) -> Float[np.ndarray, "N 24 3"]:
        """Rate in local axes."""
        return state.turns * (state.fps / self.sigma)

    def jacobian(self, state: State) -> Jacobian:
        """Inverse right Jacobian at the later frame, inverse left Jacobian at the earlier one."""
        after = inverse_right_jacobian(state.turns) * (state.fps / self.sigma)
        by = np.stack([-after.swapaxes(-1, -2), after], axis=1)
        return Jacobian(turns=OfTurns(tuple(range(len(Body.joint_names))), by))
