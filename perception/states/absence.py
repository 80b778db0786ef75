"""Does a clip show its final state, or does it end during the action? A test that asks for evidence.

A discoverer names the best window after the action, and where all clips end in the same way, its classifiers find that
window convincing in each of them. So a final state counts only where it stands out from the action: its window must be
told from the action better than windows are that are known to come too early. Those are had by cutting clips off at
their action: what the classifiers then take for a final state is none. The statistic is the log-odds of the final state
less those of the action; from the values in cut clips of other recordings follows, by Student's t, the chance of a
value as great as the one seen if the clip ends before its final state. The fewer recordings there are, the more it
takes; a single one, in however many cuts, shows nothing.

So it is taken for granted that a clip which ends early looks like the others up to their action. Where few clips show
the final state, what was learned for one may be a late part of the action, which no cut holds: then the chance is too
low (`docs/states.md` has by how much).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from perception.states.order import ABSENT, best_triple
from perception.states.recordings import recordings
from perception.states.stack import LEAST_STEPS, Stack

PROVABLE = 3
"""Recordings from which on a final state can be proved: its own, and two others whose spread is a measure."""
_FLOOR = 1e-6
"""Probabilities are not taken for smaller, nor for nearer to 1."""
_LEAST_SPREAD = 0.1
"""Of log-odds in cut clips, below which their being alike is chance."""


def chance_of_final(
    stack: Stack, scores: Sequence[Float[np.ndarray, "_ 3"]], window: Int[np.ndarray, "C 3"]
) -> Float[np.ndarray, "C"]:
    """Chance of a final state as distinct as the one named, in a clip that shows none; 1 where none is named.

    Args:
        stack: of all clips.
        scores: probabilities of initial state, action and final state in each window, best by classifiers of other
            clips.
        window: named in each clip, -1 for none.
    """
    recording = recordings(stack)
    pieces = list(zip(scores, stack.split(stack.step), window, strict=True))
    seen = np.array([_distinct(score, own) for score, _, own in pieces])
    cut = np.array([_when_cut(score, step, int(own[1])) for score, step, own in pieces])
    return np.array([
        1.0 if own[2] == ABSENT else _chance(value, _others(cut, recording, c))
        for c, (value, own) in enumerate(zip(seen, window, strict=True))
    ])  # fmt: skip


def _distinct(score: np.ndarray, window: np.ndarray) -> float:
    """Log-odds of the final state less those of the action, at the window of the final state."""
    if window[2] == ABSENT:
        return -np.inf
    odds = score[window[2]].clip(_FLOOR, 1 - _FLOOR)
    return float(np.log(odds[2] / (1 - odds[2])) - np.log(odds[1] / (1 - odds[1])))


def _when_cut(score: np.ndarray, step: np.ndarray, action: int) -> float:
    """What would be found if the clip ended with the moment of its action; NaN where that leaves no three moments."""
    until = int(np.searchsorted(step, step[action], side="right"))
    if step[until - 1] + 1 < LEAST_STEPS:
        return np.nan
    logarithm = np.log(np.maximum(score[:until], _FLOOR))
    return _distinct(score, best_triple(logarithm, step[:until]))


def _others(cut: np.ndarray, recording: np.ndarray, clip: int) -> np.ndarray:
    """One value of each other recording that has any, its greatest."""
    usable = np.isfinite(cut) & (recording != recording[clip])
    return np.array([cut[usable & (recording == r)].max() for r in np.unique(recording[usable])])


def _chance(value: float, null: np.ndarray) -> float:
    """Of a further draw, from the normal distribution of some draws, that is as great as a value."""
    from scipy.special import stdtr

    if len(null) < PROVABLE - 1:
        return 1.0
    spread = max(float(null.std(ddof=1)), _LEAST_SPREAD) * np.sqrt(1 + 1 / len(null))
    return float(stdtr(len(null) - 1, (null.mean() - value) / spread))
