"""How well a reward tells success from failure, and orders episodes as their true return does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from policies.rewards.evaluation.intervals import UNDEFINED, Estimate, bootstrap, rank_correlation, ranks
from policies.rewards.reward import Reward, Watched, levels


class Scores(NamedTuple):
    """What a reward says of each of E episodes, in three ways."""

    total: Float[np.ndarray, "E"]
    """Sum over the steps: the return as it is earned. A positive reward makes of a longer episode more."""
    mean: Float[np.ndarray, "E"]
    """Mean over the steps: a longer episode gets no more for being long."""
    last: Float[np.ndarray, "E"]
    """Where things stand after the last step."""

    @classmethod
    def of(cls, reward: Reward, each: Sequence[Float[np.ndarray, "_"]]) -> Scores:
        """Sum up what a reward says of the steps of each episode."""
        total, mean = (np.array([f(steps) for steps in each]) for f in (np.sum, np.mean))
        return cls(total, mean, np.array([levels(reward, steps)[-1] for steps in each]))


class Figures(NamedTuple):
    """One figure for each of the three scores."""

    total: Estimate = UNDEFINED
    mean: Estimate = UNDEFINED
    last: Estimate = UNDEFINED

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {name: figure.plain() for name, figure in self._asdict().items()}


class Separation(NamedTuple):
    """Area under the curve: how often a success is paid more than a failure; 0.5 by chance, ties count half."""

    auc: Figures
    successes: int
    failures: int

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**self._asdict(), "auc": self.auc.plain()}


def separation(scores: Scores, success: Bool[np.ndarray, "E"], *, seed: int = 0) -> Separation:
    """Tell success from failure; not defined without one of each."""
    sides = int(success.sum()), int((~success).sum())
    if not all(sides):
        return Separation(Figures(), *sides)
    found = [
        bootstrap(lambda index, score=score: auc(score[index], success[index]), len(success), seed=seed)  # type: ignore[misc]
        for score in scores
    ]
    return Separation(Figures(*found), *sides)


def auc(score: Float[np.ndarray, "E"], success: Bool[np.ndarray, "E"]) -> float:
    """Area under the receiver operating characteristic, from ranks (Mann and Whitney)."""
    good = int(success.sum())
    bad = len(success) - good
    if not good or not bad:
        return math.nan
    return float((ranks(score)[success].sum() - good * (good + 1) / 2) / (good * bad))


def return_order(scores: Scores, episodes: Sequence[Watched], *, seed: int = 0) -> Figures:
    """Spearman's correlation with true returns; not defined where they are not known, or all the same."""
    known = [e.reward for e in episodes if e.reward is not None]
    true = np.array([float(np.sum(reward)) for reward in known])
    if not known or len(known) < len(episodes) or np.ptp(true) == 0:
        return Figures()
    return Figures(
        *(
            bootstrap(lambda index, s=score: rank_correlation(s[index], true[index]), len(true), seed=seed)  # type: ignore[misc]
            for score in scores
        )
    )
