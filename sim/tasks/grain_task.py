"""What tasks that move grains into a vessel have in common: their sparse reward, and when they are solved and over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import pinocchio as pin

from sim.bullet import Bullet
from sim.carried import Carried, Carrier
from sim.conditions import Conditions
from sim.grains import GrainKind


class GrainTask(ABC):
    """The part of a `Task` that looks at grains once a control step."""

    term_names = ("moved", "enough", "spoilt")
    grains: GrainKind
    needed: float
    """Share of the grains that must arrive."""
    _bullet: Bullet
    _hand: Carried
    _paid: dict[str, float]
    _spoilt: bool

    def __init__(self) -> None:
        self._arrived = np.zeros(self.grains.count, bool)
        """Which grains are where they belong."""
        self._begin()

    @abstractmethod
    def _look(self) -> None:
        """See where everything is: `_arrived`, and whether the task is `_spoilt` from now on."""

    @abstractmethod
    def _weigh(self, conditions: Conditions) -> None:
        """Set masses and friction, and where things belong, which the engine's state does not hold."""

    def equip(self, carrier: Carrier, *, substeps: int, reach: float) -> None:
        """See where the tool is."""
        self._hand = Carried(carrier, pin.SE3.Identity())
        self._substeps = substeps

    def quiet(self) -> int:
        """All: contacts do not matter here."""
        return self._substeps

    def watch(self) -> int:
        """Contacts do not matter here."""
        return self._substeps

    def terms(self) -> dict[str, float]:
        """What more of the grains has arrived; 1 when it becomes enough; -1 when the task is spoilt."""
        self._look()
        worth = {"moved": self.moved, "enough": float(self.solved), "spoilt": -float(self.spoilt)}
        gained = {name: value - self._paid[name] for name, value in worth.items()}
        self._paid = worth
        return gained

    @property
    def moved(self) -> float:
        """Share of the grains that have arrived."""
        return float(self._arrived.mean())

    @property
    def solved(self) -> bool:
        """Enough has arrived, and nothing was spoilt."""
        return not self.spoilt and self.moved >= self.needed - 1e-9

    @property
    def spoilt(self) -> bool:
        """Something has been pushed away or knocked over."""
        return self._spoilt

    @property
    def over(self) -> bool:
        """Spoilt, or nothing is left to move."""
        return self.spoilt or self.moved == 1.0

    def state(self) -> dict[str, Any]:
        """What has been paid for, and whether the task is spoilt."""
        return {"paid": dict(self._paid), "spoilt": self._spoilt}

    def restore(self, state: Mapping[str, Any], conditions: Conditions) -> None:
        """Return to a remembered state."""
        self._weigh(conditions)
        self._paid, self._spoilt = dict(state["paid"]), bool(state["spoilt"])
        self._look()

    def _begin(self) -> None:
        """Nothing has been paid for, and nothing spoilt."""
        self._paid, self._spoilt = dict.fromkeys(self.term_names, 0.0), False

    def _tool_pose(self) -> pin.SE3:
        """The tool, whoever holds it."""
        return pin.SE3(*self._hand.pose())
