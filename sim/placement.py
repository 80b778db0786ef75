"""Placing a stroke in a task's scene: what a task has to say so that `align` can search for a good placement."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np

from records import Demonstration

P = TypeVar("P", bound=tuple[float, ...])
"""A placement: a NamedTuple of numbers."""


class AlignError(ValueError):
    """The stroke cannot solve the task, wherever its objects stand."""


class Range(NamedTuple):
    """Where one number of a placement is searched, beside its start."""

    spread: float
    """Standard deviation about the start."""
    low: float = -np.inf
    """Smallest value."""
    high: float = np.inf
    """Largest value."""


@runtime_checkable
class Placer(Protocol[P]):
    """Placements of one stroke in one task's scene."""

    ranges: tuple[Range, ...]
    """One for each number of a placement."""

    def starts(self) -> list[P]:
        """Where to search: one for each moment at which the stroke may do its work, the most promising first.

        Raises:
            AlignError: there is none.
        """

    def shortfall(self, placement: P) -> float:
        """How far a placement is from solving the task by kinematics alone: 0 is a good one, larger is worse."""

    def place(self, placement: P) -> Demonstration:
        """The stroke moved into the scene."""

    def remarks(self, placement: P) -> tuple[str, ...]:
        """What a placed stroke does that was not observed, or what the recording does not show: a sentence each."""

    def guess(self, rng: np.random.Generator) -> P:
        """A placement at random, as a search without a surrogate would draw it."""
