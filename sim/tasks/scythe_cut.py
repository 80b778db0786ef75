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
    both = np.array([k, k + 1])
    met, flat = blade[both], np.maximum(flat[both], 1e-6)
    edge, along, level = met[:, :, :3], met[:, :, 3:6], met[:, :, 6]
    d = along[:, :, :2] / flat[:, :, None]
    on = ((stalks[j, :2] - edge[:, :, :2]) * d).sum(axis=2) / flat
    at = on[0] + share * (on[1] - on[0])
    first, second = edge + at[:, None] * along
    height = first[:, 2] + share * (second[:, 2] - first[:, 2])
    speed = rate * np.abs(((second - first)[:, :2] * d[0]).sum(axis=1))
    return Sweep(len(stalks), j, np.abs(at) - size[1] / 2 - GAP, height, np.minimum(*level), speed)
