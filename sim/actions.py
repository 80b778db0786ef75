"""How an agent's actions move the tool: displacements of its head, and turns about it, from what lies beneath them.

A displacement is six numbers: of the tool's head along the world's axes [m], and the rotation vector by which the tool
is turned about its head, about the same axes [rad]. An action says where the displacement shall go; it follows at a
limited rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from records import Entry, Registry
from sim.conditions import Conditions

ACTIONS = Registry(
    "action",
    {
        "residual": Entry("sim.actions:RESIDUAL", "displaces the head of a tool that follows the demonstration"),
        "turning": Entry("sim.actions:TURNING", "the same, and turns the tool about the vertical through its head"),
        "free": Entry("sim.actions:FREE", "moves and turns the tool freely from rest, without a demonstration"),
    },
)

REACH = 0.20
"""Largest displacement of the head along each axis from the demonstration [m]."""
RATE = 0.05
"""Largest change of that in a control step [m]."""
TURN_REACH = 0.6
"""Largest turn about the vertical from the demonstration [rad]."""
TURN_RATE = 0.1
"""Largest change of that in a control step [rad]."""
FREE_REACH = 1.0
"""Largest displacement along each axis from rest [m]: an arm's reach."""
FREE_RATE = 0.1
"""Largest change of that in a control step [m]: 2.4 m/s along each axis at 24 Hz, as fast as a strike."""
FREE_TURN_REACH = 2.5
"""Largest turn about each axis from rest [rad]."""
FREE_TURN_RATE = 0.2
"""Largest change of that in a control step [rad]."""

Displacement = tuple[float, ...]
"""Six numbers; for so few, arrays take longer."""
UNMOVED: Displacement = (0.0,) * 6

_COMPONENTS = ("displace_x", "displace_y", "displace_z", "turn_x", "turn_y", "turn_z")


@dataclass(frozen=True)
class ActionModel:
    """What an action's numbers, each in [-1, 1], stand for."""

    axes: tuple[int, ...]
    """Components of the displacement that an action sets."""
    reach: tuple[float, ...]
    """The largest value of each, which an action of 1 asks for [m, rad]."""
    rate: tuple[float, ...]
    """The largest change of each in a control step [m, rad]."""
    follows: bool = True
    """Whether the demonstration runs beneath; else the tool, and the arm that holds it, are at rest there."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of an action's numbers."""
        return tuple(_COMPONENTS[axis] for axis in self.axes)

    @property
    def turns(self) -> tuple[int, ...]:
        """Components of the displacement that are turns."""
        return tuple(axis for axis in self.axes if axis >= 3)

    def reach_of(self, axis: int) -> float:
        """The largest value of a component of the displacement [m, rad]."""
        return self.reach[self.axes.index(axis)]

    def approach(self, displacement: Displacement, action: Float[np.ndarray, "D"]) -> Displacement:
        """The displacement that an action leads to from another one in a control step."""
        moved = list(displacement)
        for (axis, reach, rate), asked in zip(self._components, action.tolist(), strict=True):
            way = reach * (-1.0 if asked < -1.0 else 1.0 if asked > 1.0 else asked) - moved[axis]
            moved[axis] += -rate if way < -rate else rate if way > rate else way
        return tuple(moved)

    def asking(self, displacement: Float[np.ndarray, "6"]) -> Float[np.ndarray, "D"]:
        """The action that asks for a displacement, as far as it goes."""
        axes, reach = self._limits
        return np.clip(displacement[axes] / reach, -1, 1)

    def along(
        self, conditions: Conditions, head: Float[np.ndarray, "3"], work: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, "D"]:
        """The action that moves a demonstrated head [m] along with objects that stand about `work` [m].

        Where the action cannot turn the tool, the objects' turn is not answered: a path that is turned about the work,
        with a tool that is not, does worse. Nothing is moved where no demonstration lies beneath.
        """
        wanted = np.zeros(6)
        if self.follows and self.turns:
            wanted[:3], wanted[5] = conditions.moved(head, work) - head, conditions.yaw
        elif self.follows:
            wanted[:2] = conditions.x, conditions.y
        return self.asking(wanted)

    @cached_property
    def _components(self) -> tuple[tuple[int, float, float], ...]:
        """Axis, reach and rate of each of an action's numbers."""
        return tuple(zip(self.axes, self.reach, self.rate, strict=True))

    @cached_property
    def _limits(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.axes), np.array(self.reach)


RESIDUAL = ActionModel((0, 1, 2), (REACH,) * 3, (RATE,) * 3)
"""Displaces the head; the tool keeps the orientation that was demonstrated."""
TURNING = ActionModel((0, 1, 2, 5), (*(REACH,) * 3, TURN_REACH), (*(RATE,) * 3, TURN_RATE))
"""Turns the tool about the vertical through its head, too: the answer to objects that are turned."""
FREE = ActionModel(
    tuple(range(6)),
    (*(FREE_REACH,) * 3, *(FREE_TURN_REACH,) * 3),
    (*(FREE_RATE,) * 3, *(FREE_TURN_RATE,) * 3),
    follows=False,
)
"""The control of what a demonstration is worth: the same task, reward and scene, and no motion to follow."""


def model_of(names: tuple[str, ...]) -> ActionModel:
    """The model whose actions have these names.

    Raises:
        ValueError: there is none.
    """
    for name in ACTIONS:
        model: ActionModel = ACTIONS.load(name)
        if model.names == names:
            return model
    raise ValueError(f"no actions are named ({', '.join(names)})")
