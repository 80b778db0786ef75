"""Distances of spheres from the ground, from boxes and from each other, with their derivatives.

Every function returns gaps (T, N) [m], negative where things overlap, and their derivatives (T, N, D) by whatever D
parameters the spheres' centres depend on; `slopes` (T, S, 3, D) are the derivatives of the centres.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Gaps = tuple[np.ndarray, np.ndarray]


def above_ground(
    centre: Float[np.ndarray, "T S 3"], slopes: Float[np.ndarray, "T S 3 D"], radius: Float[np.ndarray, "S"]
) -> Gaps:
    """Height of the spheres over the plane z = 0."""
    return centre[..., 2] - radius, slopes[:, :, 2]


def outside_box(
    centre: Float[np.ndarray, "T S 3"],
    slopes: Float[np.ndarray, "T S 3 D"],
    radius: Float[np.ndarray, "S"],
    box: tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]],
) -> Gaps:
    """Distance of the spheres from a box (centre, half its sides) along the world's axes."""
    middle, half = box
    local = centre - middle
    over = np.abs(local) - half
    outwards = np.maximum(over, 0.0)
    distance = np.linalg.norm(outwards, axis=-1)
    inside = distance < 1e-9
    nearest_side = np.eye(3)[over.argmax(axis=-1)]
    normal = np.where(inside[..., None], nearest_side, outwards / np.maximum(distance, 1e-9)[..., None])
    normal = normal * np.where(local < 0, -1.0, 1.0)
    gap = np.where(inside, over.max(axis=-1), distance) - radius
    return gap, np.einsum("tsi,tsid->tsd", normal, slopes)


def apart(
    centre: Float[np.ndarray, "T S 3"],
    slopes: Float[np.ndarray, "T S 3 D"],
    radius: Float[np.ndarray, "S"],
    pairs: tuple[np.ndarray, np.ndarray],
) -> Gaps:
    """Distance between the spheres of each pair (two arrays of N indices)."""
    first, second = pairs
    between = centre[:, first] - centre[:, second]
    distance = np.linalg.norm(between, axis=-1)
    normal = between / np.maximum(distance, 1e-9)[..., None]
    gap = distance - radius[first] - radius[second]
    return gap, np.einsum("tni,tnid->tnd", normal, slopes[:, first] - slopes[:, second])
