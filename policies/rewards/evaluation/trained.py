"""Success of policies that learned from a reward, beside those that learned from the sparse truth, and what is free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from policies.evaluate import Outcome
from policies.rewards.online import Paying, paid_in
from policies.rewards.reward import Reward, RewardError, Watched
from policies.seeds import Aggregate, train_seeds
from policies.training import Training
from records import Demonstration
from sim.conditions import USUAL, Spread

TRUTH = "sparse truth"


class Trained(NamedTuple):
    """Success of the policies of all seeds together, by what they learned from."""

    found: Mapping[str, Aggregate]

    @property
    def free(self) -> Outcome:
        """Of what the policies correct, such as the shifted demonstration."""
        return next(iter(self.found.values())).base_total

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {name: one.plain() for name, one in self.found.items()}


def train_on(
    rewards: Mapping[str, Paying],
    demonstration: Demonstration,
    folder: Path,
    *,
    training: Training | None = None,
    spread: Spread = USUAL,
    seeds: Sequence[int] = (0, 1, 2),
    episodes: int = 100,
) -> Trained:
    """Train policies with each reward and with the sparse truth, under the same seeds, and judge all by true success.

    No policy is validated by true success, so that the truth has no part in what is learned from a reward.

    Args:
        rewards: how each is paid (see `scale_of`), by what it is called.
        demonstration: what policies correct.
        folder: kept there; a training that was stopped goes on.
        training: how.
        spread: how the conditions of episodes are drawn.
        seeds: of training.
        episodes: that each policy is judged in.

    Raises:
        RewardError: a reward cannot be paid while learning.
    """
    asked = (training or Training())._replace(validation=0)
    found = {}
    for name, paying in {TRUTH: None, **rewards}.items():
        where = folder / name.replace("/", "_").replace(" ", "_")
        found[name] = train_seeds(
            demonstration, where, seeds, training=asked._replace(paying=paying), spread=spread, episodes=episodes
        )
    return Trained(found)


def scale_of(reward: Reward, data: Sequence[Watched]) -> float:
    """Factor that makes the returns of recorded episodes differ by about 1.

    Args:
        reward: any.
        data: episodes with what it looks at.

    Raises:
        RewardError: the reward cannot judge them, or pays the same for all.
    """
    horizon = max(len(episode) for episode in data)
    spread = float(np.std([paid_in(reward, episode, horizon) for episode in data]))
    if not spread > 0:
        raise RewardError(f"{reward.name}: pays the same for all {len(data)} episodes: nothing can be learned from it")
    return 1 / spread
