"""How well a figure of rewards foretells what policies learn from them, on one task or on several."""

from __future__ import annotations

import math

import numpy as np

from policies.rewards.evaluation.intervals import rank_correlation, ranks

RESAMPLED = 10_000
"""Permutations."""


def foretells(*tasks: tuple[np.ndarray, np.ndarray]) -> tuple[float, float, float, float]:
    """Spearman's correlation of figures with success, its 95 % interval, and the chance of as much without relation.

    Of several tasks, whose successes are not comparable, the mean of their correlations, each by its number of rewards.
    The interval is Fisher's, with the variance of Bonett and Wright (Psychometrika 2000): rewards are few, and to draw
    them again with replacement makes ties that bring the correlation about. The chance is that of permutations within
    tasks.

    Args:
        tasks: figure and success (N,) of each reward.
    """
    counts = [len(figure) for figure, _ in tasks]
    rho = float(np.average([rank_correlation(*task) for task in tasks], weights=counts))
    rng, drawn = np.random.default_rng(0), np.zeros(RESAMPLED)
    for task in tasks:
        one, other = ((rank - rank.mean()) / rank.std() for rank in map(ranks, task))
        drawn += rng.permuted(np.tile(other, (RESAMPLED, 1)), axis=1) @ one / sum(counts)
    chance = (1 + int(np.sum(drawn >= rho - 1e-9))) / (1 + RESAMPLED)
    free = sum(count - 3 for count in counts)
    if abs(rho) > 1 - 1e-9 or min(counts) < 4:  # nothing is left to estimate a spread from
        return rho, math.nan, math.nan, chance
    half = 1.96 * math.sqrt((1 + rho**2 / 2) / free)
    low, high = (math.tanh(math.atanh(rho) + sign * half) for sign in (-1, 1))
    return rho, low, high, chance
