"""Hands of the studio's person: palm, four fingers and a thumb, relaxed or closed around a handle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.wield import usual_grip
from sim.flesh import Flesh, Limb
from sim.studio_motion import PALM

FINGERS = (0.34, 0.12, -0.10, -0.32)
"""Where index, middle, ring and little finger begin across the hand, in lengths from wrist to knuckles."""
LENGTHS = (0.88, 1.0, 0.92, 0.72)
"""Length of each over the middle finger."""
FINGER_RADIUS = 0.0088
"""[m]."""
HANDLE_RADIUS = 0.016
"""What a closed hand holds [m]."""


def hand_flesh(body: Body, rest: Float[np.ndarray, "24 3"], side: str, *, closed: bool, spacing: float) -> Flesh:
    """The hand on `side` (`l` or `r`) in the T-pose: palm down, thumb forward."""
    x = 1.0 if side == "l" else -1.0
    wrist, knuckles = (body.joint_names.index(f"{side}_{name}") for name in ("wrist", "hand"))
    hand = body.bones["hand"]
    origin = rest[wrist]

    def at(along: float, up: float, across: float) -> np.ndarray:
        """A point in the hand: along towards the fingers, up to its back, across to the thumb [m]."""
        return origin + np.array([x * along, up, across])

    palm = Limb(wrist, at(0.15 * hand, 0, 0.0), at(0.85 * hand, 0, 0.02 * hand), 0.028, 0.040, (1.0, 0.42, 1.0))
    limbs = [palm, Limb(wrist, at(-0.03, 0, 0), at(0.3 * hand, 0, 0), 0.024, 0.026, (1.0, 0.72, 1.0))]
    lean = x * float(usual_grip(side)[0, 0] / usual_grip(side)[2, 0])
    for place, length in zip(FINGERS, LENGTHS, strict=True):
        across = place * hand
        joints = _around(hand + lean * across, across) if closed else _relaxed(hand, across, 0.8 * hand * length)
        limbs += [
            Limb(knuckles, at(*a), at(*b), FINGER_RADIUS, FINGER_RADIUS * (0.95 if closed else 0.85))
            for a, b in pairwise(joints)
        ]
    if closed:
        thumb = [
            (0.15 * hand, -0.005, 0.20 * hand),
            (0.62 * hand, -0.018, 0.46 * hand),
            (1.12 * hand, -0.048, 0.38 * hand),
        ]
    else:
        thumb = [
            (0.15 * hand, -0.004, 0.20 * hand),
            (0.50 * hand, -0.012, 0.45 * hand),
            (0.85 * hand, -0.02, 0.58 * hand),
        ]
    limbs += [Limb(wrist, at(*a), at(*b), 0.0125, 0.0105) for a, b in pairwise(thumb)]
    return Flesh(tuple(limbs), 0.004, spacing)


def _around(along: float, across: float) -> list[tuple[float, float, float]]:
    """A finger from its knuckle around a handle whose axis lies below the knuckles [m]."""
    reach = HANDLE_RADIUS + FINGER_RADIUS
    points = [(along - 0.012, 0.004, across)]
    for angle in np.deg2rad([35, -25, -85, -150]):
        points.append((along + reach * np.cos(angle), -PALM + reach * np.sin(angle), across))
    return points


def _relaxed(hand: float, across: float, length: float) -> list[tuple[float, float, float]]:
    """A finger from its knuckle, slightly bent towards the palm [m]."""
    points, angle = [(hand, 0.0, across)], np.deg2rad(-15.0)
    for share in (0.45, 0.30, 0.25):
        along, up, _ = points[-1]
        points.append((along + share * length * np.cos(angle), up + share * length * np.sin(angle), across))
        angle -= np.deg2rad(22.0)
    return points
