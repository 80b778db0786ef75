"""How a scythe cuts: the edge of its blade sweeps over stalks, low, level and fast enough.

The edge is the long side of the blade that faces the handle. Between two poses of the blade it cuts the stalks that it
comes within `GAP` of, seen from above, moving towards them edge first and along itself: a blade that is swung back, its
back first, cuts nothing, and neither does one that chops. The rule does not depend on how many poses a sweep is divided
into.

Zorina et al. (RA-L 2021) cut by contact height, gap, angle and speed along the edge in the same way.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sim.tasks.grass import CUT_HEIGHT, GAP, LEVEL, SLOWEST

SUNK = 0.01
"""An edge this far below the ground still cuts [m]: contacts of the physics engine give way a little."""
_UPRIGHT = 1e-12
"""Squared length of an edge's direction as seen from above, at least."""
_NONE = np.zeros(0)
"""What no meeting is like."""
_MISSED = 3.0
"""How wrong a sweep is that never meets a stalk: more than one that meets it wrongly."""
_WORST = 2.0
"""How wrong one that meets it counts at most."""


class Sweep(NamedTuple):
    """M meetings of an edge with some of N stalks: the edge, or its continuation, passes a stalk edge first."""

    grown: int
    """N."""
    stalk: np.ndarray
    """Which stalk is met (M,)."""
    beside: np.ndarray
    """By how much the end of the edge misses the stalk [m]; not positive on the edge (M,)."""
    height: np.ndarray
    """Of the meeting above the ground [m] (M,)."""
    level: np.ndarray
    """Cosine of the angle between blade and ground (M,)."""
    speed: np.ndarray
    """Of the edge along itself where it meets the stalk [m/s] (M,): a scythe slices."""

    def cut(self) -> Bool[np.ndarray, "N"]:
        """Which stalks are cut."""
        low = (self.height <= CUT_HEIGHT) & (self.height >= -SUNK)
        fair = low & (self.beside <= 0) & (self.level >= LEVEL) & (self.speed >= SLOWEST)
        found = np.zeros(self.grown, bool)
        found[self.stalk[fair]] = True
        return found

    def wrong(self) -> Float[np.ndarray, "N"]:
        """How wrong the best meeting with each stalk is: 0 cuts it with something to spare, `_MISSED` is none."""
        total = (
            np.maximum(self.beside + 0.01, 0) / 0.1
            + np.maximum(self.height - 0.8 * CUT_HEIGHT, 0) / 0.1
            + np.maximum(-self.height, 0) / 0.1
            + np.maximum(0.5 * (1 + LEVEL) - self.level, 0) / 0.2
            + np.maximum(1.5 * SLOWEST - self.speed, 0) / 1.0
        )
        found = np.full(self.grown, _MISSED)
        np.minimum.at(found, self.stalk, np.minimum(total, _WORST))
        return found


def sweep(
    R: Float[np.ndarray, "S 3 3"],
    p: Float[np.ndarray, "S 3"],
    stalks: Float[np.ndarray, "N D"],
    size: tuple[float, float, float],
    rate: float,
) -> Sweep:
    """Meetings of a blade with stalks between consecutive poses.

    Args:
        R: rotation of the blade frame: x away from the edge, y from heel to tip, z up.
        p: centre of the blade [m].
        stalks: where they stand, x and y [m].
        size: extent of the blade along its axes [m].
        rate: of the poses [1/s].
    """
    blade = np.concatenate([p - size[0] / 2 * R[:, :, 0], R[:, :, 1], R[:, 2, 2:]], axis=1)
    x, y, _, dx, dy, _, _ = blade.T
    flat = np.sqrt(dx * dx + dy * dy)
    # Distance of stalks beyond the edge's line as seen from the handle, less `GAP`, in units of 1 / flat.
    beyond = dy[:, None] * stalks[:, 0] - dx[:, None] * stalks[:, 1] + (GAP * flat + y * dx - x * dy)[:, None]
    before = beyond < 0
    k, j = (before[:-1] & ~before[1:]).nonzero()
    if not len(k):
        return Sweep(len(stalks), j, *[_NONE] * 4)
    share = beyond[k, j] / (beyond[k, j] - beyond[k + 1, j])
    rows, places = blade.tolist(), stalks.tolist()
    passed = zip(k.tolist(), j.tolist(), share.tolist(), strict=True)
    met = [_meeting(rows[step], rows[step + 1], places[stalk], part) for step, stalk, part in passed]
    at, height, level, moved = np.array(met).T
    return Sweep(len(stalks), j, np.abs(at) - size[1] / 2 - GAP, height, level, rate * moved)


def _meeting(
    first: list[float], second: list[float], stalk: list[float], share: float
) -> tuple[float, float, float, float]:
    """Where an edge passes a stalk: along itself from its middle [m], height [m], level, way along itself [m].

    Plain numbers, since few stalks are met at a time: arrays take longer.

    Args:
        first: the middle of the edge, its direction, and how level it is, just before.
        second: the same just after.
        stalk: where it stands, x and y [m].
        share: of the time between the two that has passed.
    """
    x, y, z, dx, dy, dz, level = first
    x2, y2, z2, dx2, dy2, dz2, level2 = second
    flat, flat2 = (max(a * a + b * b, _UPRIGHT) for a, b in ((dx, dy), (dx2, dy2)))
    before = ((stalk[0] - x) * dx + (stalk[1] - y) * dy) / flat
    after = ((stalk[0] - x2) * dx2 + (stalk[1] - y2) * dy2) / flat2
    at = before + share * (after - before)
    height, height2 = z + at * dz, z2 + at * dz2
    way = (x2 + at * dx2 - x - at * dx) * dx + (y2 + at * dy2 - y - at * dy) * dy
    return at, height + share * (height2 - height), min(level, level2), abs(way) / math.sqrt(flat)
