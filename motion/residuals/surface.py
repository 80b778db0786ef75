"""Surroundings of known shape: what touches them lies on their surface, and nothing is inside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from motion.residuals.loss import GemanMcClure, Loss
from motion.residuals.residual import Jacobian, OfPoints, OfShared
from motion.scene import Nearest, Scene
from motion.state import State

_LIMBS = ("shoulder", "elbow", "wrist", "fingers", "hip", "knee", "ankle", "heel", "ball", "toes")
OUTSIDE = ("pelvis", "head", *(f"{side}_{site}" for side in "lr" for site in _LIMBS))
"""Points of the body that are in free space."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Distance of points in contact from the scene's surface; the loss lets go of what touches something else."""

    names: tuple[str, ...]
    weight: Float[np.ndarray, "T N"]
    """Square root of the probability of contact."""
    scene: Scene
    standing: tuple[bool, ...]
    """Which points may be on the ground instead, whichever is nearer."""
    sigma: float = 0.05
    """What lies between a joint and the surface, and how far that moves [m]; as `motion.residuals.contact.Ground`."""
    loss: Loss = GemanMcClure(2.0)

    def error(self, state: State) -> Float[np.ndarray, "T N 1"]:
        """Signed distance, or height over the estimated ground."""
        found, _ = self._found(state)
        return (found.distance * self.weight / self.sigma)[..., None]

    def jacobian(self, state: State) -> Jacobian:
        """Along the surface's normal."""
        found, grounded = self._found(state)
        scale = (self.weight / self.sigma)[..., None]
        return Jacobian(
            points=OfPoints(self.names, (scale * found.gradient)[:, None, :, None]),
            direct=OfShared(("ground",), -(scale * grounded[..., None])[..., None]),
        )

    def _found(self, state: State) -> tuple[Nearest, np.ndarray]:
        p = state.positions(self.names)
        distance, gradient = self.scene.nearest(p)
        height = p[..., 2] - state.value("ground")
        grounded = np.asarray(self.standing) & (np.abs(height) < np.abs(distance))
        up = np.array([0.0, 0.0, 1.0])
        return Nearest(np.where(grounded, height, distance), np.where(grounded[..., None], up, gradient)), grounded


@dataclass(frozen=True, kw_only=True)
class Clear:
    """How deep points of the body are inside something; the loss lets go of what only a hole in the scan explains."""

    scene: Scene
    names: tuple[str, ...] = OUTSIDE
    sigma: float = 0.05
    """Flesh that gives way, and the error of a scan [m]."""
    loss: Loss = GemanMcClure(3.0)

    def error(self, state: State) -> Float[np.ndarray, "T N 1"]:
        """Signed distance where it is negative."""
        distance = self.scene.nearest(state.positions(self.names)).distance
        return (np.minimum(distance, 0.0) / self.sigma)[..., None]

    def jacobian(self, state: State) -> Jacobian:
        """Along the surface's normal, inside."""
        distance, gradient = self.scene.nearest(state.positions(self.names))
        by = gradient * (distance < 0)[..., None] / self.sigma
        return Jacobian(points=OfPoints(self.names, by[:, None, :, None]))
