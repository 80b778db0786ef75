"""What a video is and where its camera stands: `Clip`, `Camera`, and projection with its Jacobian."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from records.record import Record, RecordError, array


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip(Record):
    """A stretch of a video file at a constant true rate."""

    path: str
    """The video file."""
    fps: float
    """True frame rate [1/s]; may override what the file's header says."""
    start: int = 0
    """First frame, counted in the file at `fps`."""
    num_frames: int
    """Number of frames from `start` on."""
    size_hw: tuple[int, int]
    """Height and width [px] after rotation metadata has been applied."""

    def validate(self) -> None:
        """Refuse rates, lengths and sizes that no video has."""
        if self.fps <= 0 or self.num_frames < 1 or self.start < 0 or min(self.size_hw) < 1:
            raise RecordError(
                f"Clip {self.path}: fps {self.fps}, start {self.start}, {self.num_frames} frames of {self.size_hw} px;"
                " all but the start must be positive"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera(Record):
    """Perspective camera in OpenCV axes (x right, y down, z forward), world z up, ground at z = 0."""

    K: Float[np.ndarray, "3 3"] = array("px")
    """Intrinsics; `K[1, 1] / K[0, 0]` differs from 1 where pixels are not square."""
    T_world_camera: Float[np.ndarray, "P 4 4"] = array("m", frame="world")
    """Pose of the camera in the world: `P` = 1 when static, else one per frame."""
    size_hw: tuple[int, int]
    """Height and width of the image [px]."""
    distortion: Float[np.ndarray, "5"] = field(default_factory=lambda: np.zeros(5), metadata={"unit": "1", "frame": ""})
    """OpenCV lens coefficients k1, k2, p1, p2, k3."""
    tilt_sigma: Float[np.ndarray, "2"] | None = array("rad", optional=True)
    """Standard deviations of pitch (about the camera's x) and roll (about its z); None where nobody has told."""

    def validate(self) -> None:
        """Refuse intrinsics without a focal length and poses that are not rigid."""
        if self.K[0, 0] <= 0 or self.K[1, 1] <= 0 or not np.allclose(self.K[2], [0, 0, 1]):
            raise RecordError("Camera.K: expected [[fx, s, cx], [0, fy, cy], [0, 0, 1]] with positive fx, fy")
        R = self.T_world_camera[:, :3, :3]
        rigid = np.allclose(R @ R.transpose(0, 2, 1), np.eye(3), atol=1e-6) and np.all(np.linalg.det(R) > 0)
        if not rigid or not np.allclose(self.T_world_camera[:, 3], [0, 0, 0, 1]):
            raise RecordError("Camera.T_world_camera: not a rigid transform (rotation, translation, last row 0 0 0 1)")

    @property
    def static(self) -> bool:
        """Whether one pose holds for all frames."""
        return len(self.T_world_camera) == 1

    def project(self, p_world: Float[np.ndarray, "T N 3"]) -> Float[np.ndarray, "T N 2"]:
        """Project world points [m] to pixels. Points at or behind the camera give meaningless pixels: see `depth`."""
        xy = self._plane(p_world)[0]
        return self._pixels(self._distort(xy)[0] if self.distortion.any() else xy)

    def depth(self, p_world: Float[np.ndarray, "T N 3"]) -> Float[np.ndarray, "T N"]:
        """Distance of world points along the optical axis [m]; negative behind the camera."""
        return self.to_camera(p_world)[..., 2]

    def to_camera(self, p_world: Float[np.ndarray, "T N 3"]) -> Float[np.ndarray, "T N 3"]:
        """Express world points in the camera frame [m]."""
        R, t = self.T_world_camera[:, :3, :3], self.T_world_camera[:, None, :3, 3]
        return (p_world - t) @ R

    def project_with_jacobian(
        self, p_world: Float[np.ndarray, "T N 3"]
    ) -> tuple[Float[np.ndarray, "T N 2"], Float[np.ndarray, "T N 2 3"]]:
        """Project and differentiate: pixels, and their derivative with respect to the world point [px/m]."""
        xy, z = self._plane(p_world)
        R_camera_world = self.T_world_camera[:, None, :3, :3].swapaxes(-1, -2)
        J = (R_camera_world[..., :2, :] - xy[..., None] * R_camera_world[..., 2:, :]) / z[..., None, None]
        bent, A = xy, self.K[:2, :2]
        if self.distortion.any():
            bent, J_lens = self._distort(xy)
            A = A @ J_lens
        return self._pixels(bent), A @ J

    def lens_slope(self, p_world: Float[np.ndarray, "T N 3"]) -> Float[np.ndarray, "T N 2"]:
        """Derivative of pixels with respect to the lens coefficient k1 [px]."""
        xy = self._plane(p_world)[0]
        slope: np.ndarray = (xy * (xy**2).sum(axis=-1, keepdims=True)) @ self.K[:2, :2].T
        return slope

    def rays(self, uv: Float[np.ndarray, "T N 2"]) -> Float[np.ndarray, "T N 3"]:
        """Unit viewing rays in the world through pixels; the lens is inverted by fixed-point iteration."""
        target = (uv - self.K[:2, 2]) @ np.linalg.inv(self.K[:2, :2]).T
        xy = target.copy()
        for _ in range(20 if self.distortion.any() else 0):
            xy += target - self._distort(xy)[0]
        ray = np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1)
        ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
        return ray @ self.T_world_camera[:, :3, :3].swapaxes(-1, -2)

    def _plane(self, p_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where points are on the plane at z = 1 before the camera, and their depth [m], which is never 0."""
        p = self.to_camera(p_world)
        z = np.where(np.abs(p[..., 2]) < 1e-9, 1e-9, p[..., 2])
        return p[..., :2] / z[..., None], z

    def _pixels(self, xy: np.ndarray) -> np.ndarray:
        pixels: np.ndarray = xy @ self.K[:2, :2].T + self.K[:2, 2]
        return pixels

    def _distort(self, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Brown-Conrady lens model on the normalised plane, with its 2x2 Jacobian (OpenCV `projectPoints`)."""
        k1, k2, p1, p2, k3 = self.distortion
        x, y = xy[..., 0], xy[..., 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        slope = 2 * (k1 + r2 * (2 * k2 + 3 * k3 * r2))
        bent = np.stack(
            [
                x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
                y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
            ],
            axis=-1,
        )
        J = np.empty((*xy.shape[:-1], 2, 2))
        J[..., 0, 0] = radial + x * x * slope + 2 * p1 * y + 6 * p2 * x
        J[..., 0, 1] = J[..., 1, 0] = x * y * slope + 2 * p1 * x + 2 * p2 * y
        J[..., 1, 1] = radial + y * y * slope + 6 * p1 * y + 2 * p2 * x
        return bent, J
