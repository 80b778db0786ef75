"""A small image patch that can be laid on a later frame by a similarity and a change of brightness.

Inverse-compositional image alignment (Baker and Matthews, Lucas-Kanade 20 Years On, IJCV 2004) with gain and bias as
linear unknowns: one constant pseudo-inverse serves every frame.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

BLUR = 1.0
"""Gaussian smoothing before gradients are taken [px]; below it bilinear sampling is not differentiable in practice."""
WINDOW_SIGMA = 0.5
"""Width of the Gaussian weight over the patch, in patch radii: the background at the rim moves differently."""
MAX_STEPS = 20
STEP_TOLERANCE = 0.01
"""An alignment ends when the patch moves less than this [px]."""
MIN_GAIN = 0.1
"""A patch whose contrast falls below this fraction of the original is no longer seen."""
MIN_CONTRAST = 1.0
"""Standard deviation [gray levels] below which a patch is flat and is like nothing."""


def smoothed(gray: UInt8[np.ndarray, "H W"]) -> Float[np.ndarray, "H W"]:
    """Gray levels smoothed for alignment, float32."""
    return cv2.GaussianBlur(gray.astype(np.float32), (0, 0), BLUR)


class Patch:
    """The neighbourhood of an image point, remembered.

    A pose is a 2x3 matrix that takes patch coordinates [px, origin at the point] to image coordinates [px]: a
    similarity, whose last column is the point itself.
    """

    def __init__(self, image: Float[np.ndarray, "H W"], point: Float[np.ndarray, "2"], radius: int) -> None:
        """Cut a square of `2 radius + 1` px around `point` out of a smoothed image."""
        self.radius = radius
        side = 2 * radius + 3
        centre = (float(point[0]), float(point[1]))
        cut = cv2.getRectSubPix(image.astype(np.float32), (side, side), centre).astype(np.float64)
        grad_x = ((cut[:, 2:] - cut[:, :-2]) / 2)[1:-1].ravel()
        grad_y = ((cut[2:] - cut[:-2]) / 2)[:, 1:-1].ravel()
        self.gray = cut[1:-1, 1:-1]
        y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
        self._x, self._y = x, y
        weight = np.exp(-(x**2 + y**2) / (2 * (WINDOW_SIGMA * radius) ** 2)).ravel()
        self._weight = weight / weight.sum()
        x, y = x.ravel(), y.ravel()
        descent = [grad_x, grad_y, grad_x * x + grad_y * y, grad_y * x - grad_x * y]
        A = np.stack([*descent, self.gray.ravel(), np.ones(len(x))], axis=1)
        weighted = A * self._weight[:, None]
        self._inverse = np.linalg.pinv(A.T @ weighted, rcond=1e-9, hermitian=True) @ weighted.T

    def align(
        self, image: Float[np.ndarray, "H W"], pose: Float[np.ndarray, "2 3"]
    ) -> tuple[Float[np.ndarray, "2 3"], float]:
        """Improve `pose` on a smoothed image.

        Returns:
            The pose, and the weighted zero-mean normalised cross correlation in [-1, 1] that it reaches.
        """
        warp = np.vstack([pose, [0.0, 0.0, 1.0]])
        level = self._sample(image, warp)
        for _ in range(MAX_STEPS):
            fit = self._inverse @ level
            gain = fit[4]
            if gain < MIN_GAIN:
                break
            dx, dy, stretch, turn = fit[:4] / gain
            step = np.array([[1 + stretch, -turn, dx], [turn, 1 + stretch, dy], [0, 0, 1]])
            if abs(np.linalg.det(step)) < MIN_GAIN:
                break
            warp = warp @ np.linalg.inv(step)
            level = self._sample(image, warp)
            if max(abs(dx), abs(dy)) < STEP_TOLERANCE:
                break
        return warp[:2], self._correlation(level)

    def correlation(self, image: Float[np.ndarray, "H W"], pose: Float[np.ndarray, "2 3"]) -> float:
        """Weighted zero-mean normalised cross correlation at a pose, in [-1, 1]."""
        return self._correlation(self._sample(image, np.vstack([pose, [0.0, 0.0, 1.0]])))

    def _sample(self, image: np.ndarray, warp: np.ndarray) -> np.ndarray:
        u = (warp[0, 0] * self._x + warp[0, 1] * self._y + warp[0, 2]).astype(np.float32)
        v = (warp[1, 0] * self._x + warp[1, 1] * self._y + warp[1, 2]).astype(np.float32)
        sampled = cv2.remap(image, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(sampled, np.float64).ravel()

    def _correlation(self, level: np.ndarray) -> float:
        a = self.gray.ravel() - self._weight @ self.gray.ravel()
        b = level - self._weight @ level
        deviation_a, deviation_b = np.sqrt(self._weight @ a**2), np.sqrt(self._weight @ b**2)
        if min(deviation_a, deviation_b) < MIN_CONTRAST:
            return 0.0
        return float(self._weight @ (a * b) / (deviation_a * deviation_b))


def upright_pose(point: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2 3"]:
    """The pose of a patch that is neither turned nor scaled, at `point` [px]."""
    return np.hstack([np.eye(2), np.asarray(point, np.float64)[:, None]])
