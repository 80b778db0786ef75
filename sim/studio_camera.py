"""Where the studio's camera stands: in front and to the side of the tool, far enough to see all of it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from records import Camera

FOCAL_OVER_DIAGONAL = (0.80, 1.00)
"""From a phone's main camera while filming to a camcorder."""
AZIMUTH = (58.0, 76.0)
"""From the person's front towards the side of the tool [degrees]."""
HEIGHT = (1.2, 1.6)
"""Height of the camera [m]."""
ROLL = 1.0
"""Standard deviation of the rotation about the optical axis [degrees]."""
MARGIN = 0.045
"""Free border of the image, over its height and width."""
NEAREST, FARTHEST, STEP = 2.5, 12.0, 1.03
"""Distances that are tried, each larger by a factor [m, m, 1]."""


def draw_camera(
    rng: np.random.Generator,
    points: Float[np.ndarray, "N 3"],
    side: str,
    size_hw: tuple[int, int],
    *,
    azimuths: tuple[float, float] = AZIMUTH,
    heights: tuple[float, float] = HEIGHT,
) -> Camera:
    """Draw a static camera that sees all `points` (N, 3) [m].

    Args:
        rng: of focal length, place and roll.
        points: that are to be in view [m].
        side: `l` or `r`, where the tool is; the person looks along +x.
        size_hw: height and width of the image [px].
        azimuths: bounds of the direction to the camera, from the person's front towards `side` [degrees].
        heights: bounds of the camera's height [m].
    """
    focal = float(rng.uniform(*FOCAL_OVER_DIAGONAL)) * float(np.hypot(*size_hw))
    K = np.array([[focal, 0, size_hw[1] / 2], [0, focal, size_hw[0] / 2], [0, 0, 1]])
    azimuth = np.deg2rad(rng.uniform(*azimuths)) * (1.0 if side == "l" else -1.0)
    height, roll = float(rng.uniform(*heights)), np.deg2rad(ROLL) * float(rng.standard_normal())
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    distance = NEAREST
    while True:
        eye = middle + distance * np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        camera = Camera(K=K, T_world_camera=_looking(np.array([*eye[:2], height]), middle, roll)[None], size_hw=size_hw)
        share = camera.project(points[None])[0] / [size_hw[1], size_hw[0]]
        if (np.abs(share - 0.5).max() < 0.5 - MARGIN and camera.depth(points[None]).min() > 0) or distance > FARTHEST:
            return camera
        distance *= STEP


def _looking(eye: np.ndarray, target: np.ndarray, roll: float) -> Float[np.ndarray, "4 4"]:
    """Pose of a camera at `eye` that looks at `target` [m], rolled about its axis [rad]."""
    z = (target - eye) / np.linalg.norm(target - eye)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    level = np.stack([x, np.cross(z, x), z], axis=1)
    c, s = np.cos(roll), np.sin(roll)
    T = np.eye(4)
    T[:3, :3] = level @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    T[:3, 3] = eye
    return T
