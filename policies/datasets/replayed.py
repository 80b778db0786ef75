"""Pictures of episodes that were recorded without: the environment repeats them exactly from their seeds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from policies.datasets.dataset import DatasetError, steps_of
from policies.trials import Trial
from records import Demonstration, Episodes
from sim.actions import RESIDUAL, ActionModel


class Replayed:
    """Films the scene while an episode is repeated; close it after use."""

    def __init__(
        self,
        demonstration: Demonstration,
        under: Trial,
        *,
        follows: bool = True,
        action: ActionModel = RESIDUAL,
        size_hw: tuple[int, int] = (240, 320),
    ) -> None:
        """Make the environment in which the episodes were recorded.

        Args:
            demonstration: what the agent corrects.
            under: how the scene varied, and how sensors and actions erred.
            follows: whether the demonstration ran beneath the agent's actions.
            action: what these stand for.
            size_hw: height and width of the pictures [px].
        """
        self.size_hw = size_hw
        self._follows = follows
        self._env = under.environment(demonstration, action=action, render_mode="rgb_array", size_hw=size_hw)

    def of(self, episodes: Episodes, number: int, *, last: bool = False) -> Iterator[np.ndarray]:
        """Images (H, W, 3) uint8 before each step of episode `number`; with `last`, after the last one, too.

        Raises:
            DatasetError: the environment does not repeat the episode: it was recorded in another one.
        """
        episode = list(steps_of(episodes))[number]
        obs, _ = self._env.reset(seed=episode.seed, options={"follow": self._follows})
        for step, action in enumerate(episode.action):
            _check(obs, episode.obs[step], number, step)
            yield self._env.render()
            obs = self._env.step(action)[0]
        _check(obs, episode.obs[-1], number, len(episode))
        if last:
            yield self._env.render()

    def close(self) -> None:
        """Free the simulation."""
        self._env.close()

    def __enter__(self) -> Replayed:
        """Close it at the end of a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Free the simulation."""
        self.close()


def _check(obs: np.ndarray, recorded: np.ndarray, number: int, step: int) -> None:
    if not np.array_equal(obs, recorded):
        raise DatasetError(
            f"episode {number} cannot be repeated: after {step} steps the simulation differs from the record;"
            " pictures need the demonstration, noise and versions that the episodes were recorded with"
        )
