"""Image points of person and tool against detections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from motion.residuals.loss import GemanMcClure, Loss
from motion.residuals.residual import Jacobian, OfPoints, OfShared
from motion.rotation import skew
from motion.state import State

MIN_DEPTH = 0.1
"""Points nearer to the camera than this [m] are left out: their projection has no meaning."""


@dataclass(frozen=True, kw_only=True)
class Reprojection:
    """Pixels between projected and detected points, over `sigma`, weighted by confidence."""

    names: tuple[str, ...]
    """Points of the body or the tool."""
    uv: Float[np.ndarray, "T N 2"]
    """Detections [px]."""
    weight: Float[np.ndarray, "T N"]
    """Square root of the trust in each detection; 0 where there is none."""
    sigma: float
    """Standard deviation of a detection [px]."""
    loss: Loss = GemanMcClure(3.0)

    def error(self, state: State) -> Float[np.ndarray, "T N 2"]:
        """Projection minus detection."""
        p = state.positions(self.names)
        error: np.ndarray = (state.camera.project(p) - self.uv) * self._scale(state, p)[..., None]
        return error

    def jacobian(self, state: State) -> Jacobian:
        """By the chain rule through the camera."""
        p = state.positions(self.names)
        uv, J_point = state.camera.project_with_jacobian(p)
        scale = self._scale(state, p)[..., None, None]
        names, columns = _camera_columns(state, p, uv, J_point)
        return Jacobian(
            points=OfPoints(self.names, (scale * J_point)[:, None]), direct=OfShared(names, scale * columns)
        )

    def _scale(self, state: State, p: np.ndarray) -> np.ndarray:
        scale: np.ndarray = self.weight * (state.camera.depth(p) > MIN_DEPTH) / self.sigma
        return scale


def _camera_columns(
    state: State, p: np.ndarray, uv: np.ndarray, J_point: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    camera = state.camera
    R, t = camera.T_world_camera[:, :3, :3], camera.T_world_camera[:, None, :3, 3]
    axes = (R @ state.tilt_axes.T).swapaxes(-1, -2)
    turn = np.stack([(p - t) @ skew(axes[:, n]) for n in range(2)], axis=-1)
    columns = [np.stack([uv - camera.K[:2, 2], camera.lens_slope(p)], axis=-1), J_point @ turn]
    return ("log_focal", "lens", "pitch", "roll"), np.concatenate(columns, axis=-1)
