"""Labels of a clustering settle: each clip is labelled by classifiers learned from the labels of the other clips alone.

Ridge costs favour few labelled windows, as a rare label costs little even if it cannot be predicted; and among
clusterings, the lowest cost favours what is odd in each clip by itself. What clips share is what can be predicted from
one to another: the share of the labels' variance that classifiers of the other clips explain, which does not depend on
how rare a label is, tells better and worse clusterings apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from perception.states.likelihood import likelihood
from perception.states.relaxation import Problem
from perception.states.vertices import least_vertex
from records.progress import tell_progress


class Settled(NamedTuple):
    """Labels, and what the other clips say of them."""

    label: Float[np.ndarray, "N 3"]
    probability: Float[np.ndarray, "N 3"]
    """Of each label in each window, by classifiers of the other clips."""
    explained: float
    """Share of variance that those classifiers explain, added up over the labels; may be negative."""


def settled(
    problem: Problem, labels: Sequence[Float[np.ndarray, "N 3"]], *, rounds: int, absent: tuple[float, float]
) -> Settled:
    """Settle each of several clusterings, and return the state of any that the other clips explain best.

    All go on side by side, as what costs time does not depend on how many they are.

    Args:
        problem: what was clustered.
        labels: allowed ones, from clusterings with different starts.
        rounds: at most.
        absent: probability that all windows must stay below for there to be no initial, no final state.
    """
    seen = _judged(problem, labels)
    for k in range(rounds):
        new = [_labelled_by_others(problem, one.probability, absent) for one in seen[-len(labels) :]]
        labels = [label for label in new if label.any(axis=0).all() and not _known(label, seen)]
        tell_progress("settling labels", k + 1, rounds)
        if not labels:
            break
        seen += _judged(problem, labels)
    return max(seen, key=lambda one: one.explained)


def _known(label: np.ndarray, seen: Sequence[Settled]) -> bool:
    return any(np.array_equal(label, one.label) for one in seen)


def _judged(problem: Problem, labels: Sequence[np.ndarray]) -> list[Settled]:
    scores = np.split(_left_out(problem, np.hstack(labels)), len(labels), axis=1)
    judged = []
    for label, score in zip(labels, scores, strict=True):
        explained = 1 - ((label - score) ** 2).mean(axis=0) / label.var(axis=0)
        judged.append(Settled(label, likelihood(score, label), float(explained.sum())))
    return judged


def _left_out(problem: Problem, label: Float[np.ndarray, "N K"]) -> Float[np.ndarray, "N K"]:
    """Scores of each clip's windows by classifiers of the other clips' labels; of a single clip, by its own."""
    start = problem.stack.start.tolist()
    result = np.empty(label.shape)
    action = np.arange(label.shape[1]) % 3 == 1
    shares = [(problem.action, action), (problem.states, ~action)]
    if problem.action is problem.states:
        shares = [(problem.action, np.ones(label.shape[1], bool))]
    for ridge, columns in shares:
        own = label[:, columns]
        if len(start) > 2:
            result[:, columns] = ridge.left_out(own, start)
        else:
            weight = ridge.weight(ridge.correlation(own))
            result[:, columns] = ridge.predicted(problem.stack.value, weight, own.mean(axis=0))
    return result


def _labelled_by_others(problem: Problem, probability: np.ndarray, absent: tuple[float, float]) -> np.ndarray:
    """Allowed labels of the greatest probability above even, clip by clip."""
    cost = 1 - 2 * probability
    cost[:, 1] -= problem.bonus
    stack = problem.stack
    without = (_cost_of_absence(absent[0]), _cost_of_absence(absent[1]))
    pieces = zip(stack.split(cost), stack.split(stack.step), problem.shortest, strict=True)
    return np.concatenate([least_vertex(own, step, shortest, without) for own, step, shortest in pieces])


def _cost_of_absence(probability: float) -> float:
    """That of labelling a window which has the label with this probability."""
    return 1 - 2 * probability if probability > 0 else np.inf
