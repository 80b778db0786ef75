"""Stature sets the scale of the world: one camera sees a small person nearby as it sees a tall one far away.

Without it the scale is settled by what counts in metres: accelerations, slips and leaning all are the smaller the
smaller the person is, and the more frames, the more they outweigh the prior of single bones. So it counts in every
frame, too: the bias of the scale is then the same for clips of any length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.residuals.loss import Loss, Quadratic
from motion.residuals.residual import Jacobian, OfShared
from motion.state import BONE_COLUMNS, State

UPRIGHT_BONES: dict[str, float] = {
    "foot": 0.4875, "shank": 1.0, "thigh": 1.0, "hip_drop": 1.0, "trunk": 1.0, "neck": 1.0, "head": 1.0,
}  # fmt: skip
"""How much each bone adds to the height of who stands upright, over its length (`motion.skeleton`)."""


@dataclass(frozen=True, kw_only=True)
class Stature:
    """Logarithm of the height of the upright body over that of the reference body, over `sigma`."""

    sigma: float = 0.15
    """Spread of the height, told anew in every frame [1]. What counts in metres pulls the logarithm of the scale with
    0.5 a frame (squats); with 1 / sigma^2 = 44 a frame against it, the scale stays within 1.1 %."""
    loss: Loss = Quadratic()

    def error(self, state: State) -> Float[np.ndarray, "T 1 1"]:
        """The same in every frame."""
        grown, _ = self._shares(state)
        return np.full((state.num_frames, 1, 1), np.log(grown) / self.sigma)

    def jacobian(self, state: State) -> Jacobian:
        """Share of each bone in the height."""
        _, share = self._shares(state)
        by = np.broadcast_to(share / self.sigma, (state.num_frames, 1, 1, len(share)))
        return Jacobian(direct=OfShared(tuple(f"bone_{b}" for b in Body.bone_names), by))

    def _shares(self, state: State) -> tuple[float, Float[np.ndarray, "B"]]:
        """Height over that of the reference body, and the share of every bone in it."""
        lengths = np.array([state.reference_body.bones[b] * UPRIGHT_BONES.get(b, 0.0) for b in Body.bone_names])
        grown = lengths * np.exp(state.shared[BONE_COLUMNS])
        return float(grown.sum() / lengths.sum()), grown / grown.sum()
