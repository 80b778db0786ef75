"""Sand and the like: few large spheres that do not turn, so that they lie in heaps, cost little and repeat exactly.

Real grains are angular and interlock. Spheres that roll need friction against it in every contact, three more rows for
the solver; spheres that cannot turn at all heap up by their Coulomb friction alone. (Zorina et al. 2021 damp the
rotation of their spheres to nothing.) Without rotation the engine also restores a kept state exactly.

What is moved by a stroke depends little on how many grains share the same volume: `benchmarks/grains.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from sim.bullet import Bullet
from sim.bullet.loose import positions, scatter, spheres
from sim.conditions import Conditions

ITERATIONS = 10
"""Iterations of the contact solver; heaps of grains are not exact anyway."""
_DROP_RATE = 240.0
"""Physics steps per second while grains settle."""
_LONGEST = 3.0
"""Grains lie still after this long at the latest [s]."""
_STILL = 1e-4
"""Grains that move less than this between two looks lie still [m]."""
_LOOKS = 24
"""Physics steps from one look to the next."""
_SPACE = 2.1
"""Distance of grains that are dropped, in radii."""
_JITTER = 0.05
"""Disorder of the grid that they are dropped from, in radii (standard deviation)."""


@dataclass(frozen=True, kw_only=True)
class GrainKind:
    """Grains of one kind."""

    count: int
    radius: float
    """[m]."""
    mass: float
    """Of each grain [kg]."""
    friction: float
    """Coulomb; the engine multiplies it with that of what the grain touches."""
    disorder: int = 0
    """Seed of the disorder that they are dropped in: other heaps of the same grains."""
    rgba: tuple[float, float, float, float] = (0.85, 0.7, 0.4, 1.0)

    def divided(self, count: int) -> GrainKind:
        """The same volume and mass in another number of grains."""
        share = self.count / count
        return replace(self, count=count, radius=self.radius * share ** (1 / 3), mass=self.mass * share)

    @property
    def volume(self) -> float:
        """Of all grains together, without the room between them [m^3]."""
        return self.count * 4 / 3 * np.pi * self.radius**3


class Grains:
    """Grains in a running simulation."""

    def __init__(self, bullet: Bullet, kind: GrainKind) -> None:
        """Create them; they lie at the origin until they are placed."""
        self.kind = kind
        self._bullet = bullet
        self._bodies = spheres(bullet, kind.count, radius=kind.radius, mass=kind.mass, rgba=kind.rgba)
        bullet.set_solver(iterations=ITERATIONS)
        self.weigh(Conditions())

    def weigh(self, conditions: Conditions) -> None:
        """Set masses and friction to those of an episode."""
        for body in self._bodies:
            self._bullet.set_mass(body, -1, conditions.mass)
            self._bullet.set_friction(body, -1, lateral=conditions.friction * self.kind.friction)

    def place(self, positions: Float[np.ndarray, "N 3"], *, asleep: bool = True) -> None:
        """Put them at places [m], at rest; asleep they cost nothing until something touches them."""
        scatter(self._bullet, self._bodies, positions, asleep=asleep)

    def positions(self) -> Float[np.ndarray, "N 3"]:
        """Where they are [m]."""
        return positions(self._bullet, self._bodies)


def settle(
    kind: GrainKind,
    build: Callable[[Bullet, Path], list[int]],
    *,
    centre: tuple[float, float],
    half: tuple[float, float],
    floor: float,
) -> Float[np.ndarray, "N 3"]:
    """Where grains come to rest that are dropped into a vessel.

    Args:
        kind: the grains.
        build: creates the vessel in an empty world; the bodies that it returns are taken away once the grains lie
            still, and the grains settle again.
        centre: middle of the area that they are dropped on (x, y) [m].
        half: half its sides [m].
        floor: height from which on they are stacked [m].
    """
    with Bullet(time_step=1 / _DROP_RATE) as bullet, tempfile.TemporaryDirectory() as name:
        removed = build(bullet, Path(name))
        grains = Grains(bullet, kind)
        grains.place(_stack(kind, np.array(centre), np.array(half), floor), asleep=False)
        _rest(bullet, grains)
        for body in removed:
            bullet.remove(body)
        if removed:
            grains.place(grains.positions(), asleep=False)
            _rest(bullet, grains)
        return grains.positions()


def _rest(bullet: Bullet, grains: Grains) -> None:
    """Step until the grains lie still."""
    before = grains.positions()
    for _ in range(round(_LONGEST * _DROP_RATE / _LOOKS)):
        for _ in range(_LOOKS):
            bullet.step()
        now = grains.positions()
        if np.abs(now - before).max() < _STILL:
            return
        before = now


def _stack(kind: GrainKind, centre: np.ndarray, half: np.ndarray, floor: float) -> Float[np.ndarray, "N 3"]:
    """A loose stack of layers, a little out of order."""
    space = _SPACE * kind.radius
    across = np.maximum(((2 * half - 2 * kind.radius) // space).astype(int) + 1, 1)
    layer, place = np.divmod(np.arange(kind.count), across.prod())
    grid = np.stack(np.divmod(place, across[1]), axis=1) - (across - 1) / 2
    points = np.column_stack([centre + space * grid, floor + kind.radius + space * layer])
    disorder = np.random.default_rng(kind.disorder).normal(0, _JITTER * kind.radius, points.shape)
    return points + disorder * [1.0, 1.0, 0.0]
