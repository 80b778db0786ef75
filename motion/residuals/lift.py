"""Body shape against a detector's 3D landmarks.

A detector lifts a crop as if it lay in the middle of the image, so its landmarks are turned by the rotation that
brings the optical axis to the viewing ray of the person. Their scale is unknown and shared. The error is that of the
landmarks, in their own scale: were they scaled to the body instead, noisy landmarks would cost less the smaller they
are, and the whole body would shrink (errors in variables).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from motion.residuals.loss import Loss, PseudoHuber
from motion.residuals.residual import Jacobian, OfPoints, OfShared
from motion.rotation import skew
from motion.state import State

ROOT = ("l_hip", "r_hip")
"""Landmarks are relative to the middle of the hips."""


@dataclass(frozen=True, kw_only=True)
class Lift:
    """Difference of root-relative landmarks, across the ray and along it, over `sigma`."""

    names: tuple[str, ...]
    xyz: Float[np.ndarray, "T N 3"]
    """Landmarks relative to the hips [m], in the axes of the viewing ray (x right, y down, z along the ray)."""
    R_camera_ray: Float[np.ndarray, "T 3 3"]
    weight: Float[np.ndarray, "T N"]
    """Square root of the trust in each landmark; 0 where there is none."""
    sigma: Float[np.ndarray, "3"] = field(default_factory=lambda: np.array([0.08, 0.08, 0.12]))
    """Standard deviations right, down and along the ray [m]."""
    loss: Loss = PseudoHuber(2.0)

    def error(self, state: State) -> Float[np.ndarray, "T N 3"]:
        """Body in the scale of the landmarks, minus landmarks, in the axes of the ray."""
        p = state.positions(self.names)
        root = state.positions(ROOT).mean(axis=1, keepdims=True)
        difference = (p - root) @ self._world_ray(state) / self._scale(state) - self.xyz
        return difference * self.weight[..., None] / self.sigma

    def jacobian(self, state: State) -> Jacobian:
        """Linear in the points; the tilt of the camera turns the ray."""
        R = self._world_ray(state)
        scale = self.weight[..., None, None] / self.sigma[:, None]
        turn = R.swapaxes(-1, -2)[:, None] / self._scale(state)
        arm = state.positions(self.names) - state.positions(ROOT).mean(axis=1, keepdims=True)
        axes = (state.camera.T_world_camera[:, :3, :3] @ state.tilt_axes.T).swapaxes(-1, -2)
        # What the ray sees: the arm in its axes grows with the scale and turns against the camera.
        moved = np.stack([-arm, *(arm @ skew(axes[:, n]) for n in range(2))], axis=-1)
        direct = turn @ moved
        return Jacobian(
            points=OfPoints(self.names, (scale * turn)[:, None], ROOT),
            direct=OfShared(("log_lift_scale", "pitch", "roll"), scale * direct),
        )

    def _world_ray(self, state: State) -> np.ndarray:
        R: np.ndarray = state.camera.T_world_camera[:, :3, :3] @ self.R_camera_ray
        return R

    def _scale(self, state: State) -> float:
        return float(np.exp(state.value("log_lift_scale")))
