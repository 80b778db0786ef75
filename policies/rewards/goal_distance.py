"""Reward by distance from the goal in a space of features: -||phi(s') - phi(g)||, g the end of the demonstrations.

XIRL (Zakka et al., CoRL 2021), equation 2; phi is the scaled description itself; XIRL learns one by cycles
in time, which is not done here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from policies.rewards.describers import Describer
from policies.rewards.learned import Scale, Tensors, described, required
from policies.rewards.reward import RewardError, Shown, Watched


class GoalDistanceSettings(NamedTuple):
    """How it is learned."""

    directions: int = 32
    """Principal directions of the demonstrations' descriptions that distances are measured in, at most; 0 takes
    descriptions as they are."""


class GoalDistance:
    """Reward of a step: minus the distance of the moment after it from the goal.

    The unit is the mean distance between the first moment of a demonstration and the goal.
    """

    name, worded, Settings = "goal_distance", False, GoalDistanceSettings

    def __init__(
        self,
        describer: Describer,
        settings: GoalDistanceSettings,
        seed: int,
        scale: Scale,
        directions: Float[np.ndarray, "K D"],
        goal: Float[np.ndarray, "K"],
    ) -> None:
        self.describer, self.settings, self.seed = describer, settings, seed
        self._scale, self._directions, self._goal = scale, directions, goal

    @classmethod
    def learn(
        cls, shown: Shown, describer: Describer | None, settings: GoalDistanceSettings, seed: int
    ) -> GoalDistance:
        """Take the mean of the demonstrations' last moments as the goal. Nothing is drawn at random.

        With timelines, demonstrations that do not show the final state do not count.

        Raises:
            RewardError: no demonstration shows the final state, or all begin at the goal.
        """
        describer = required(describer, cls.name)
        complete = [
            episode
            for number, episode in enumerate(shown.demonstrations)
            if shown.timelines is None or "final state" in shown.timelines[number].labels
        ]
        if not complete:
            raise RewardError(f"none of the {len(shown.demonstrations)} demonstrations shows the final state: no goal")
        values = [described(episode, describer) for episode in complete]
        scale = Scale.of(values)
        scaled = [scale(value) for value in values]
        directions = _principal(np.concatenate(scaled), settings.directions)
        starts, ends = (np.stack([value[k] for value in scaled]) @ directions.T for k in (0, -1))
        goal = ends.mean(axis=0)
        unit = float(np.linalg.norm(starts - goal, axis=1).mean())
        if unit <= 1e-9:
            raise RewardError("the demonstrations begin where they end: distance from the goal says nothing")
        return cls(describer, settings, seed, scale, directions / unit, goal / unit)

    @property
    def needs(self) -> frozenset[str]:
        """Those of the description."""
        return self.describer.needs

    @property
    def stepwise(self) -> bool:
        """Whether the description of a moment depends on that moment alone."""
        return self.describer.momentary

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Minus the distance after each step."""
        return self.of_moments(described(episode, self.describer)[1:])

    def of_moments(self, value: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N"]:
        """Minus the distance of described moments from the goal."""
        return -np.linalg.norm(self._scale(value) @ self._directions.T - self._goal, axis=1)

    def transitions(
        self, s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"], s_next: Float[np.ndarray, "N D"]
    ) -> Float[np.ndarray, "N"]:
        """Reward of transitions between described moments."""
        return self.of_moments(s_next)

    def tensors(self) -> dict[str, np.ndarray]:
        """Scale, directions, and the goal along them."""
        return {**self._scale.tensors(), "directions": self._directions, "goal": self._goal}

    @classmethod
    def restored(
        cls, describer: Describer | None, settings: GoalDistanceSettings, seed: int, tensors: Tensors
    ) -> GoalDistance:
        """Undo `tensors`."""
        scale = Scale.restored(tensors)
        return cls(required(describer, cls.name), settings, seed, scale, tensors["directions"], tensors["goal"])


def _principal(value: Float[np.ndarray, "N D"], count: int) -> Float[np.ndarray, "K D"]:
    """Directions of the greatest variance, each of length 1 with its largest entry positive; all axes for 0."""
    size = value.shape[1]
    if count == 0 or count >= size:
        return np.eye(size)
    found = np.linalg.svd(value - value.mean(axis=0), full_matrices=False)[2][:count]
    largest = np.take_along_axis(found, np.abs(found).argmax(axis=1)[:, None], axis=1)
    return np.asarray(found * np.sign(largest))
