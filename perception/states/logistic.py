"""Two classes told apart by a weighted logistic regression."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_RATE, _DECAY, _SQUARE_DECAY, _SMALL = 0.05, 0.9, 0.999, 1e-8
"""Adam's step and decays (Kingma et al., ICLR 2015), the step for inputs whose mean squared length is 1."""


def fit_logistic(
    x: Float[np.ndarray, "N D"],
    positive: Float[np.ndarray, "N"],
    weight: Float[np.ndarray, "N"],
    *,
    decay: float,
    steps: int,
    start: Float[np.ndarray, "D+1"] | None = None,
) -> Float[np.ndarray, "D+1"]:
    """Plane and offset of least weighted cross-entropy + decay/2 |plane|^2, by Adam on all examples at once.

    Args:
        x: examples.
        positive: 1 for an example of the class, 0 for one of the other.
        weight: of each example; both classes are given the same sum, so that the rarer is not overlooked.
        decay: of the plane; the offset is free.
        steps: of Adam.
        start: where to begin; from zero if not given.
    """
    v = np.zeros(x.shape[1] + 1) if start is None else start.astype(np.float64)
    share = _balanced(weight, positive)
    mean, square = np.zeros_like(v), np.zeros_like(v)
    for k in range(1, steps + 1):
        surplus = share * (probability(x, v) - positive)
        gradient = np.r_[(surplus.astype(x.dtype) @ x) + decay * v[:-1], surplus.sum()]
        mean = _DECAY * mean + (1 - _DECAY) * gradient
        square = _SQUARE_DECAY * square + (1 - _SQUARE_DECAY) * gradient**2
        step = mean / (1 - _DECAY**k) / (np.sqrt(square / (1 - _SQUARE_DECAY**k)) + _SMALL)
        v = v - _RATE * step
    return v


def probability(x: Float[np.ndarray, "N D"], v: Float[np.ndarray, "D+1"]) -> Float[np.ndarray, "N"]:
    """Probability of the class."""
    return sigmoid(np.asarray(x @ v[:-1].astype(x.dtype), np.float64) + v[-1])


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def _balanced(weight: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Weights whose sum is 1/2 in either class."""
    of_class = np.array([weight @ (1 - positive), weight @ positive])
    each = 0.5 / np.where(of_class > 0, of_class, 1.0)
    return weight * np.where(positive > 0, each[1], each[0])
