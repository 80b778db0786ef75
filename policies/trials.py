"""What agents are tried under: the variation that they were trained for, more of it, and imperfect sensors."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from policies.residual import USUAL_SPREAD
from records import UnknownName
from sim.conditions import Spread
from sim.env import PERFECT
from sim.sensing import Sensing

MOVED = 0.05
"""How much further objects are displaced in the shifted trial (standard deviation) [m]."""
CHANGED = 0.2
"""Largest change of masses and friction in the shifted trial."""
NOISE = Sensing(place=0.01, jitter=0.005, turn=math.radians(2), delay=0.1, action=0.05)
"""Errors in the noisy trial: those of a depth camera on a table at arm's length, and of a position-controlled arm."""

NAMES = ("nominal", "shifted", "noisy")


class Trial(NamedTuple):
    """Variation of the scene, and errors of sensors and actions."""

    spread: Spread = USUAL_SPREAD
    sensing: Sensing = PERFECT

    def environment(self) -> dict[str, Any]:
        """Arguments of `ToolEnv`."""
        spread = self.spread
        return {
            "object_noise": spread.offset,
            "yaw_noise": spread.yaw,
            "mass_spread": spread.mass,
            "friction_spread": spread.friction,
            "sensing": self.sensing,
        }


def trial(name: str, nominal: Spread = USUAL_SPREAD) -> Trial:
    """One of the standard trials.

    Args:
        name: `nominal`: the spread that is given. `shifted`: objects further away, other masses, other friction.
            `noisy`: the given spread, seen and acted on with errors.
        nominal: how conditions are drawn in training.

    Raises:
        UnknownName: no such trial; the message lists them.
    """
    if name == "nominal":
        return Trial(nominal)
    if name == "noisy":
        return Trial(nominal, NOISE)
    if name != "shifted":
        raise UnknownName(f"unknown trial {name!r}; choose from: {', '.join(NAMES)}")
    changed = {"mass": max(nominal.mass, CHANGED), "friction": max(nominal.friction, CHANGED)}
    return Trial(nominal._replace(offset=math.hypot(nominal.offset, MOVED), **changed))
