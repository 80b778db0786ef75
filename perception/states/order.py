"""Three moments of one clip in order: initial state, action, final state."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

ABSENT = -1
"""In place of a window: the clip does not show it."""


def best_triple(
    score: Float[np.ndarray, "N 3"],
    step: Int[np.ndarray, "N"],
    absent: tuple[float, float] = (-np.inf, -np.inf),
) -> Int[np.ndarray, "3"]:
    """Windows i, a, f of time steps i < a < f with the greatest score[i, 0] + score[a, 1] + score[f, 2].

    A running maximum from either end: exact, in N operations. Of equal sums the earliest windows win.

    Args:
        score: of initial state, action, final state.
        step: time step of each window.
        absent: score of there being no initial, no final state; -1 is returned where that is best.
    """
    per_step, window = by_step(score, step)
    before, first = _running(np.r_[absent[0], per_step[:-1, 0]])
    after, last = _running(np.r_[absent[1], per_step[:0:-1, 2]])
    a = int(np.argmax(before + per_step[:, 1] + after[::-1]))
    i, f = int(first[a]) - 1, len(per_step) - int(last[::-1][a])
    return np.array([
        ABSENT if first[a] == 0 else window[i, 0],
        window[a, 1],
        ABSENT if last[::-1][a] == 0 else window[f, 2],
    ])  # fmt: skip


def log_absence(probability: tuple[float, float]) -> tuple[float, float]:
    """`absent` of `best_triple` for logarithms of probabilities: of a window that would be no worse than none."""
    with np.errstate(divide="ignore"):
        initial, final = np.log(probability)
    return float(initial), float(final)


def at_windows(score: Float[np.ndarray, "N 3"], window: Int[np.ndarray, "3"], absent: float) -> Float[np.ndarray, "3"]:
    """Score of each of the three windows, and `absent` where there is none."""
    return np.where(window == ABSENT, absent, score[window, [0, 1, 2]])


def by_step(
    score: Float[np.ndarray, "N K"], step: Int[np.ndarray, "N"]
) -> tuple[Float[np.ndarray, "T K"], Int[np.ndarray, "T K"]]:
    """Greatest score of the candidates of each time step, and the window that has it."""
    first = np.flatnonzero(np.r_[True, np.diff(step) > 0])
    if len(first) == len(score):
        return score, np.repeat(np.arange(len(score))[:, None], score.shape[1], axis=1)
    best = np.maximum.reduceat(score, first, axis=0)
    holds = np.where(score == best[step], np.arange(len(score))[:, None], len(score))
    return best, np.minimum.reduceat(holds, first, axis=0)


def _running(value: Float[np.ndarray, "T"]) -> tuple[Float[np.ndarray, "T"], Int[np.ndarray, "T"]]:
    """Greatest value so far, and where it is; the first of equals stays."""
    greatest = np.maximum.accumulate(value)
    new = np.r_[True, value[1:] > greatest[:-1]]
    return greatest, np.maximum.accumulate(np.where(new, np.arange(len(value)), 0))
