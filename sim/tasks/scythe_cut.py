"""How a scythe cuts: the edge of its blade sweeps over stalks, low, level and fast enough.

The edge is the long side of the blade that faces the handle. Between two poses of the blade it cuts the stalks that it
comes within `GAP` of, seen from above, moving towards them edge first and along itself: a blade that is swung back, its
back first, cuts nothing, and neither does one that chops. The rule does not depend on how many poses a sweep is divided
into.

Zorina et al. (RA-L 2021) cut by contact height, gap, angle and speed along the edge in the same way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sim.tasks.grass import CUT_HEIGHT, GAP, LEVEL, SLOWEST

SUNK = 0.01
"""An edge this far below the ground still cuts [m]: contacts of the physics engine give way a little."""
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
    h = size[0] / 2
    x, y, dx, dy = p[:, 0] - h * R[:, 0, 0], p[:, 1] - h * R[:, 1, 0], R[:, 0, 1], R[:, 1, 1]
    flat = np.sqrt(dx * dx + dy * dy)
    # Distance of stalks beyond the edge's line as seen from the handle, less `GAP`, in units of 1 / flat.
    beyond = np.outer(dy, stalks[:, 0]) - np.outer(dx, stalks[:, 1]) + (GAP * flat + y * dx - x * dy)[:, None]
    before = beyond < 0
    k, j = np.nonzero(before[:-1] & ~before[1:])
    if not len(k):
        return Sweep(len(stalks), j, *[np.zeros(0)] * 4)
    share = beyond[k, j] / (beyond[k, j] - beyond[k + 1, j])
    edge, along = p - h * R[:, :, 0], R[:, :, 1]
    flat = np.maximum(flat, 1e-6)
    d = along[:, :2] / flat[:, None]
    on = [((stalks[j, :2] - edge[step, :2]) * d[step]).sum(axis=1) / flat[step] for step in (k, k + 1)]
    at = (1 - share) * on[0] + share * on[1]
    ends = [edge[step] + at[:, None] * along[step] for step in (k, k + 1)]
    height = (1 - share) * ends[0][:, 2] + share * ends[1][:, 2]
    speed = rate * np.abs(((ends[1] - ends[0])[:, :2] * d[k]).sum(axis=1))
    level = np.minimum(R[k, 2, 2], R[k + 1, 2, 2])
    return Sweep(len(stalks), j, np.abs(at) - size[1] / 2 - GAP, height, level, speed)
