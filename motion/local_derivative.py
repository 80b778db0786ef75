"""Velocity and acceleration of a sampled configuration, by Gaussian-weighted local parabolas on the manifold.

In the interior this is convolution with the derivatives of a Gaussian; unlike a convolution it is exact on parabolas
(free fall, standing still) up to the first and last frame.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from motion.rotation import conjugate, logarithm, product


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
    first, last = np.maximum(reach - centre, 0), np.minimum(frames - centre + reach, len(k))
    weights = np.zeros((frames, 3, len(k)))
    # Frames whose windows are cut off alike, most of them not at all, have the same weights.
    for low, high in np.unique(np.stack([first, last], axis=1), axis=0):
        inside = slice(low, high)
        degree = min(3, high - low)
        design = powers[inside, :degree] * gauss[inside, None]
        solved = np.linalg.solve(powers[inside, :degree].T @ design, design.T)
        weights[(first == low) & (last == high), :degree, inside] = solved
    return weights, centre, (t - centre).astype(float)


def _window(centre: np.ndarray, weights: np.ndarray, frames: int) -> np.ndarray:
    reach = weights.shape[-1] // 2
    return np.clip(centre[:, None] + np.arange(-reach, reach + 1), 0, frames - 1)


def _turns(quaternions: np.ndarray, centre: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Derivatives (T, 3, n, 3) of the rotation vectors relative to the centre of each window."""
    frames, joints, _ = quaternions.shape
    reach = weights.shape[-1] // 2
    total = np.zeros((frames, 3, joints, 3))
    for k in range(1, min(reach, frames - 1) + 1):
        # How joints turn from every frame to the k-th after it; seen from there, they turn back.
        turned = logarithm(product(conjugate(quaternions[:-k]), quaternions[k:]))[:, None]
        for moves, sign in ((k, 1.0), (-k, -1.0)):
            inside = (centre + moves >= 0) & (centre + moves < frames)
            start = centre[inside] + min(moves, 0)
            total[inside] += sign * weights[inside, :, reach + moves, None, None] * turned[start]
    return total
