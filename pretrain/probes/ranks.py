"""Retrieval: at which place of a gallery the right entry is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

PLACES = (1, 5, 10)
"""Of R@1, R@5 and R@10."""


def ranks(score: Float[np.ndarray, "Q N"], right: Int[np.ndarray, "Q"]) -> Float[np.ndarray, "Q"]:
    """Place of the right entry for each query, from 1; entries of equal score share the mean of their places.

    A score that is not finite would beat or lose to everything silently, so it is refused.

    Args:
        score: of every entry of the gallery for every query.
        right: number of the entry that belongs to each query.

    Raises:
        ValueError: a score that is not finite.
    """
    if not np.isfinite(score).all():
        raise ValueError("scores that are not finite cannot be ranked")
    own = np.take_along_axis(score, right[:, None], axis=1)
    return 0.5 + (score > own).sum(axis=1) + (score == own).sum(axis=1) / 2


def retrieval_figures(rank: Float[np.ndarray, "Q"], places: Sequence[int] = PLACES) -> dict[str, float]:
    """Share of queries [%] whose right entry is among the first k, and the median place.

    A shared place counts as within the first k if it is at most k.
    """
    figures = {f"R@{k}": 100 * float(np.mean(rank <= k)) for k in places}
    return figures | {"MedR": float(np.median(rank))}


def chance_of_retrieval(count: int, places: Sequence[int] = PLACES) -> dict[str, float]:
    """The same figures of a random order of `count` entries, each with one query."""
    figures = {f"R@{k}": 100 * min(k, count) / count for k in places}
    return figures | {"MedR": (count + 1) / 2}
