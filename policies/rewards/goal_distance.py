"""Reward by distance from the goal in a space of features: -||phi(s') - phi(g)||, g the end of the demonstrations.

XIRL (Zakka et al., CoRL 2021), equation 2; phi is the scaled description itself or, as in XIRL, an embedding that is
learned by cycles in time (`policies.rewards.tcc`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from policies.learners import Layers
from policies.rewards.describers import Describer
from policies.rewards.learned import OfMoments, Scale, Tensors, described, layers_from, layers_to, required
from policies.rewards.logit import forward
from policies.rewards.reward import RewardError, Shown, Watched
from policies.rewards.state_classifier import FINAL
from policies.rewards.tcc import TCCSettings, fit_tcc


class GoalDistanceSettings(NamedTuple):
    """How it is learned."""

    embedding: str = "principal"
    """`principal`: directions of the greatest variance. `tcc`: learned by temporal cycle-consistency."""
    directions: int = 32
    """Principal directions of the demonstrations' descriptions that distances are measured in, at most; 0 takes
    descriptions as they are."""
    hidden: tuple[int, ...] = TCCSettings().hidden
    """Of `tcc`: widths of tanh layers."""
    size: int = TCCSettings().size
    """Of `tcc`: dimensions."""
    iterations: int = TCCSettings().iterations
    """Of `tcc`."""


class GoalDistance(OfMoments):
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
        hidden: Layers,
        directions: Float[np.ndarray, "K D"],
        goal: Float[np.ndarray, "K"],
    ) -> None:
        self.describer, self.settings, self.seed = describer, settings, seed
        self._scale, self._hidden, self._directions, self._goal = scale, hidden, directions, goal

    @classmethod
    def learn(
        cls, shown: Shown, describer: Describer | None, settings: GoalDistanceSettings, seed: int
    ) -> GoalDistance:
        """Take the mean of the demonstrations' last moments as the goal. Nothing is drawn at random but by `tcc`.

        With timelines, demonstrations that do not show the final state do not count.

        Raises:
            RewardError: no demonstration shows the final state, all begin at the goal, or no such embedding.
        """
        describer = required(describer, cls.name)
        if settings.embedding not in ("principal", "tcc"):
            raise RewardError(f"unknown embedding {settings.embedding!r}; choose from: principal, tcc")
        complete = [
            episode
            for number, episode in enumerate(shown.demonstrations)
            if shown.timelines is None or FINAL in shown.timelines[number].labels
        ]
        if not complete:
            raise RewardError(f"none of the {len(shown.demonstrations)} demonstrations shows the final state: no goal")
        values = [described(episode, describer) for episode in complete]
        scale = Scale.of(values)
        scaled = [scale(value) for value in values]
        hidden: Layers = ()
        if settings.embedding == "tcc":
            asked = TCCSettings(hidden=settings.hidden, size=settings.size, iterations=settings.iterations)
            learned = fit_tcc(scaled, asked, seed)
            hidden, directions = learned[:-1], learned[-1][0]  # the last bias moves all alike: no distance changes
        else:
            directions = _principal(np.concatenate(scaled), settings.directions)
        starts, ends = (_embedded(hidden, directions, np.stack([value[k] for value in scaled])) for k in (0, -1))
        goal = ends.mean(axis=0)
        unit = float(np.linalg.norm(starts - goal, axis=1).mean())
        if unit <= 1e-9:
            raise RewardError("the demonstrations begin where they end: distance from the goal says nothing")
        return cls(describer, settings, seed, scale, hidden, directions / unit, goal / unit)

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Minus the distance after each step."""
        return self.of_moments(described(episode, self.describer)[1:])

    def of_moments(self, value: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N"]:
        """Minus the distance of described moments from the goal."""
        return -np.linalg.norm(_embedded(self._hidden, self._directions, self._scale(value)) - self._goal, axis=1)

    def transitions(
        self, s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"], s_next: Float[np.ndarray, "N D"]
    ) -> Float[np.ndarray, "N"]:
        """Reward of transitions between described moments."""
        return self.of_moments(s_next)

    def tensors(self) -> dict[str, np.ndarray]:
        """Scale, tanh layers where there are any, directions, and the goal along them."""
        found = {**self._scale.tensors(), "directions": self._directions, "goal": self._goal}
        layers_to(found, self._hidden, "hidden")
        return found

    @classmethod
    def restored(
        cls, describer: Describer | None, settings: GoalDistanceSettings, seed: int, tensors: Tensors
    ) -> GoalDistance:
        """Undo `tensors`."""
        scale, hidden = Scale.restored(tensors), layers_from(tensors, "hidden")
        return cls(required(describer, cls.name), settings, seed, scale, hidden, tensors["directions"], tensors["goal"])


def _embedded(
    hidden: Layers, directions: Float[np.ndarray, "K H"], scaled: Float[np.ndarray, "N D"]
) -> Float[np.ndarray, "N K"]:
    return forward((*hidden, (directions, np.zeros(len(directions)))), scaled)


def _principal(value: Float[np.ndarray, "N D"], count: int) -> Float[np.ndarray, "K D"]:
    """Directions of the greatest variance, each of length 1 with its largest entry positive; all axes for 0."""
    size = value.shape[1]
    if count == 0 or count >= size:
        return np.eye(size)
    found = np.linalg.svd(value - value.mean(axis=0), full_matrices=False)[2][:count]
    largest = np.take_along_axis(found, np.abs(found).argmax(axis=1)[:, None], axis=1)
    return np.asarray(found * np.sign(largest))
