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
    """Meetings of an edge with N stalks in K steps between poses."""

    meets: np.ndarray
    """Whether the edge passes a stalk in a step, anywhere along its line (K, N)."""
    beside: np.ndarray
    """By how much the end of the edge misses the stalk then [m]; not positive on the edge (K, N)."""
    height: np.ndarray
    """Of the meeting above the ground [m] (K, N)."""
    level: np.ndarray
    """Cosine of the angle between blade and ground (K,)."""
    speed: np.ndarray
    """Of the edge along itself where it meets the stalk [m/s] (K, N): a scythe slices."""

    def cut(self) -> Bool[np.ndarray, "N"]:
        """Which stalks are cut."""
        low = (self.height <= CUT_HEIGHT) & (self.height >= -SUNK)
        fair = low & (self.level >= LEVEL)[:, None] & (self.speed >= SLOWEST)
        return np.asarray((self.meets & (self.beside <= 0) & fair).any(axis=0))

    def wrong(self) -> Float[np.ndarray, "N"]:
        """How wrong the best meeting with each stalk is: 0 cuts it with something to spare, `_MISSED` is none."""
        terms = (
            np.maximum(self.beside + 0.01, 0) / 0.1,
            np.maximum(self.height - 0.8 * CUT_HEIGHT, 0) / 0.1,
            np.maximum(-self.height, 0) / 0.1,
            np.maximum(0.5 * (1 + LEVEL) - self.level, 0)[:, None] / 0.2,
            np.maximum(1.5 * SLOWEST - self.speed, 0) / 1.0,
        )
        total = np.minimum(sum(terms, np.zeros_like(self.height)), _WORST)
        return np.asarray(np.where(self.meets, total, _MISSED).min(axis=0))


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
    edge, along = p - size[0] / 2 * R[:, :, 0], R[:, :, 1]
    flat = np.maximum(np.linalg.norm(along[:, :2], axis=1), 1e-6)
    d = along[:, :2] / flat[:, None]
    away = stalks[None, :, :2] - edge[:, None, :2]
    # Distance from the edge's line, positive beyond it as seen from the handle, and place along it.
    u = away[..., 0] * d[:, None, 1] - away[..., 1] * d[:, None, 0]
    s = (away[..., 0] * d[:, None, 0] + away[..., 1] * d[:, None, 1]) / flat[:, None]
    u0, u1 = u[:-1] + GAP, u[1:] + GAP
    meets = (u0 < 0) & (u1 >= 0)
    share = np.where(meets, u0 / np.where(meets, u0 - u1, 1.0), 0.0)
    at = s[:-1] + share * np.diff(s, axis=0)
    height = (edge[:-1, 2, None] + at * along[:-1, 2, None]) * (1 - share)
    height += (edge[1:, 2, None] + at * along[1:, 2, None]) * share
    moved = np.diff(edge, axis=0)[:, None, :2] + at[..., None] * np.diff(along, axis=0)[:, None, :2]
    speed = rate * np.abs((moved * d[:-1, None]).sum(axis=-1))
    return Sweep(meets, np.abs(at) - size[1] / 2 - GAP, height, np.minimum(R[:-1, 2, 2], R[1:, 2, 2]), speed)
