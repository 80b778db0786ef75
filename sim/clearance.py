"""Distances of an arm's spheres from the ground, from boxes, from its own pedestal and from each other.

Of the thousands of gaps of a whole trajectory few are small, and only those matter: `Clearance.near` finds them, with
the directions in which they grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.arm_poses import Spheres
from sim.tasks.task import Box


class Near(NamedTuple):
    """N gaps that are small."""

    frame: np.ndarray
    """(N,)."""
    sphere: np.ndarray
    """(N,)."""
    other: np.ndarray
    """The sphere on the gap's other side, -1 where that is not a sphere (N,)."""
    gap: np.ndarray
    """(N,) [m], negative where things overlap."""
    normal: np.ndarray
    """Derivative of the gap by the sphere's centre, world axes; the opposite of that by the other's (N, 3)."""
    own: np.ndarray
    """Whether the arm itself, or what it stands on, is on the other side: its base does not change the gap (N,)."""


class Clearance:
    """What the spheres of an arm must not touch.

    The arm stays clear of ground and boxes; the tool may touch them, but not the arm. The base may stand on a pedestal
    from the ground up, a column as thick as the links.
    """

    def __init__(self, spheres: Spheres, pairs: tuple[np.ndarray, np.ndarray], boxes: Sequence[Box]) -> None:
        """Remember the surroundings.

        Args:
            spheres: of arm and tool.
            pairs: of spheres that must not touch each other, as two arrays of indices.
            boxes: of the scene.
        """
        self._radius, joint = spheres.radius, spheres.joint
        self._arm = np.flatnonzero(~spheres.tool)
        self._moving = self._arm[joint[self._arm] > 0]
        self._standing = joint[self._arm] == 0
        self._beyond = np.flatnonzero(joint > 1)
        self._column = float(self._radius[self._arm[0]])
        self._boxes = [(np.array(box.centre), np.array(box.half)) for box in boxes]
        self._first, i = np.unique(pairs[0], return_inverse=True)
        self._second, j = np.unique(pairs[1], return_inverse=True)
        self._touching = self._radius[self._first, None] + self._radius[self._second]
        self._pair = np.zeros(self._touching.shape, bool)
        self._pair[i, j] = True

    def near(self, centre: Float[np.ndarray, "T S 3"], base: Float[np.ndarray, "3"], within: float) -> Near:
        """Gaps smaller than `within` [m].

        Args:
            centre: of the spheres, in the world [m].
            base: position of the arm's base, in the world [m].
            within: the largest gap that counts.
        """
        return Near(*(np.concatenate(parts) for parts in zip(*self._all(centre, base, within), strict=True)))

    def smallest(self, centre: Float[np.ndarray, "T S 3"], base: Float[np.ndarray, "3"]) -> float:
        """The smallest gap [m]."""
        return float(self.near(centre, base, np.inf).gap.min())

    def _all(self, centre: np.ndarray, base: np.ndarray, within: float) -> Iterator[Near]:
        radius = self._radius
        frame, k = np.nonzero(centre[:, self._moving, 2] < radius[self._moving] + within)
        sphere = self._moving[k]
        yield _near(frame, sphere, above_ground(centre[frame, sphere], radius[sphere]))
        for middle, half in self._boxes:
            at = centre[:, self._arm]
            if base[2] > 0:
                # Below what stands still, there is its pedestal.
                at[:, self._standing, 2] = np.minimum(at[:, self._standing, 2], middle[2])
            over = np.abs(at - middle) - half
            farthest = np.maximum(np.maximum(over[..., 0], over[..., 1]), over[..., 2])
            frame, k = np.nonzero(farthest < radius[self._arm] + within)
            gap, normal = outside_box(at[frame, k], radius[self._arm[k]], (middle, half))
            close = gap < within
            yield _near(frame[close], self._arm[k[close]], (gap[close], normal[close]))
        if base[2] > 0:
            frame, k = np.nonzero(centre[:, self._beyond, 2] < base[2] + radius[self._beyond] + within)
            sphere = self._beyond[k]
            gap, normal = beside_column(centre[frame, sphere] - base, radius[sphere], self._column)
            close = gap < within
            yield _near(frame[close], sphere[close], (gap[close], normal[close]))._replace(
                own=np.ones(close.sum(), bool)
            )
        yield self._pairs(centre, within)

    def _pairs(self, centre: np.ndarray, within: float) -> Near:
        first, second = centre[:, self._first], centre[:, self._second]
        one = np.ones((*centre.shape[:2], 1))
        square = np.einsum("tsi,tsi->ts", centre, centre)[..., None]
        left = np.concatenate([-2 * first, one[:, self._first], square[:, self._first]], axis=-1)
        right = np.concatenate([second, square[:, self._second], one[:, self._second]], axis=-1)
        # Spheres that are no pair may be as close as they like.
        limit = np.where(self._pair, (self._touching + within) ** 2, -1.0)
        close = left @ right.swapaxes(1, 2) < limit
        # Three times as fast as the indices of all three axes at once.
        frame, i, j = np.unravel_index(np.flatnonzero(close), close.shape)
        sphere, other = self._first[i], self._second[j]
        found = _near(frame, sphere, apart(centre[frame, sphere], centre[frame, other], self._touching[i, j]))
        return found._replace(other=other, own=np.ones(len(frame), bool))


def _near(frame: np.ndarray, sphere: np.ndarray, gaps: tuple[np.ndarray, np.ndarray]) -> Near:
    """Gaps from something that is no sphere, and stands in the world."""
    count = len(frame)
    return Near(frame, sphere, np.full(count, -1), *gaps, np.zeros(count, bool))


def above_ground(centre: Float[np.ndarray, "N 3"], radius: Float[np.ndarray, "N"]) -> tuple[np.ndarray, np.ndarray]:
    """Height (N,) of spheres over the plane z = 0, and its derivative (N, 3) by their centres."""
    return centre[:, 2] - radius, np.tile([0.0, 0.0, 1.0], (len(centre), 1))


def outside_box(
    centre: Float[np.ndarray, "N 3"],
    radius: Float[np.ndarray, "N"],
    box: tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]],
) -> tuple[np.ndarray, np.ndarray]:
    """Distance (N,) of spheres from a box (centre, half its sides) along the world's axes, and its derivative."""
    middle, half = box
    local = centre - middle
    over = np.abs(local) - half
    outwards = np.maximum(over, 0.0)
    distance = np.linalg.norm(outwards, axis=1)
    inside = distance < 1e-9
    nearest_side = np.eye(3)[over.argmax(axis=1)]
    normal = np.where(inside[:, None], nearest_side, outwards / np.maximum(distance, 1e-9)[:, None])
    normal = normal * np.where(local < 0, -1.0, 1.0)
    return np.where(inside, over.max(axis=1), distance) - radius, normal


def beside_column(
    centre: Float[np.ndarray, "N 3"], radius: Float[np.ndarray, "N"], column: float
) -> tuple[np.ndarray, np.ndarray]:
    """Distance (N,) of spheres from an upright round column that ends at the origin, and its derivative (N, 3).

    Args:
        centre: of the spheres [m].
        radius: theirs [m].
        column: radius of the column [m].
    """
    across = np.linalg.norm(centre[:, :2], axis=1)
    level = centre * [1.0, 1.0, 0.0] / np.maximum(across, 1e-9)[:, None]
    beside, above = across - column, centre[:, 2]
    corner = (beside > 0) & (above > 0)
    distance = np.where(corner, np.hypot(beside, above), np.maximum(beside, above))
    length = np.maximum(distance, 1e-9)
    out = np.where(corner, beside / length, beside > above)
    up = np.where(corner, above / length, beside <= above)
    return distance - radius, out[:, None] * level + up[:, None] * [0.0, 0.0, 1.0]


def apart(
    first: Float[np.ndarray, "N 3"], second: Float[np.ndarray, "N 3"], touching: Float[np.ndarray, "N"]
) -> tuple[np.ndarray, np.ndarray]:
    """Distance (N,) of pairs of spheres whose centres are `touching` apart when they touch, and its derivative."""
    between = first - second
    distance = np.linalg.norm(between, axis=1)
    return distance - touching, between / np.maximum(distance, 1e-9)[:, None]
