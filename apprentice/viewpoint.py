"""Where to look from: a camera of one's own choice that holds some points in its image."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from records import Camera

FIELD_OF_VIEW = np.radians(35.0)
"""Vertical: a long lens, little perspective [rad]."""
FILLED = 0.88
"""Share of the image that the points may fill."""


def looking_at(
    points: Float[np.ndarray, "N 3"], size_hw: tuple[int, int], *, heading: float, elevation: float = np.radians(14)
) -> Camera:
    """A camera that sees all the points.

    Args:
        points: [m].
        size_hw: height and width of its image [px].
        heading: direction in which it looks, about the vertical from the world's x axis [rad].
        elevation: how far it looks down [rad].
    """
    height, width = size_hw
    focal = height / 2 / np.tan(FIELD_OF_VIEW / 2)
    forward = np.array([np.cos(elevation) * np.cos(heading), np.cos(elevation) * np.sin(heading), -np.sin(elevation)])
    right = np.array([np.sin(heading), -np.cos(heading), 0.0])
    R = np.stack([right, np.cross(forward, right), forward], axis=1)
    seen = points @ R
    middle = (seen.min(axis=0) + seen.max(axis=0)) / 2
    off = np.abs(seen - middle)
    needed = np.maximum(off[:, 0] / (width / 2), off[:, 1] / (height / 2)) * focal / FILLED
    T = np.eye(4)
    T[:3, :3] = R
    T[:3, 3] = R @ (middle - [0, 0, float((needed - (seen - middle)[:, 2]).max())])
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    return Camera(K=K, T_world_camera=T[None], size_hw=size_hw)


def heading_of(camera: Camera) -> float:
    """Direction in which a camera looks, about the vertical [rad]; the mean where it moves."""
    x, y, _ = camera.T_world_camera[:, :3, 2].mean(axis=0)
    return float(np.arctan2(y, x))
