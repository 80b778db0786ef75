"""Figures over episodes with their 95 % intervals, by the bootstrap: episodes are drawn again, with replacement."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

REPEATS = 1000


class Estimate(NamedTuple):
    """A figure over episodes; not a number where it is not defined for them."""

    value: float
    low: float
    """Lower end of the 95 % interval (percentiles of the bootstrap)."""
    high: float
    """Upper end."""
    episodes: int

    @property
    def defined(self) -> bool:
        """Whether there is a figure at all."""
        return math.isfinite(self.value)

    def plain(self) -> dict[str, Any]:
        """As JSON holds it: None for what is not defined."""
        return {name: v if math.isfinite(v) else None for name, v in self._asdict().items()}


UNDEFINED = Estimate(math.nan, math.nan, math.nan, 0)


def bootstrap(
    statistic: Callable[[Int[np.ndarray, "N"]], float], count: int, *, seed: int = 0, repeats: int = REPEATS
) -> Estimate:
    """A statistic of episodes, and of samples of them.

    Args:
        statistic: of the numbers of episodes; not a number where it is not defined, as of a sample without failures.
        count: episodes.
        seed: of the samples.
        repeats: samples; those where the statistic is not defined are left out.
    """
    if count < 1:
        return UNDEFINED
    rng = np.random.default_rng([seed, 13])
    found = np.array([statistic(rng.integers(count, size=count)) for _ in range(repeats)])
    found = found[np.isfinite(found)]
    low, high = np.quantile(found, (0.025, 0.975)) if found.size else (math.nan, math.nan)
    return Estimate(float(statistic(np.arange(count))), float(low), float(high), count)


def mean_of(values: Float[np.ndarray, "N"], *, seed: int = 0) -> Estimate:
    """Mean over episodes; those that are not a number are left out."""
    known = values[np.isfinite(values)]
    return bootstrap(lambda index: float(known[index].mean()), len(known), seed=seed)


def rank_correlation(a: Float[np.ndarray, "N"], b: Float[np.ndarray, "N"]) -> float:
    """Spearman's correlation; ties share their ranks. Not a number where one of them does not vary."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def ranks(value: Float[np.ndarray, "N"]) -> Float[np.ndarray, "N"]:
    """Ranks from 1; ties have their mean rank."""
    _, place, count = np.unique(value, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]
