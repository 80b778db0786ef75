"""What agents are tried under: the variation that they were trained for, more of it, and imperfect sensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from records import Demonstration, UnknownName
from sim.conditions import USUAL, Spread
from sim.env import PERFECT, ToolEnv
from sim.sensing import Sensing

MOVED = 0.05
"""How much further objects are displaced in the shifted trial (standard deviation) [m]."""
CHANGED = 0.2
"""Largest change of masses and friction in the shifted trial."""
NOISE = Sensing(place=0.01, jitter=0.005, turn=math.radians(2), delay=0.1, action=0.05)
"""Errors in the noisy trial, assumed: a place is misjudged by a centimetre, an action missed by one."""

NAMES = ("nominal", "shifted", "noisy")


class Trial(NamedTuple):
    """Variation of the scene, and errors of sensors and actions."""

    spread: Spread = USUAL
    sensing: Sensing = PERFECT

    def environment(self, demonstration: Demonstration, **how: Any) -> ToolEnv:
        """The environment of a demonstration under this trial; `how` are further arguments of `ToolEnv`."""
        return ToolEnv(demonstration, spread=self.spread, sensing=self.sensing, **how)

    def plain(self) -> dict[str, dict[str, float]]:
        """As JSON holds it."""
        return {"spread": self.spread._asdict(), "sensing": self.sensing._asdict()}

    @classmethod
    def of(cls, plain: Mapping[str, Mapping[str, float]]) -> Trial:
        """Undo `plain`."""
        return cls(Spread(**plain["spread"]), Sensing(**plain["sensing"]))


NOMINAL = Trial()
"""Objects displaced by 5 cm, perfect sensors."""


def trial(name: str, nominal: Spread = USUAL, sensing: Sensing = PERFECT) -> Trial:
    """One of the standard trials.

    Args:
        name: `nominal`: the spread and the errors that are given. `shifted`: objects further away, other masses,
            other friction. `noisy`: the given spread, seen and acted on with errors of at least `NOISE`.
        nominal: how conditions are drawn in training.
        sensing: how sensors and actions err in all of them.

    Raises:
        UnknownName: no such trial; the message lists them.
    """
    if name == "nominal":
        return Trial(nominal, sensing)
    if name == "noisy":
        return Trial(nominal, sensing.at_least(NOISE))
    if name != "shifted":
        raise UnknownName(f"unknown trial {name!r}; choose from: {', '.join(NAMES)}")
    changed = {"mass": max(nominal.mass, CHANGED), "friction": max(nominal.friction, CHANGED)}
    return Trial(nominal._replace(offset=math.hypot(nominal.offset, MOVED), **changed), sensing)
