"""What an agent sees of the objects' place, and how exactly it acts: cameras and arms are not perfect."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sim.conditions import ConditionError, Conditions


class Sensing(NamedTuple):
    """How sensors and actions err. The defaults are perfect."""

    place: float = 0.0
    """Standard deviation of the seen place of the objects along x and y, the same throughout an episode [m]."""
    jitter: float = 0.0
    """Standard deviation of what is added to that in every control step anew [m]."""
    turn: float = 0.0
    """Standard deviation of the seen turn of the objects, throughout an episode [rad]."""
    delay: float = 0.0
    """Time until the objects are seen at all [s]; before, they seem to stand where they were demonstrated."""
    action: float = 0.0
    """Standard deviation of what is added to every action [reach of the environment]."""
    calibration: float = 0.0
    """Error of the seen place along x and along y, the same in all episodes: of a camera's calibration [m]."""

    def at_least(self, other: Sensing) -> Sensing:
        """The larger error of the two, of each kind."""
        return Sensing(*map(max, self, other))

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            ConditionError: a number that is negative, or none.
        """
        for name, value in self._asdict().items():
            if not 0 <= value < math.inf:
                raise ConditionError(f"sensing {name} {value}: it must be a number from 0")


class Sensor(NamedTuple):
    """The errors of one episode. They depend on its key and the control step alone: what is repeated errs alike."""

    sensing: Sensing
    key: int

    def seen(self, conditions: Conditions, step: int, fps: float) -> Conditions:
        """The place and turn of the objects as they seem to be in a control step."""
        sensing = self.sensing
        if step < sensing.delay * fps:
            return Conditions(mass=conditions.mass, friction=conditions.friction)
        if not (sensing.place or sensing.calibration or sensing.jitter or sensing.turn):
            return conditions
        x, y, turn = np.random.default_rng([self.key, 0]).standard_normal(3).tolist()
        dx, dy = np.random.default_rng([self.key, 1, step]).standard_normal(2).tolist()
        return conditions._replace(
            x=conditions.x + sensing.calibration + sensing.place * x + sensing.jitter * dx,
            y=conditions.y + sensing.calibration + sensing.place * y + sensing.jitter * dy,
            yaw=conditions.yaw + sensing.turn * turn,
        )

    def acted(self, action: np.ndarray, step: int) -> np.ndarray:
        """What becomes of an action."""
        if not self.sensing.action:
            return action
        return action + self.sensing.action * np.random.default_rng([self.key, 2, step]).standard_normal(action.shape)
