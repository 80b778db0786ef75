"""True rewards of this house's tasks as functions of observed transitions, for EPIC and DARD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from policies.rewards.evaluation.canonical.epic import TransitionReward
from sim.tasks.nail import SOLVED


def true_reward(environment: Mapping[str, Any], obs_names: Sequence[str]) -> TransitionReward | None:
    """The sparse reward of the task that data come from; None where no observation tells it.

    Hammer: 1 for the transition in which the nail is driven by 95 % of its stroke. That a hit by something else than
    the face spoils an episode is not observed, and left out.
    """
    if environment.get("task") != "hammer" or "driven" not in obs_names:
        return None
    column = list(obs_names).index("driven")

    def driven(
        s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"], s_next: Float[np.ndarray, "N D"]
    ) -> Float[np.ndarray, "N"]:
        return ((s[:, column] < SOLVED) & (s_next[:, column] >= SOLVED)).astype(float)

    return driven
