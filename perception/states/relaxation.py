"""The relaxed problem of joint discovery, and its descent by block-coordinate Frank-Wolfe steps.

Alayrac et al., Joint Discovery of Object States and Manipulation Actions, ICCV 2017: minimise over labels

    alpha f(action) + (1 - alpha) g(states) + beta d(action, states),

where f and g are ridge costs in closed form and d is the distortion, which couples the two. The labels of a clip are
relaxed to means of allowed ones. As in Miech et al., Learning from video and text via large-scale discriminative
clustering, ICCV 2017, a step changes the labels of one clip: it costs that clip's windows, not all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from perception.states.distortion import distortion, gradient_of_distortion
from perception.states.ridge import Ridge
from perception.states.stack import Stack
from perception.states.vertices import least_vertex


class Objective(NamedTuple):
    """Parts of the objective, each with its factor."""

    action: float
    states: float
    distortion: float
    prior: float

    @property
    def total(self) -> float:
        """Their sum."""
        return float(sum(self))


class Problem(NamedTuple):
    """What is minimised."""

    stack: Stack
    action: Ridge
    states: Ridge
    alpha: float
    beta: float
    bonus: Float[np.ndarray, "N"]
    """What a window's being labelled action takes off the objective, times N: the weak prior."""
    shortest: tuple[int, ...]
    """Least length of the action in each clip, in steps."""

    @property
    def factor(self) -> Float[np.ndarray, "3"]:
        """Of the ridge costs of initial state, action, final state."""
        return np.array([1 - self.alpha, self.alpha, 1 - self.alpha])

    def weight(self, correlation: Float[np.ndarray, "D 3"]) -> Float[np.ndarray, "D 3"]:
        """Planes of the three labels."""
        states = self.states.weight(correlation[:, [0, 2]])
        action = self.action.weight(correlation[:, [1]])
        return np.stack([states[:, 0], action[:, 0], states[:, 1]], axis=1)

    def objective(self, label: Float[np.ndarray, "N 3"]) -> Objective:
        """Value of the objective for relaxed or allowed labels."""
        correlation = self.action.correlation(label)
        ridge = self.factor * self.action.quadratic(label, correlation, self.weight(correlation))
        apart = sum(
            distortion(label[rows], self.stack.middle[rows]) for rows in map(self.stack.rows, range(self.stack.clips))
        )
        count = len(label)
        return Objective(
            float(ridge[1]),
            float(ridge[0] + ridge[2]),
            self.beta * float(apart) / count,
            -float(self.bonus @ label[:, 1]) / count,
        )

    def scores(self, label: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3"]:
        """Scores of the classifiers that these labels imply."""
        weight = self.weight(self.action.correlation(label))
        return self.action.predicted(self.stack.value, weight, label.mean(axis=0))

    def rounded(self, score: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3"]:
        """Allowed labels nearest to scores, clip by clip."""
        cost = 1 - 2 * score
        cost[:, 1] -= self.bonus
        return np.concatenate([self._least(c, cost[self.stack.rows(c)]) for c in range(self.stack.clips)])

    def gap(self, label: Float[np.ndarray, "N 3"], score: Float[np.ndarray, "N 3"]) -> float:
        """Duality gap: how much a linear model of the objective promises; 0 at a stationary point.

        Where the objective is convex (beta = 0), it bounds how far the labels are from the least value.
        """
        gap = 0.0
        for c in range(self.stack.clips):
            rows = self.stack.rows(c)
            gradient = self.gradient(rows, label[rows], score[rows])
            gap += float(np.vdot(gradient, label[rows] - self._least(c, gradient)))
        return gap

    def _least(self, clip: int, cost: np.ndarray) -> np.ndarray:
        return least_vertex(cost, self.stack.step[self.stack.rows(clip)], self.shortest[clip])

    def gradient(self, rows: slice, label: np.ndarray, score: np.ndarray) -> np.ndarray:
        """Derivative of the objective by each label of one clip, given the scores that all labels imply."""
        gradient = 2 * self.factor * (label - score)
        gradient += self.beta * gradient_of_distortion(label, self.stack.middle[rows])
        gradient[:, 1] -= self.bonus[rows]
        return gradient / len(self.stack.middle)


class Descent:
    """Relaxed labels on their way down."""

    def __init__(self, problem: Problem, label: Float[np.ndarray, "N 3"]) -> None:
        """Begin at `label`."""
        self.problem, self.label = problem, label.copy()
        self._correlation = problem.action.correlation(label)
        self._weight = problem.weight(self._correlation)
        self._sum = label.sum(axis=0)

    def sweep(self, clips: Sequence[int]) -> None:
        """One exact step in each of the clips, in this order; none raises the objective."""
        for clip in clips:
            self._step(clip)

    def _step(self, clip: int) -> None:
        problem, ridge = self.problem, self.problem.action
        rows = problem.stack.rows(clip)
        value, label = problem.stack.value[rows], self.label[rows]
        score = ridge.predicted(value, self._weight, self._sum / ridge.count)
        gradient = problem.gradient(rows, label, score)
        direction = problem._least(clip, gradient) - label
        change = ridge.correlation(direction, value)
        weight = problem.weight(change)
        curvature = float(problem.factor @ ridge.quadratic(direction, change, weight))
        curvature += problem.beta * distortion(direction, problem.stack.middle[rows]) / ridge.count
        length = _exact_step(float(np.vdot(gradient, direction)), curvature)
        self.label[rows] = label + length * direction
        self._correlation += length * change
        self._weight += length * weight
        self._sum += length * direction.sum(axis=0)


def _exact_step(slope: float, curvature: float) -> float:
    """Where slope t + curvature t^2 is least within [0, 1]."""
    if slope >= 0:
        return 0.0
    return 1.0 if curvature <= 0 else min(1.0, -slope / (2 * curvature))
