"""What the order of initial state, action and final state allows in one clip, and the best of it, exactly."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def best_triple(score: Float[np.ndarray, "N 3"], step: Int[np.ndarray, "N"]) -> Int[np.ndarray, "3"]:
    """Windows i, a, f of time steps i < a < f with the greatest score[i, 0] + score[a, 1] + score[f, 2].

    A running maximum from either end: exact, in N operations. Of equal sums the earliest windows win.
    """
    per_step, window = by_step(score, step)
    before, after = earlier_best(per_step[:, 0]), later_best(per_step[:, 2])
    total = before.value[:-2] + per_step[1:-1, 1] + after.value[2:]
    a = int(np.argmax(total)) + 1
    i, f = before.where[a - 1], after.where[a + 1]
    return np.array([window[i, 0], window[a, 1], window[f, 2]])


class Running:
    """Greatest value so far at each step, and where it is."""

    def __init__(self, value: Float[np.ndarray, "T"]) -> None:
        """Scan `value` from its first step on; the first of equals stays."""
        self.value = np.maximum.accumulate(value)
        new = np.r_[True, value[1:] > self.value[:-1]]
        self.where = np.maximum.accumulate(np.where(new, np.arange(len(value)), 0))


def earlier_best(value: Float[np.ndarray, "T"]) -> Running:
    """Greatest value at each step or before."""
    return Running(value)


def later_best(value: Float[np.ndarray, "T"]) -> Running:
    """Greatest value at each step or after."""
    scan = Running(value[::-1])
    scan.value, scan.where = scan.value[::-1], len(value) - 1 - scan.where[::-1]
    return scan


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
