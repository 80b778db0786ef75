"""One figure of a reward: the chance that it puts a success first, wherever a policy that learns from it may look.

Learning climbs what is paid. What it finds is as good as the worst of what is paid more than a success, so that a
reward needs to be right in three places at once: where exploration fails by chance, where it nearly succeeds, and where
an optimiser ends that knows nothing but the reward. The three chances are multiplied, for one that is low is not made
good by the others (Goodhart's law). How a reward orders the moments of a success, or how far it is from the truth in
form, is no part of it: neither changes which policy is best paid.

The figure was settled by this reasoning, before its first comparison with policies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from policies.rewards.evaluation.hacking import Hacking
from policies.rewards.evaluation.intervals import UNDEFINED, Estimate, bootstrap
from policies.rewards.evaluation.separation import auc


class Worth(NamedTuple):
    """Chances that a success is paid more, by the return that a policy would be paid (`policies.rewards.online`)."""

    failures: Estimate = UNDEFINED
    """Than a failure."""
    near: Estimate = UNDEFINED
    """Than a near miss."""
    optimised: float = math.nan
    """That an episode in which the reward alone was optimised is solved: (solved + 1) / (episodes + 2), Laplace's rule
    of succession, for few episodes prove neither."""

    def parts(self) -> Mapping[str, float]:
        """Those that are defined."""
        found = {"failures": self.failures.value, "near": self.near.value, "optimised": self.optimised}
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def together(self, names: Sequence[str] | None = None) -> float:
        """Product of the named parts, by default of all that are defined; not a number without any."""
        parts = self.parts()
        chosen = [parts[name] for name in (parts if names is None else names)]
        return float(np.prod(chosen)) if chosen else math.nan

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        known = self.optimised if math.isfinite(self.optimised) else None
        return {"failures": self.failures.plain(), "near": self.near.plain(), "optimised": known}


def worth(
    successes: Float[np.ndarray, "S"],
    failures: Float[np.ndarray, "F"],
    near: Float[np.ndarray, "M"],
    hacking: Hacking | None = None,
    *,
    seed: int = 0,
) -> Worth:
    """Of the returns that episodes are paid.

    Args:
        successes: returns of episodes that succeed, see `policies.rewards.online.paid_in`.
        failures: of those that fail.
        near: of near misses.
        hacking: what optimising the reward bought, where it was tried.
        seed: of the bootstrap.
    """
    return Worth(_first(successes, failures, seed), _first(successes, near, seed), optimised(hacking))


def optimised(hacking: Hacking | None) -> float:
    """See `Worth.optimised`; not a number where it was not tried."""
    if hacking is None or not hacking.probes:
        return math.nan
    return (sum(p.best_solves for p in hacking.probes) + 1) / (len(hacking.probes) + 2)


def _first(good: np.ndarray, bad: np.ndarray, seed: int) -> Estimate:
    if not len(good) or not len(bad):
        return UNDEFINED
    score, success = np.concatenate([good, bad]), np.arange(len(good) + len(bad)) < len(good)
    return bootstrap(lambda index: auc(score[index], success[index]), len(score), seed=seed)
