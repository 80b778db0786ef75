"""Do the clips share a change at all? A test against clips whose time runs backwards.

A discoverer always finds something, and what it finds looks convincing in the clips that it was found in. So it is told
nothing of some of the clips; there, classifiers of what it found in the others should find their best triple in order
(initial state, action, final state) more probable than the best triple in the opposite order (final state, action,
initial state). If a clip shows no change that the others show, it might as well run backwards: either may win, and the
chance of a mean advantage as great as the one seen follows from flipping signs of the clips' advantages. Of clips that
are cuts of one recording (`perception.states.recordings`) the longest counts: each of them would be told from its
reversal by what was learned from another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from perception.states.order import at_windows, best_triple
from perception.states.recordings import one_of_each
from perception.states.ridge import Ridge
from perception.states.stack import Stack

_MOST_CLIPS = 100
"""Of more, so many are drawn for the test."""
_FEWEST, _MOST = 2, 5
"""Parts into which clips are split: many parts leave more clips to discover in, which counts where there are few."""
_REGULARISATION = 1e-2
_FLIPS = 4095
"""Random flips of signs beside the ones seen."""
PROVABLE = 5
"""Recordings from which on the chance can be as low as 1 in 32; of fewer, flips of signs prove nothing."""


class Evidence(NamedTuple):
    """How much speaks for a change."""

    advantage: Float[np.ndarray, "_"]
    """Of the right order over the opposite one in each recording tested, in scores of about 0 to 1 added up."""
    chance: float
    """Of a mean advantage as great as the one seen, if no clip showed the change."""


def evidence(
    stack: Stack,
    discover_in: Callable[[Stack, Sequence[int]], Sequence[Float[np.ndarray, "_ 3"]]],
    seed: int,
) -> Evidence | None:
    """Test for a change that the clips share; None where their recordings are fewer than `PROVABLE`.

    Args:
        stack: of all clips.
        discover_in: discovers in a stack of some clips, given their numbers too; returns the scores of their windows.
        seed: of the split into parts and of the flips.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(stack.clips)[:_MOST_CLIPS]
    tested = drawn[one_of_each(stack.part(drawn.tolist()))]
    if len(tested) < PROVABLE:
        return None
    parts = int(np.clip(_MOST_CLIPS // len(tested), _FEWEST, _MOST))
    advantage = []
    for unseen in np.array_split(tested, parts):
        others = np.setdiff1d(tested, unseen).tolist()
        seen = stack.part(others)
        score = np.concatenate(discover_in(seen, others))
        ridge = Ridge(seen.value, _REGULARISATION)
        weight = ridge.weight(ridge.correlation(score))
        for c in unseen.tolist():
            rows = stack.rows(c)
            own = ridge.predicted(stack.value[rows], weight, score.mean(axis=0))
            advantage.append(_best(own, stack.step[rows]) - _best(own[:, ::-1], stack.step[rows]))
    return Evidence(np.array(advantage), _chance(np.array(advantage), rng))


def _best(score: np.ndarray, step: np.ndarray) -> float:
    return float(at_windows(score, best_triple(score, step), 0.0).sum())


def _chance(advantage: np.ndarray, rng: np.random.Generator) -> float:
    """Share of flips of signs, the actual one included, whose mean is not smaller."""
    sign = rng.choice([-1.0, 1.0], (_FLIPS, len(advantage)))
    seen = float(advantage.mean())
    reached = (sign @ advantage / len(advantage) >= seen - _ROUNDING).sum()
    return float((1 + reached) / (1 + _FLIPS))


_ROUNDING = 1e-12
