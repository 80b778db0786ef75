"""Scores of classifiers as probabilities that are comparable between clips and between labels."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from perception.states.logistic import sigmoid

_SMALLEST = 1e-12


def likelihood(score: Float[np.ndarray, "N K"], label: Float[np.ndarray, "N K"]) -> Float[np.ndarray, "N K"]:
    """Probability of each label given its score, labelled and other windows being equally frequent.

    Both have normal scores of one variance (linear discriminant analysis in one dimension). A label that no window
    bears, or whose windows do not score higher than the others, has probability 1/2 everywhere.
    """
    result = np.full(score.shape, 0.5)
    for k in range(score.shape[1]):
        bears = label[:, k] > 0
        if not bears.any() or bears.all():
            continue
        yes, no = score[bears, k], score[~bears, k]
        apart = yes.mean() - no.mean()
        variance = (yes.var() * len(yes) + no.var() * len(no)) / len(score)
        if apart > 0:
            halfway = (yes.mean() + no.mean()) / 2
            result[:, k] = sigmoid((score[:, k] - halfway) * apart / max(float(variance), _SMALLEST))
    return result
