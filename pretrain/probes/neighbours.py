"""k nearest neighbours: the label that most of the nearest training examples carry."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from pretrain.probes.scaling import unit

_BLOCK = 1024
"""Test examples that are compared at once."""


def nearest_labels(
    train: Float[np.ndarray, "N D"],
    label: Int[np.ndarray, "N"],
    test: Float[np.ndarray, "M D"],
    classes: int,
    *,
    k: int,
    temperature: float | None = None,
) -> Float[np.ndarray, "M K"]:
    """Votes for each class by the `k` training examples of the highest cosine.

    Each votes with its cosine or, with a temperature, with exp(cosine / temperature) as in Wu et al., CVPR 2018. A
    negative cosine votes nothing. Where `k` is more than the training examples, all vote.

    Args:
        train: training examples.
        label: class of each, from 0.
        test: examples that are voted on.
        classes: K.
        k: voters.
        temperature: of the weights.
    """
    train, test = unit(train), unit(test)
    k = min(k, len(train))
    votes = np.zeros((len(test), classes))
    for start in range(0, len(test), _BLOCK):
        cosine = test[start : start + _BLOCK] @ train.T
        voters = np.argpartition(-cosine, k - 1, axis=1)[:, :k]
        weight = np.take_along_axis(cosine, voters, axis=1)
        weight = np.maximum(weight, 0) if temperature is None else np.exp((weight - 1) / temperature)
        rows = np.repeat(np.arange(len(cosine)), k)
        np.add.at(votes[start : start + _BLOCK], (rows, label[voters].ravel()), weight.ravel())
    return votes
