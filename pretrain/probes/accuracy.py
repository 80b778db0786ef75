"""Accuracy of class scores, windows of a video summed."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def summed(score: Float[np.ndarray, "W K"], video: Int[np.ndarray, "W"], videos: int) -> Float[np.ndarray, "V K"]:
    """Sum of the scores of the windows of each video; `video` is the number of the one that a window is of."""
    total = np.zeros((videos, score.shape[1]))
    np.add.at(total, video, score)
    return total


def top_1(score: Float[np.ndarray, "N K"], label: Int[np.ndarray, "N"]) -> float:
    """Share [%] of examples whose own class has the highest score; an n-fold tie for it counts 1/n."""
    own = np.take_along_axis(score, label[:, None], axis=1)
    beaten, tied = (score > own).any(axis=1), (score == own).sum(axis=1)
    return 100 * float(np.mean(np.where(beaten, 0.0, 1 / tied)))


def majority(train: Int[np.ndarray, "N"], test: Int[np.ndarray, "M"]) -> float:
    """Accuracy [%] of always saying the commonest class of the training examples; of several, their mean."""
    count = np.bincount(train)
    commonest = np.flatnonzero(count == count.max())
    return 100 * float(np.mean([np.mean(test == k) for k in commonest]))
