"""Image points of person and tool against detections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from motion.residuals.loss import GemanMcClure, Loss
from motion.residuals.residual import Jacobian
from motion.state import SHARED, SHARED_NAMES, State
from records import Camera

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
        points = state.points(self.names)
        camera = state.camera
        uv, J_point = camera.project_with_jacobian(points.p)
        scale = self._scale(state, points.p)[..., None, None]
        shared = J_point @ points.J_shared
        shared += _camera_columns(state, camera, points.p, uv, J_point)
        return Jacobian((scale * (J_point @ points.J))[:, None], scale * shared)

    def _scale(self, state: State, p: np.ndarray) -> np.ndarray:
        scale: np.ndarray = self.weight * (state.camera.depth(p) > MIN_DEPTH) / self.sigma
        return scale


def _camera_columns(state: State, camera: Camera, p: np.ndarray, uv: np.ndarray, J_point: np.ndarray) -> np.ndarray:
    columns = np.zeros((*uv.shape, len(SHARED)))
    columns[..., SHARED_NAMES.index("log_focal")] = uv - camera.K[:2, 2]
    R, t = camera.T_world_camera[:, :3, :3], camera.T_world_camera[:, None, :3, 3]
    for axis, name in zip(state.tilt_axes, ("pitch", "roll"), strict=True):
        turn = np.cross(p - t, (R @ axis)[:, None])
        columns[..., SHARED_NAMES.index(name)] = (J_point @ turn[..., None])[..., 0]
    return columns
