"""How an episode differs from the demonstration: where its objects stand, what they weigh, how they rub."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float


class ConditionError(ValueError):
    """A condition or reset option that does not exist or makes no sense."""


class Conditions(NamedTuple):
    """Of one episode. The defaults are the scene of the demonstration."""

    x: float = 0.0
    """Displacement of the objects [m]."""
    y: float = 0.0
    """The same along y [m]."""
    yaw: float = 0.0
    """Turn of the objects about the vertical through the place of work [rad]."""
    mass: float = 1.0
    """Factor of the masses of the tool and of the task's objects."""
    friction: float = 1.0
    """Factor of the friction of the task's objects and of the ground."""

    @property
    def offset(self) -> Float[np.ndarray, "2"]:
        """Displacement of the objects [m]."""
        return np.array([self.x, self.y])

    @property
    def quaternion(self) -> Float[np.ndarray, "4"]:
        """The turn of the objects, xyzw."""
        return np.array([0.0, 0.0, math.sin(self.yaw / 2), math.cos(self.yaw / 2)])

    @property
    def rotation(self) -> Float[np.ndarray, "3 3"]:
        """The turn of the objects."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])

    def moved(self, points: Float[np.ndarray, "*N 3"], about: Float[np.ndarray, "3"]) -> Float[np.ndarray, "*N 3"]:
        """Where points of the demonstrated scene are in this episode [m]; `about` is the place of work."""
        c, s = math.cos(self.yaw) - 1, math.sin(self.yaw)
        turned = (points - about) @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 0.0]])
        return points + turned + np.array([self.x, self.y, 0.0])


class Spread(NamedTuple):
    """How conditions are drawn."""

    offset: float = 0.0
    """Standard deviation of the displacement along x and y [m]."""
    yaw: float = 0.0
    """Standard deviation of the turn [rad]."""
    mass: float = 0.0
    """Largest change of masses, as a share: the factor is uniform in 1 - mass to 1 + mass."""
    friction: float = 0.0
    """The same of friction."""

    def draw(self, rng: np.random.Generator) -> Conditions:
        """Conditions at random: the same numbers are drawn whatever the spread."""
        x, y, yaw = rng.standard_normal(3).tolist()
        mass, friction = rng.random(2).tolist()
        return Conditions(
            x=self.offset * x,
            y=self.offset * y,
            yaw=self.yaw * yaw,
            mass=1 + self.mass * (2 * mass - 1),
            friction=1 + self.friction * (2 * friction - 1),
        )

    def check(self) -> None:
        """Refuse spreads that make no sense.

        Raises:
            ConditionError: a spread that is negative, not a number, or a share of 1 and more.
        """
        for name, value in self._asdict().items():
            if not 0 <= value < math.inf or (name in ("mass", "friction") and value >= 1):
                most = " and below 1" if name in ("mass", "friction") else ""
                raise ConditionError(f"{name} spread {value}: it must be a number from 0{most}")


USUAL = Spread(offset=0.05)
"""How conditions vary unless something else is said: objects are displaced by 5 cm."""
STILL = Spread()
"""Every episode is the scene of the demonstration."""

OPTIONS = ("object_offset", "object_yaw", "mass", "friction", "follow")
"""Options of an environment's reset."""


def given(options: Mapping[str, Any], drawn: Conditions) -> Conditions:
    """The drawn conditions, save what the reset options fix.

    Raises:
        ConditionError: an unknown option, or a value that makes no sense.
    """
    if not options:
        return drawn
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise ConditionError(f"unknown reset option {unknown[0]!r}; there are: {', '.join(OPTIONS)}")
    values = drawn._asdict()
    try:
        if options.get("object_offset") is not None:
            values["x"], values["y"] = (float(v) for v in options["object_offset"])
        for option, name in (("object_yaw", "yaw"), ("mass", "mass"), ("friction", "friction")):
            if options.get(option) is not None:
                values[name] = float(options[option])
    except (TypeError, ValueError) as error:
        raise ConditionError(f"reset options {dict(options)}: {error}") from error
    found = Conditions(**values)
    if not np.isfinite(found).all() or found.mass <= 0 or found.friction < 0:
        raise ConditionError(f"{found}: all must be numbers, the factor of mass above 0 and that of friction not below")
    return found
