"""Rotations in arrays: exponential, logarithm and products of unit quaternions xyzw, and the right Jacobian of SO(3).

Formulas as in Sola, Deray and Atchuthan 2018, "A micro Lie theory for state estimation in robotics".
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

SMALL = 1e-8
"""Angle [rad] below which series replace quotients."""


def exponential(w: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 4"]:
    """Quaternion of a rotation vector [rad]."""
    half = 0.5 * np.linalg.norm(w, axis=-1, keepdims=True)
    return np.concatenate([0.5 * np.sinc(half / np.pi) * w, np.cos(half)], axis=-1)


def logarithm(q: Float[np.ndarray, "*N 4"]) -> Float[np.ndarray, "*N 3"]:
    """Rotation vector [rad] of a unit quaternion, at most pi long."""
    q = np.where(q[..., 3:] < 0, -q, q)
    sine = np.linalg.norm(q[..., :3], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, q[..., 3:])
    scale = np.where(sine > SMALL, angle / np.maximum(sine, SMALL), 2.0)
    return scale * q[..., :3]


def product(a: Float[np.ndarray, "*N 4"], b: Float[np.ndarray, "*N 4"]) -> Float[np.ndarray, "*N 4"]:
    """Hamilton product: first `b`, then `a`."""
    u, s, v, r = a[..., :3], a[..., 3:], b[..., :3], b[..., 3:]
    # Written out: on the few frames of a clip np.cross spends most of its time on moving axes.
    crossed = u[..., [1, 2, 0]] * v[..., [2, 0, 1]] - u[..., [2, 0, 1]] * v[..., [1, 2, 0]]
    vector = s * v + r * u + crossed
    return np.concatenate([vector, s * r - (u * v).sum(-1, keepdims=True)], axis=-1)


def conjugate(q: Float[np.ndarray, "*N 4"]) -> Float[np.ndarray, "*N 4"]:
    """Inverse of a unit quaternion."""
    return q * np.array([-1.0, -1.0, -1.0, 1.0])


def quaternion(R: Float[np.ndarray, "*N 3 3"]) -> Float[np.ndarray, "*N 4"]:
    """Unit quaternion of a rotation matrix."""
    # Shepperd: of the four equivalent formulas take the one with the largest divisor.
    d = np.moveaxis(np.diagonal(R, axis1=-2, axis2=-1), -1, 0)
    x, y, z = d
    K = np.empty((*R.shape[:-2], 4, 4))
    K[..., 0, 0], K[..., 1, 1], K[..., 2, 2], K[..., 3, 3] = 1 + x - y - z, 1 - x + y - z, 1 - x - y + z, 1 + x + y + z
    K[..., 0, 1] = K[..., 1, 0] = R[..., 0, 1] + R[..., 1, 0]
    K[..., 0, 2] = K[..., 2, 0] = R[..., 0, 2] + R[..., 2, 0]
    K[..., 1, 2] = K[..., 2, 1] = R[..., 1, 2] + R[..., 2, 1]
    K[..., 0, 3] = K[..., 3, 0] = R[..., 2, 1] - R[..., 1, 2]
    K[..., 1, 3] = K[..., 3, 1] = R[..., 0, 2] - R[..., 2, 0]
    K[..., 2, 3] = K[..., 3, 2] = R[..., 1, 0] - R[..., 0, 1]
    best = np.argmax(np.diagonal(K, axis1=-2, axis2=-1), axis=-1)
    row = np.take_along_axis(K, best[..., None, None], axis=-2)[..., 0, :]
    return row / np.linalg.norm(row, axis=-1, keepdims=True)


def skew(p: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3 3"]:
    """Matrix that takes the cross product with `p` from the left."""
    matrix = np.zeros((*p.shape, 3))
    matrix[..., 0, 1], matrix[..., 0, 2], matrix[..., 1, 2] = -p[..., 2], p[..., 1], -p[..., 0]
    return matrix - matrix.swapaxes(-1, -2)


def inverse_right_jacobian(w: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3 3"]:
    """Derivative of log(exp(w) exp(d)) with respect to d at 0 (Sola et al., equation 144)."""
    squared = (w * w).sum(axis=-1)
    safe = np.maximum(np.sqrt(squared), 1e-4)
    curve = np.where(
        squared > 1e-8, 1 / safe**2 - (1 + np.cos(safe)) / (2 * safe * np.maximum(np.sin(safe), 1e-9)), 1 / 12
    )
    # The square of skew(w) is w w' - |w|^2.
    J = w[..., :, None] * (curve[..., None] * w)[..., None, :]
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        J[..., i, i] += 1 - curve * squared
        J[..., i, j] -= 0.5 * w[..., k]
        J[..., j, i] += 0.5 * w[..., k]
    return J
