"""Prior of what all frames share: bone lengths, focal length, tilt of the camera, scale of landmarks, ground, tool."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from motion.residuals.loss import Loss, Quadratic
from motion.residuals.residual import Jacobian, OfShared
from motion.state import SHARED, SHARED_NAMES, State


@dataclass(frozen=True, kw_only=True)
class SharedPrior:
    """Deviation of each shared parameter over its standard deviation."""

    frames_per_error: float = 1.0
    """Frames over which the errors of detections stay the same: so much less do they tell of what all frames share."""
    sigma: Float[np.ndarray, "S"] = field(default_factory=lambda: np.array([shared.sigma for shared in SHARED]))
    loss: Loss = Quadratic()

    def error(self, state: State) -> Float[np.ndarray, "1 S 1"]:
        """Parameters in standard deviations."""
        return (state.shared / self._width)[None, :, None]

    def jacobian(self, state: State) -> Jacobian:
        """Constant."""
        return Jacobian(direct=OfShared(SHARED_NAMES, np.diag(1 / self._width)[None, :, None]))

    @property
    def _width(self) -> Float[np.ndarray, "S"]:
        return self.sigma / np.sqrt(self.frames_per_error)
