"""How a scythe cuts: the edge of its blade sweeps over stalks, low, level and fast enough.

The edge is the long side of the blade that faces the handle. Between two poses of the blade it cuts the stalks that it
comes within `GAP` of, seen from above, moving towards them edge first and along itself: a blade that is swung back, its
back first, cuts nothing, and neither does one that chops. The rule does not depend on how many poses a sweep is divided
into.

Zorina et al. (RA-L 2021) cut by contact height, gap, angle and speed along the edge in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from sim.carried import Posture
from sim.tasks.grass import CUT_HEIGHT, GAP, LEVEL, SLOWEST

SUNK = 0.01
"""An edge this far below the ground still cuts [m]: contacts of the physics engine give way a little."""
_UPRIGHT = 1e-12
"""Squared length of an edge's direction as seen from above, at least."""

Number = TypeVar("Number", float, np.ndarray)

Edge = Sequence[float]
"""The middle of an edge [m], its direction from heel to tip, and how level the blade is: the cosine of its tilt (7)."""

Passed = tuple[int, int, float]
"""After which pose an edge passes a stalk, which one, and at which share of the way to the next pose."""

_MISSED = 3.0
"""How wrong a sweep is that never meets a stalk: more than one that meets it wrongly."""
_WORST = 2.0
"""How wrong one that meets it counts at most."""


class Meeting(NamedTuple):
    """An edge, or its continuation, passes a stalk edge first."""

    stalk: int
    """Which one."""
    beside: float
    """By how much the end of the edge misses the stalk [m]; not positive on the edge."""
    height: float
    """Above the ground [m]."""
    level: float
    """Cosine of the angle between blade and ground."""
    speed: float
    """Of the edge along itself where it meets the stalk [m/s]: a scythe slices."""

    @property
    def cuts(self) -> bool:
        """Whether the stalk is cut."""
        low = -SUNK <= self.height <= CUT_HEIGHT
        return low and self.beside <= 0 and self.level >= LEVEL and self.speed >= SLOWEST


class Sweep(NamedTuple):
    """Meetings of an edge with some of N stalks."""

    grown: int
    """N."""
    meetings: Sequence[Meeting]

    def cut(self) -> list[int]:
        """Which stalks are cut."""
        return [meeting.stalk for meeting in self.meetings if meeting.cuts]

    def wrong(self) -> Float[np.ndarray, "N"]:
        """How wrong the best meeting with each stalk is: 0 cuts it with something to spare, `_MISSED` is none."""
        found = np.full(self.grown, _MISSED)
        if self.meetings:
            stalk, beside, height, level, speed = np.array(self.meetings).T
            total = (
                np.maximum(beside + 0.01, 0) / 0.1
                + np.maximum(height - 0.8 * CUT_HEIGHT, 0) / 0.1
                + np.maximum(-height, 0) / 0.1
                + np.maximum(0.5 * (1 + LEVEL) - level, 0) / 0.2
                + np.maximum(1.5 * SLOWEST - speed, 0) / 1.0
            )
            np.minimum.at(found, stalk.astype(int), np.minimum(total, _WORST))
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
    edges = np.concatenate([p - size[0] / 2 * R[:, :, 0], R[:, :, 1], R[:, 2, 2:]], axis=1)
    x, y, _, dx, dy, _, _ = edges.T
    across, along, beside = _line(x, y, dx, dy)
    far = across[:, None] * stalks[:, 0] + along[:, None] * stalks[:, 1] + beside[:, None]
    before = far < 0
    k, j = (before[:-1] & ~before[1:]).nonzero()
    share = far[k, j] / (far[k, j] - far[k + 1, j])
    passed = zip(k.tolist(), j.tolist(), share.tolist(), strict=True)
    return swept(edges.tolist(), stalks.tolist(), passed, size[1], rate)


def edge_on(blade: pin.SE3, size: tuple[float, float, float]) -> pin.SE3:
    """A frame on the edge of a blade whose frame is as in `sweep`: in its middle, x from heel to tip, z up."""
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    return blade * pin.SE3(turn, np.array([-size[0] / 2, 0.0, 0.0]))


def edge_of(posture: Posture) -> Edge:
    """The edge whose frame is as in `edge_on`."""
    middle, along, (_, _, level) = posture
    return *middle, *along, level


def beyond(edge: Edge, stalks: Sequence[Sequence[float]]) -> list[float]:
    """How far stalks at (x, y, z) [m] are beyond an edge, see `_line`; in plain numbers like all for a control step."""
    a, b, c = _line(edge[0], edge[1], edge[3], edge[4])
    return [a * x + b * y + c for x, y, _ in stalks]


def passing(before: Sequence[float], after: Sequence[float]) -> list[Passed]:
    """Which stalks an edge passes between two poses, from how far they are `beyond` it in each."""
    return [(0, j, b / (b - a)) for j, (b, a) in enumerate(zip(before, after, strict=True)) if b < 0 <= a]


def _line(x: Number, y: Number, dx: Number, dy: Number) -> tuple[Number, Number, Number]:
    """Factors a, b, c of an edge's line: how far a stalk at (x, y) is beyond it as seen from the handle, a x + b y + c.

    Less `GAP`, and in units of the length of the direction as seen from above.

    Args:
        x: of the middle of the edge [m].
        y: the same along y [m].
        dx: direction of the edge.
        dy: the same along y.
    """
    return dy, -dx, GAP * (dx * dx + dy * dy) ** 0.5 + y * dx - x * dy


def swept(
    edges: Sequence[Edge],
    stalks: Sequence[Sequence[float]],
    passed: Iterable[Passed],
    length: float,
    rate: float,
) -> Sweep:
    """Meetings of an edge with the stalks that it passes.

    Args:
        edges: of the blade in each pose.
        stalks: where they stand [m].
        passed: which, and when.
        length: of the edge [m].
        rate: of the poses [1/s].
    """
    met = []
    for k, j, share in passed:
        at, height, level, moved = _meeting(edges[k], edges[k + 1], stalks[j], share)
        met.append(Meeting(j, abs(at) - length / 2 - GAP, height, level, float(rate) * moved))
    return Sweep(len(stalks), met)


def _meeting(first: Edge, second: Edge, stalk: Sequence[float], share: float) -> tuple[float, float, float, float]:
    """Where an edge passes a stalk: along itself from its middle [m], height [m], level, way along itself [m].

    Args:
        first: the edge just before.
        second: the edge just after.
        stalk: where it stands, x and y [m].
        share: of the time between the two that has passed.
    """
    x, y, z, dx, dy, dz, level = first
    x2, y2, z2, dx2, dy2, dz2, level2 = second
    flat, flat2 = max(dx * dx + dy * dy, _UPRIGHT), max(dx2 * dx2 + dy2 * dy2, _UPRIGHT)
    before = ((stalk[0] - x) * dx + (stalk[1] - y) * dy) / flat
    after = ((stalk[0] - x2) * dx2 + (stalk[1] - y2) * dy2) / flat2
    at = before + share * (after - before)
    height, height2 = z + at * dz, z2 + at * dz2
    way = (x2 + at * dx2 - x - at * dx) * dx + (y2 + at * dy2 - y - at * dy) * dy
    return at, height + share * (height2 - height), min(level, level2), abs(way) / math.sqrt(flat)
