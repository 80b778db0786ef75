"""What every way of learning has in common, and the table of them.

A round starts with fresh episodes and its own seed, from which all of its chance follows. So what is learned depends on
the seed and the number of rounds alone, not on when the training was stopped or on how many processes it ran.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from records import Entry, Registry

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env import VecEnv

LEARNERS = Registry(
    "learner",
    {
        "ppo": Entry("policies.learners.ppo:PPOLearner", "proximal policy optimisation from the task's reward"),
        "sac": Entry("policies.learners.sac:SACLearner", "soft actor-critic from the task's reward: reuses experience"),
        "clone": Entry("policies.learners.cloning:Cloner", "imitates the shifted demonstration on its own states"),
        "dagger": Entry("policies.learners.cloning:Dagger", "imitates it on the states that the policy itself meets"),
    },
)

Layers = tuple[tuple[np.ndarray, np.ndarray], ...]
"""Weight (out, in) and bias (out,) of each layer of a network."""


class Round(NamedTuple):
    """What happened in a round of experience."""

    steps: int
    """Control steps."""
    success: list[bool]
    """Of the episodes that ended."""
    reward: list[float]
    """Their returns."""


@runtime_checkable
class Learner(Protocol):
    """One training. It is made with environments, its settings, a seed, and layers to start from (or None)."""

    squashed: bool
    """Whether the policy's output goes through tanh; else it is clipped."""
    decisions: int
    """Decisions in a round, over all environments."""

    def round(self, seed: int) -> Round:
        """Gather experience in fresh episodes, and learn from it."""

    def tensors(self) -> dict[str, np.ndarray]:
        """All that the next round depends on."""

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Return to where another learner of the same settings stood."""

    def layers(self) -> Layers:
        """The deterministic policy: tanh layers from what is seen to the action."""


class Tally:
    """Counts what environments tell at the end of each decision."""

    def __init__(self) -> None:
        self._steps = 0
        self._success: list[bool] = []
        self._reward: list[float] = []

    def add(self, infos: Sequence[Mapping[str, Any]]) -> None:
        """Note the decision of every environment."""
        for info in infos:
            self._steps += int(info["steps"])
            if "return" in info:
                self._success.append(bool(info["success"]))
                self._reward.append(float(info["return"]))

    def total(self) -> Round:
        """The round so far."""
        return Round(self._steps, self._success, self._reward)


def decisions_of(envs: VecEnv, wanted: int) -> int:
    """Decisions in a round: as many in every environment."""
    return envs.num_envs * max(1, wanted // envs.num_envs)
