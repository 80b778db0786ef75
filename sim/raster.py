"""A software rasteriser in array operations: which triangle is seen at each pixel, and where on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

SMALLEST = 1e-3
"""Triangles of less area than this are not drawn [px^2]."""


class Fragments(NamedTuple):
    """Visible pieces of triangles, one per pixel."""

    pixel: Int[np.ndarray, "N"]
    """Index into the flattened image."""
    face: Int[np.ndarray, "N"]
    weight: Float[np.ndarray, "N 3"]
    """Shares of the face's three vertices, true in perspective."""
    inverse_depth: Float[np.ndarray, "N"]
    """[1/m]."""


def rasterise(
    uv: Float[np.ndarray, "V 2"],
    depth: Float[np.ndarray, "V"],
    faces: Int[np.ndarray, "F 3"],
    size_hw: tuple[int, int],
    behind: Float[np.ndarray, "P"],
) -> Fragments:
    """Find what is seen of a mesh. Only faces that run counter-clockwise to the eye are drawn.

    Args:
        uv: vertices in the image [px]; pixel centres are at whole numbers.
        depth: distance along the optical axis [m]; faces with a vertex at or behind the camera are left out.
        faces: vertices of each triangle.
        size_hw: height and width of the image [px].
        behind: inverse depth of what is already drawn in each pixel [1/m], 0 where nothing is.
    """
    height, width = size_hw
    a, b, c = (uv.astype(np.float32)[faces[:, k]] for k in range(3))
    ab, ac = b - a, c - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    low = np.maximum(np.ceil(np.minimum(np.minimum(a, b), c)), 0).astype(np.int32)
    high = np.minimum(np.floor(np.maximum(np.maximum(a, b), c)), [width - 1, height - 1]).astype(np.int32)
    columns, rows = (high - low + 1).T
    ahead = np.minimum(np.minimum(depth[faces[:, 0]], depth[faces[:, 1]]), depth[faces[:, 2]]) > 0
    kept = np.flatnonzero((area < -SMALLEST) & (columns > 0) & (rows > 0) & ahead)
    columns, rows, low, area, a, ab, ac = (value[kept] for value in (columns, rows, low, area, a, ab, ac))
    count = columns * rows
    face = np.repeat(np.arange(len(kept)), count)
    within = np.arange(len(face), dtype=np.int32) - np.repeat((np.cumsum(count) - count).astype(np.int32), count)
    down, right = np.divmod(within, columns[face])
    x, y = low[face, 0] + right, low[face, 1] + down
    scale = 1 / area
    to_b = np.stack([ac[:, 1] * scale, -ac[:, 0] * scale], axis=1)
    to_c = np.stack([-ab[:, 1] * scale, ab[:, 0] * scale], axis=1)
    dx, dy = x.astype(np.float32) - a[face, 0], y.astype(np.float32) - a[face, 1]
    share_b = dx * to_b[face, 0] + dy * to_b[face, 1]
    share_c = dx * to_c[face, 0] + dy * to_c[face, 1]
    inside = np.flatnonzero((share_b >= 0) & (share_c >= 0) & (share_b + share_c <= 1))
    face, pixel = face[inside], y[inside].astype(np.int64) * width + x[inside]
    shares = np.stack([1 - share_b[inside] - share_c[inside], share_b[inside], share_c[inside]], axis=1)
    inverse = (1 / depth[faces[kept]]).astype(np.float32)[face]
    weight = shares * inverse
    nearness = weight[:, 0] + weight[:, 1] + weight[:, 2]
    nearest = behind.astype(np.float32)
    np.maximum.at(nearest, pixel, nearness)
    winner = np.zeros(len(nearest), np.int64)
    seen = np.flatnonzero(nearness == nearest[pixel])
    winner[pixel[seen]] = seen
    seen = seen[winner[pixel[seen]] == seen]
    return Fragments(pixel[seen], kept[face[seen]], weight[seen] / nearness[seen, None], nearness[seen])
