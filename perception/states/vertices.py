"""Labels that one clip may have, and those of least linear cost, exactly.

Allowed are: the initial state at one moment or more, then one uninterrupted action, then the final state at one moment
or more; moments in between may bear no label (Alayrac et al., ICCV 2017, section 3.3). Relaxed labels are means of
such labels.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from perception.states.order import by_step


def least_vertex(
    cost: Float[np.ndarray, "N 3"],
    step: Int[np.ndarray, "N"],
    shortest: int = 1,
    absent: tuple[float, float] = (np.inf, np.inf),
) -> Float[np.ndarray, "N 3"]:
    """Allowed labels z (0 or 1: initial state, action, final state) with the least sum of cost * z.

    A dynamic programme over moments whose recursions are running sums and minima: the best labels before an action that
    begins at a moment, plus the action up to another one, plus the best labels after it. N operations.

    Args:
        cost: of each label of each window.
        step: time step of each window; of those that share one, at most one bears a label.
        shortest: least length of the action, in steps (shorter where the clip leaves no room).
        absent: cost of there being no initial, no final state at all.
    """
    negative, window = by_step(-cost, step)
    c = -negative
    T = len(c)
    shortest = min(shortest, T - 2 + int(np.isfinite(absent).sum()))
    before = _least_states(c[:, 0], absent[0])
    after = _least_states(c[::-1, 2], absent[1])[::-1]
    summed = np.r_[0.0, np.cumsum(c[:, 1])]
    begin = before[:-1] - summed[:-1]
    last = np.arange(shortest - 1, T)
    total = np.minimum.accumulate(begin)[last - shortest + 1] + summed[last + 1] + after[last + 1]
    end = int(last[np.argmin(total)])
    first = int(np.argmin(begin[: end - shortest + 2]))
    chosen = np.zeros((T, 3), bool)
    chosen[:first, 0] = _states_chosen(c[:first, 0], absent[0])
    chosen[first : end + 1, 1] = True
    chosen[end + 1 :, 2] = _states_chosen(c[end + 1 :, 2], absent[1])
    label = np.zeros(cost.shape)
    moment, kind = np.nonzero(chosen)
    label[window[moment, kind], kind] = 1.0
    return label


def _least_states(cost: Float[np.ndarray, "T"], absent: float) -> Float[np.ndarray, "T+1"]:
    """Least cost of labelling one or more of the first moments, or none, for each number of them from 0 on."""
    one_or_more = np.cumsum(np.minimum(cost, 0.0)) + np.maximum(np.minimum.accumulate(cost), 0.0)
    return np.minimum(np.r_[np.inf, one_or_more], absent)


def _states_chosen(cost: np.ndarray, absent: float) -> np.ndarray:
    """Which of the moments have the least cost."""
    which = cost < 0
    if not which.any() and len(cost) and cost.min() < absent:
        which[np.argmin(cost)] = True
    return which if cost[which].sum() < absent else np.zeros(len(cost), bool)


def random_vertex(step: Int[np.ndarray, "N"], rng: np.random.Generator, shortest: int = 1) -> Float[np.ndarray, "N 3"]:
    """Allowed labels around three moments that are drawn: one window each for the states, and the shortest action."""
    moments = np.sort(rng.choice(int(step[-1]) + 1, 3, replace=False))
    cost = np.ones((len(step), 3))
    for k in range(3):
        cost[rng.choice(np.flatnonzero(step == moments[k])), k] = -len(step)
    return least_vertex(cost, step, shortest)
