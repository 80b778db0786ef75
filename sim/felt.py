"""Forces that a tool bears in simulation: of who holds it, and of what it touches."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from sim.bullet import Bullet
from sim.bullet.contacts import touch

FELT = ("holder", "work")
"""Rows of what is felt: the hand or arm that holds the tool, and all else that it touches."""
GRAVITY = np.array([0.0, 0.0, -9.81])
"""[m/s^2]."""


class Felt:
    """Forces in means over a control step, which are the impulses borne in it over its duration.

    So a blow that lasts for a millisecond is told by what it does, whatever the rate at which it is looked at.
    """

    def __init__(self, bullet: Bullet, body: int, link: int) -> None:
        """Watch a link of a body: the tool."""
        self._bullet, self._body, self._link = bullet, body, link
        self._steps = 0
        self._sum = np.zeros(3)
        self._before = np.zeros(3)

    def begin(self) -> None:
        """Begin a control step."""
        self._steps, self._sum = 0, np.zeros(3)
        self._before = self._bullet.link_velocity(self._body, self._link)

    def look(self) -> None:
        """Look at the last physics step."""
        self._steps += 1
        self._sum += touch(self._bullet, self._body, self._link)

    def mean(self) -> Float[np.ndarray, "2 3"]:
        """Mean force on the tool of each of `FELT`, world axes [N]; zero before the first step.

        What holds it follows from Newton's law: m (v' - v) / t = holder + work + m g.
        """
        if not self._steps:
            return np.zeros((2, 3))
        work = self._sum / self._steps
        gained = self._bullet.link_velocity(self._body, self._link) - self._before
        acceleration = gained / (self._steps * self._bullet.time_step)
        holder = self._bullet.mass(self._body, self._link) * (acceleration - GRAVITY) - work
        return np.stack([holder, work])
