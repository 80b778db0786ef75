"""The action without states: what is left of discovery when nothing is asked of what comes before and after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perception.states.pseudo_labels import Labelled, PseudoLabels
from perception.states.stack import Stack


@dataclass(frozen=True, kw_only=True)
class ActionAlone(PseudoLabels):
    """Self-training of the action's classifier alone: windows near the action against windows far from it.

    A baseline of joint discovery (Alayrac et al., ICCV 2017, section 5, "action only"). The states that it returns are
    windows on either side of the action that stand for nothing.
    """

    def _learned(self, value: np.ndarray, positive: np.ndarray, negative: np.ndarray, unseen: np.ndarray) -> np.ndarray:
        result = np.ones((len(unseen), 3))
        result[:, 1] = super()._learned(value, positive, negative, unseen)[:, 1]
        return result

    def _examples(self, stack: Stack, labelled: Labelled) -> tuple[np.ndarray, np.ndarray]:
        positive, negative = np.zeros((2, len(stack.middle), 3))
        for c in range(stack.clips):
            rows, relevance = stack.rows(c), labelled.relevance[c]
            distance = np.abs(stack.middle[rows] - stack.middle[rows][labelled.window[c, 1]])
            near = distance <= self.reach
            far = (distance >= min(self.far, np.quantile(distance, 0.75))) & ~near
            positive[rows, 1] = near * (relevance / near.sum())
            negative[rows, 1] = far * (relevance / max(1, far.sum()))
        return positive, negative
