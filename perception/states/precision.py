"""Precision@1: is the one moment that was chosen for the initial state, the action and the end state a right one?

Alayrac et al., Joint Discovery of Object States and Manipulation Actions, ICCV 2017, section 5; Soucek et al., Look for
the Change, CVPR 2022, section 4. A clip has one choice of each. What it is worth without looking at the clip stands in
`perception.states.floors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from perception.states.discovery import Discovery

UNKNOWN, BACKGROUND, INITIAL, ACTION, FINAL = -1, 0, 1, 2, 3
"""Labels of the windows of a clip; what nobody knows is neither right nor wrong."""
ORDER = (INITIAL, ACTION, FINAL)
"""Of what is chosen."""
NONE = -1
"""Chosen: the clip does not show it."""


class Precision(NamedTuple):
    """Shares from 0 to 1."""

    state: float
    """Mean of initial and end state."""
    action: float


def chosen_of(found: Discovery) -> Int[np.ndarray, "C 3"]:
    """Windows that were chosen in each clip: initial state, action, end state."""
    return np.stack([found.initial, found.action, found.final], axis=1)


def hits(labels: Sequence[Int[np.ndarray, "_"]], chosen: Int[np.ndarray, "C 3"]) -> Float[np.ndarray, "C 3"]:
    """Whether each choice is right (1) or not (0), as in the papers; NaN where nobody knows the label.

    What was not chosen (`NONE`) is not right, whether the clip shows it or not.

    Args:
        labels: of the windows of each clip.
        chosen: windows by clip, in the order of `ORDER`.
    """
    right = np.zeros(chosen.shape)
    for c, (label, windows) in enumerate(zip(labels, chosen.tolist(), strict=True)):
        for k, (window, wanted) in enumerate(zip(windows, ORDER, strict=True)):
            if window != NONE:
                right[c, k] = np.nan if label[window] == UNKNOWN else label[window] == wanted
    return right


def hits_with_absence(
    labels: Sequence[Int[np.ndarray, "_"]], chosen: Int[np.ndarray, "C 3"]
) -> Float[np.ndarray, "C 3"]:
    """As `hits`; but where a clip does not show something, to choose `NONE` is right, and nothing else is."""
    right = hits(labels, chosen)
    for c, label in enumerate(labels):
        for k, wanted in enumerate(ORDER):
            if not (label == wanted).any():
                right[c, k] = np.nan if (label == UNKNOWN).any() else chosen[c, k] == NONE
    return right


def precision(right: Float[np.ndarray, "C 3"], groups: Sequence[str] | None = None) -> Precision:
    """Mean over the clips of a group, then over the groups (ChangeIt: categories); by default all are one group.

    Args:
        right: from `hits`, or a probability of being right.
        groups: one a clip.
    """
    names = np.array(["all"] * len(right) if groups is None else list(groups))
    means = np.array([np.nanmean(right[names == name], axis=0) for name in np.unique(names)])
    initial, action, final = means.mean(axis=0).tolist()
    return Precision((initial + final) / 2, action)
