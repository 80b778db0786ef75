"""Whether a learned residual is kept: it is tried beside zero, in episodes that neither training nor judging meets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from policies.agents import PolicyAgent
from policies.evaluate import play
from policies.policy import Policy
from policies.trials import Trial
from records import Demonstration


class Validation(NamedTuple):
    """Share of validation episodes that are solved."""

    residual: float
    """With the learned residual."""
    base: float
    """With what it corrects alone: a residual of zero."""
    episodes: int

    @property
    def kept(self) -> bool:
        """Whether the residual solves more: where it does not, what costs nothing is as good."""
        return self.residual > self.base

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**self._asdict(), "kept": self.kept}


def validate(policy: Policy, demonstration: Demonstration, under: Trial, episodes: int) -> Validation:
    """Try a policy and its base in the same episodes.

    Args:
        policy: deterministic, as it would be used.
        demonstration: what it corrects.
        under: conditions of training.
        episodes: how many.
    """
    env = under.environment(demonstration, action=policy.acts)
    seeds = validation_seeds(policy.settings.seed, episodes)
    try:
        solved = [
            float(play(env, PolicyAgent(one), seeds, name="policy", told=(k * episodes, 2 * episodes)).success.mean())
            for k, one in enumerate((policy, silent(policy)))
        ]
    finally:
        env.close()
    return Validation(residual=solved[0], base=solved[1], episodes=episodes)


def silent(policy: Policy) -> Policy:
    """The same policy with a residual of zero: its base."""
    *before, (weight, bias) = policy.layers
    return Policy(policy.settings, (*before, (np.zeros_like(weight), np.zeros_like(bias))))


def validation_seeds(seed: int, count: int) -> Sequence[int]:
    """Seeds of episodes, 2^32 and more: those of training and of judging are less."""
    return [int(k) + 2**32 for k in np.random.SeedSequence([seed, 3]).generate_state(count)]
