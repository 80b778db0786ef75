"""Points in contact: they stay where they are, and feet do so on the ground unless something else carries them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from motion.residuals.loss import GemanMcClure, Loss, PseudoHuber
from motion.residuals.residual import Jacobian, OfPoints, OfShared
from motion.state import State


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Distance of points from the place where they touch, one place per contact."""

    names: tuple[str, ...]
    place: Float[np.ndarray, "T N 3"]
    """Place of contact [m], world; anything where the weight is 0."""
    weight: Float[np.ndarray, "T N"]
    """Square root of the probability of contact; 0 outside contacts."""
    sigma: float = 0.04
    """How far a point moves during contact, by rolling and by the body's simplicity [m]."""
    loss: Loss = GemanMcClure(3.0)

    def error(self, state: State) -> Float[np.ndarray, "T N 3"]:
        """Point minus place."""
        return (state.positions(self.names) - self.place) * (self.weight / self.sigma)[..., None]

    def jacobian(self, state: State) -> Jacobian:
        """That of the points."""
        return Jacobian(points=OfPoints(self.names, (self.weight / self.sigma)[:, None]))


@dataclass(frozen=True, kw_only=True)
class Sliding:
    """Velocity of points in contact."""

    names: tuple[str, ...]
    weight: Float[np.ndarray, "N P"]
    """Square root of the probability that a point is in contact in both frames of a pair; T - 1 rows."""
    sigma: float = 0.3
    """Velocity of a point in contact [m/s]."""
    loss: Loss = PseudoHuber(1.0)

    def error(self, state: State) -> Float[np.ndarray, "N P 3"]:
        """First differences."""
        return np.diff(state.positions(self.names), axis=0) * (state.fps * self.weight / self.sigma)[..., None]

    def jacobian(self, state: State) -> Jacobian:
        """Two frames with weights -1, 1."""
        scale = state.fps * self.weight / self.sigma
        return Jacobian(points=OfPoints(self.names, np.stack([-scale, scale], axis=1)))


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Height over the ground of soles in contact; the loss lets go of a foot that stands on something."""

    names: tuple[str, ...]
    weight: Float[np.ndarray, "T N"]
    """Square root of the probability of contact."""
    sigma: float = 0.05
    """Unevenness [m]."""
    loss: Loss = GemanMcClure(2.0)

    def error(self, state: State) -> Float[np.ndarray, "T N 1"]:
        """Height over the estimated ground."""
        height = state.positions(self.names)[..., 2] - state.value("ground")
        return (height * self.weight / self.sigma)[..., None]

    def jacobian(self, state: State) -> Jacobian:
        """Vertical."""
        scale = (self.weight / self.sigma)[..., None, None]
        up = scale * np.array([0.0, 0.0, 1.0])
        return Jacobian(points=OfPoints(self.names, up[:, None]), direct=OfShared(("ground",), -scale))
