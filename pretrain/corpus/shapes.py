"""What the things of the generated corpus look like: silhouettes, told apart by their shape alone.

A silhouette is a signed distance (negative within) on a square grid, from discs, thick lines and polygons in closed
form. Its own coordinates: x to the right, y down, about the unit disc.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

GRID = 256
"""Cells of the grid along each side."""
REACH = 1.5
"""The grid spans -REACH to REACH."""

Distance = np.ndarray
"""Signed distances (GRID, GRID) in units of the shape."""


class Shape(NamedTuple):
    """A silhouette, and where its ends are."""

    distance: Float[np.ndarray, "G G"]
    """Row by y, column by x."""
    left: float
    """x of the left end on the line y = `LID`, where a lid has its hinge."""
    top: float
    """y of the upper end."""
    bottom: float
    """y of the lower end."""
    radius: float
    """Distance of the furthest point from the origin."""


LID = -0.1
"""y of the line above which a thing opens."""


@functools.cache
def shape_of(name: str, mirrored: bool = False) -> Shape:
    """Silhouette of an object.

    Raises:
        KeyError: no such object.
    """
    distance = OBJECTS[name]().astype(np.float32)
    if mirrored:
        distance = np.ascontiguousarray(distance[:, ::-1])
    centres = _axis()
    inside = distance < 0
    rows = centres[inside.any(1)]
    row = inside[np.abs(centres - LID).argmin()]
    distance.setflags(write=False)
    radius = float(np.linalg.norm(_points()[inside], axis=-1).max()) + REACH / GRID
    return Shape(distance, float(centres[row].min()), float(rows.min()), float(rows.max()), radius)


def _axis() -> np.ndarray:
    return (np.arange(GRID) + 0.5) / GRID * 2 * REACH - REACH


def _points() -> np.ndarray:
    axis = _axis()
    return np.stack(np.broadcast_arrays(axis[None, :], axis[:, None]), -1)


def _disc(x: float, y: float, radius: float) -> Distance:
    return np.linalg.norm(_points() - (x, y), axis=-1) - radius


def _line(*corners: tuple[float, float], radius: float) -> Distance:
    """A thick line through some points."""
    distances = []
    for start, end in zip(np.array(corners[:-1]), np.array(corners[1:]), strict=True):
        away, along = _points() - start, end - start
        share = np.clip(away @ along / (along @ along), 0, 1)
        distances.append(np.linalg.norm(away - share[..., None] * along, axis=-1))
    return np.min(distances, axis=0) - radius


def _polygon(*corners: tuple[float, float]) -> Distance:
    """Distance to the edges, negative where a ray crosses an odd number of them."""
    points = _points()
    inside = np.zeros(points.shape[:2], bool)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        if ay != by:
            crosses = (points[..., 1] < ay) != (points[..., 1] < by)
            inside ^= crosses & (points[..., 0] < ax + (points[..., 1] - ay) * (bx - ax) / (by - ay))
    away = _line(*corners, corners[0], radius=0.0)
    return np.where(inside, -away, away)


def _either(*parts: Distance) -> Distance:
    return np.min(parts, axis=0)


def _without(whole: Distance, hole: Distance) -> Distance:
    return np.maximum(whole, -hole)


def _mug() -> Distance:
    handle = _without(_disc(0.42, 0.0, 0.55), _disc(0.42, 0.0, 0.27))
    return _either(_polygon((-0.8, -0.8), (0.38, -0.8), (0.38, 0.8), (-0.8, 0.8)), handle)


def _bottle() -> Distance:
    return _either(_line((0, -0.9), (0, 0), radius=0.2), _line((0, 0.05), (0, 0.55), radius=0.5))


def _fish() -> Distance:
    body = np.maximum(_disc(-0.25, -0.55, 0.98), _disc(-0.25, 0.55, 0.98))
    return _either(body, _polygon((0.3, 0), (1.0, -0.62), (0.82, 0), (1.0, 0.62)))


def _key() -> Distance:
    bow = _without(_disc(-0.52, 0, 0.54), _disc(-0.52, 0, 0.24))
    teeth = _either(_line((0.45, 0), (0.45, 0.45), radius=0.14), _line((0.87, 0), (0.87, 0.45), radius=0.14))
    return _either(bow, _line((-0.1, 0), (0.84, 0), radius=0.18), teeth)


def _star() -> Distance:
    angles = np.arange(10) * np.pi / 5 - np.pi / 2
    radii = np.where(np.arange(10) % 2 == 0, 1.05, 0.45)
    return _polygon(*((float(r * np.cos(a)), float(r * np.sin(a))) for r, a in zip(radii, angles, strict=True)))


def _hammer() -> Distance:
    head = _polygon((-0.75, -0.95), (0.75, -0.95), (0.75, -0.4), (-0.75, -0.4))
    return _either(head, _line((0, -0.6), (0, 0.9), radius=0.2))


def _boot() -> Distance:
    shaft = _polygon((-0.6, -0.95), (0.1, -0.95), (0.1, 0.85), (-0.6, 0.85))
    return _either(shaft, _polygon((-0.6, 0.2), (0.35, 0.2), (0.85, 0.5), (0.9, 0.85), (-0.6, 0.85)))


def _umbrella() -> Distance:
    canopy = np.maximum(_disc(0, 0.05, 1.0), _polygon((-1.2, -1.2), (1.2, -1.2), (1.2, 0.05), (-1.2, 0.05)))
    return _either(canopy, _line((0, -0.2), (0, 0.85), (0.3, 0.85), (0.3, 0.7), radius=0.14))


def _tree() -> Distance:
    crown = _either(_polygon((0, -1.1), (0.6, -0.2), (-0.6, -0.2)), _polygon((0, -0.6), (0.85, 0.5), (-0.85, 0.5)))
    return _either(crown, _line((0, 0.4), (0, 0.85), radius=0.18))


def _mushroom() -> Distance:
    cap = np.maximum(_disc(0, -0.1, 0.8), _polygon((-1.2, -1.2), (1.2, -1.2), (1.2, 0.05), (-1.2, 0.05)))
    return _either(cap, _line((-0.05, 0.2), (-0.1, 0.55), (0.1, 0.55), (0.05, 0.2), radius=0.32))


def _heart() -> Distance:
    lobes = _either(_disc(-0.43, -0.35, 0.52), _disc(0.43, -0.35, 0.52))
    return _either(lobes, _polygon((-0.87, -0.08), (0, -0.5), (0.87, -0.08), (0, 1.0)))


def _house() -> Distance:
    walls = _polygon((-0.65, -0.15), (0.65, -0.15), (0.65, 0.85), (-0.65, 0.85))
    door = _polygon((-0.2, 0.3), (0.2, 0.3), (0.2, 1.0), (-0.2, 1.0))
    return _without(_either(walls, _polygon((-1.0, -0.1), (0, -1.0), (1.0, -0.1))), door)


OBJECTS: dict[str, Callable[[], Distance]] = {
    "mug": _mug,
    "bottle": _bottle,
    "fish": _fish,
    "key": _key,
    "star": _star,
    "hammer": _hammer,
    "boot": _boot,
    "umbrella": _umbrella,
    "tree": _tree,
    "mushroom": _mushroom,
    "heart": _heart,
    "house": _house,
}
"""Silhouettes by the object's name."""
