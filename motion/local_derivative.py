"""Velocity and acceleration of a sampled configuration, by Gaussian-weighted local parabolas on the manifold.

In the interior this is convolution with the derivatives of a Gaussian; unlike a convolution it is exact on parabolas
(free fall, standing still) up to the first and last frame.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation


class Derivatives(NamedTuple):
    """Velocity and acceleration in Pinocchio's convention: local for the free-flyer and for spherical joints."""

    v: Float[np.ndarray, "T V"]
    """(T, nv) [m/s, rad/s]."""
    a: Float[np.ndarray, "T V"]
    """(T, nv) [m/s^2, rad/s^2]."""


def differentiate(q: Float[np.ndarray, "T Q"], fps: float, sigma: float) -> Derivatives:
    """Differentiate a free-flyer followed by spherical joints: `q` has 7 + 4 n columns, quaternions xyzw.

    Args:
        q: configurations [m, 1].
        fps: frame rate [1/s].
        sigma: width of the Gaussian [s]. Frames nearer than two widths to an end keep the parabola of the nearest
            frame that is not.
    """
    weights, centre, offset = _parabolas(len(q), sigma * fps)
    world = np.einsum("tdk,tkx->tdx", weights, q[_window(centre, weights, len(q)), :3])
    turns = _turns(q[:, 3:].reshape(len(q), -1, 4), centre, weights)
    time = offset / fps
    velocity = world[:, 1] * fps + world[:, 2] * fps**2 * time[:, None]
    acceleration = world[:, 2] * fps**2
    omega = turns[:, 1] * fps + turns[:, 2] * fps**2 * time[:, None, None]
    alpha = turns[:, 2] * fps**2
    inverse = Rotation.from_quat(q[:, 3:7]).inv()
    v_local = inverse.apply(velocity)
    a_local = inverse.apply(acceleration) - np.cross(omega[:, 0], v_local)
    flat = (len(q), -1)
    return Derivatives(
        np.concatenate([v_local, omega.reshape(flat)], axis=1), np.concatenate([a_local, alpha.reshape(flat)], axis=1)
    )


def _parabolas(frames: int, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (T, 3, K) that give value, first and second derivative per frame; window centres; t - centre [frames]."""
    reach = max(1, int(np.ceil(3 * sigma)))
    margin = min(max(1, int(np.ceil(2 * sigma))), (frames - 1) // 2)
    t = np.arange(frames)
    centre = np.clip(t, margin, max(margin, frames - 1 - margin))
    k = np.arange(-reach, reach + 1)
    gauss = np.exp(-0.5 * (k / max(sigma, 0.3)) ** 2)
    powers = np.stack([np.ones(len(k)), k, 0.5 * k**2], axis=1)
    by_centre = {}
    for c in np.unique(centre):
        inside = (c + k >= 0) & (c + k < frames)
        degree = min(3, int(inside.sum()))
        design = powers[:, :degree] * (gauss * inside)[:, None]
        solved = np.zeros((3, len(k)))
        solved[:degree] = np.linalg.solve(powers[:, :degree].T @ design, design.T)
        by_centre[c] = solved
    return np.array([by_centre[c] for c in centre]), centre, (t - centre).astype(float)


def _window(centre: np.ndarray, weights: np.ndarray, frames: int) -> np.ndarray:
    reach = weights.shape[-1] // 2
    return np.clip(centre[:, None] + np.arange(-reach, reach + 1), 0, frames - 1)


def _turns(quaternions: np.ndarray, centre: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Derivatives (T, 3, n, 3) of the rotation vectors relative to the centre of each window."""
    frames, joints, _ = quaternions.shape
    window = _window(centre, weights, frames)
    home = Rotation.from_quat(quaternions[centre].reshape(-1, 4)).inv()
    total = np.zeros((frames, 3, joints, 3))
    for k in range(window.shape[1]):
        step = home * Rotation.from_quat(quaternions[window[:, k]].reshape(-1, 4))
        total += weights[:, :, k, None, None] * step.as_rotvec().reshape(frames, 1, joints, 3)
    return total
