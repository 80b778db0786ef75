"""Average precision of a ranking, with weights."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float


def average_precision(
    score: Float[np.ndarray, "N"], positive: Bool[np.ndarray, "N"], weight: Float[np.ndarray, "N"] | None = None
) -> float:
    """Sum of precision times the rise of recall, from the highest score to the lowest, in [0, 1].

    Entries of equal score are taken in at once. Precision and recall count each entry with its weight. It is the
    `average_precision_score` of scikit-learn.

    Raises:
        ValueError: no positive entry, or scores that are not finite.
    """
    if not positive.any():
        raise ValueError("without a positive entry there is no precision to average")
    if not np.isfinite(score).all():
        raise ValueError("scores that are not finite cannot be ranked")
    weight = np.ones(len(score)) if weight is None else weight
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    hits = np.cumsum((weight * positive)[order])[last]
    taken = np.cumsum(weight[order])[last]
    with np.errstate(invalid="ignore"):
        precision = np.where(taken > 0, hits / taken, 0.0)
    return float(np.sum(precision * np.diff(np.r_[0.0, hits])) / hits[-1])
