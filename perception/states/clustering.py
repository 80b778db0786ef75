"""Joint discriminative clustering of states and action (Alayrac et al., ICCV 2017).

Relaxed labels descend by Frank-Wolfe steps; every few sweeps they are rounded by the scores of the classifiers that
they imply, and the allowed labels of the lowest objective are kept. Ridge costs favour few labelled windows: a rare
label costs little even if it cannot be predicted. So in the end the labels settle: windows are labelled by classifiers
learned from the labels of the other clips alone, in which labelled and other windows count alike, until nothing
changes. There a clip may also turn out to show no final state: where hardly any window after the action could be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from perception.states.discovery import Discovery
from perception.states.likelihood import likelihood
from perception.states.order import at_windows, best_triple, log_absence
from perception.states.relaxation import Descent, Objective, Problem
from perception.states.ridge import Ridge, moments
from perception.states.stack import Stack
from perception.states.vertices import least_vertex, random_vertex
from records.progress import tell_progress

_MEAN_OF = 5
"""Random allowed labels whose mean is the start of a descent (paper)."""
_FLOOR = 1e-9
"""Probabilities are not taken for smaller."""


class Checkpoint(NamedTuple):
    """What is logged when labels are rounded."""

    restart: int
    sweep: int
    objective: Objective
    gap: float
    """Duality gap of the relaxed labels."""
    rounded: float
    """Objective of the rounded labels."""


class Clustered(NamedTuple):
    """Allowed labels of the lowest objective, and the way there."""

    label: Float[np.ndarray, "N 3"]
    objective: float
    log: tuple[Checkpoint, ...]


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """Settings; called with a stack, it discovers."""

    alpha: float = 0.5
    """Weight of the action's cost, that of the states being 1 - alpha (paper)."""
    beta: float = 0.01
    """Weight of the distortion [1/s]. The paper's is 1; here allowed labels are in order in any case."""
    action_regularisation: float = 1e-2
    """Of the action's planes (paper)."""
    state_regularisation: float = 1e-2
    """Of the states' planes. The paper's is 1e-4, for tracks, of which a clip has fewer than windows."""
    action_seconds: float = 4.0
    """Least length of the action [s]: +-2 s, as in Look for the Change."""
    restarts: int = 3
    """From different random labels; the lowest rounded objective is kept."""
    sweeps_apart: int = 5
    """Over all clips, before the distortion couples action and states."""
    sweeps: int = 25
    """Over all clips, coupled; a sweep makes one step in each clip."""
    round_every: int = 5
    """Sweeps between roundings."""
    tolerance: float = 1e-4
    """A descent ends early when the duality gap is this share of the objective."""
    settle: int = 5
    """Rounds of labelling clips by the others, at most."""
    prior_weight: float = 0.25
    """What the likeliest window of a prior takes off the cost of labelling it action, which is 1 without features."""
    absent_initial: float = 0.0
    """A clip may show no initial state: it has none where no window before the action has a greater probability."""
    absent_final: float = 0.4
    """A clip may show no final state: it has none where no window after the action has a greater probability."""

    def __call__(self, stack: Stack, *, seed: int, prior: Sequence[Float[np.ndarray, "T"]] | None = None) -> Discovery:
        """Discover in stacked clips; deterministic by seed."""
        problem = self.problem(stack, prior)
        label = self.clustered(problem, seed).label
        probability = likelihood(_left_out(problem, label), label)
        for k in range(self.settle):
            settled = self._labelled_by_others(problem, probability)
            tell_progress("settling labels", k + 1, self.settle)
            if np.array_equal(settled, label) or not settled.any(axis=0).all():
                break
            label = settled
            probability = likelihood(_left_out(problem, label), label)
        return self._discovery(problem, probability)

    def problem(self, stack: Stack, prior: Sequence[Float[np.ndarray, "T"]] | None = None) -> Problem:
        """What is minimised."""
        sums = moments(stack.value)
        action = Ridge(stack.value, self.action_regularisation, sums=sums)
        same = self.state_regularisation == self.action_regularisation
        states = action if same else Ridge(stack.value, self.state_regularisation, sums=sums)
        shortest = tuple(_steps(self.action_seconds, stack, c) for c in range(stack.clips))
        return Problem(stack, action, states, self.alpha, self.beta, self._bonus(stack, prior), shortest)

    def clustered(self, problem: Problem, seed: int) -> Clustered:
        """Allowed labels of the lowest objective among all roundings of all restarts."""
        best, lowest, log = None, np.inf, []
        for restart in range(self.restarts):
            rng = np.random.default_rng([seed, restart])
            descent = Descent(problem._replace(beta=0.0), _start(problem, rng))
            for sweep in range(1, self.sweeps_apart + self.sweeps + 1):
                if sweep == self.sweeps_apart + 1:
                    descent = Descent(problem, descent.label)
                descent.sweep(rng.permutation(problem.stack.clips).tolist())
                tell_progress(f"clustering, start {restart + 1}", sweep, self.sweeps_apart + self.sweeps)
                if sweep <= self.sweeps_apart or sweep % self.round_every:
                    continue
                score = problem.scores(descent.label)
                label = problem.rounded(score)
                rounded, objective = problem.objective(label).total, problem.objective(descent.label)
                gap = problem.gap(descent.label, score)
                log.append(Checkpoint(restart, sweep, objective, gap, rounded))
                if rounded < lowest:
                    best, lowest = label, rounded
                if gap <= self.tolerance * abs(objective.total):
                    break
        assert best is not None
        return Clustered(best, float(lowest), tuple(log))

    def _labelled_by_others(self, problem: Problem, probability: np.ndarray) -> np.ndarray:
        cost = 1 - 2 * probability
        cost[:, 1] -= problem.bonus
        absent = (_cost(self.absent_initial), _cost(self.absent_final))
        return np.concatenate([
            least_vertex(own, step, shortest, absent)
            for own, step, shortest in zip(
                problem.stack.split(cost), problem.stack.split(problem.stack.step), problem.shortest, strict=True
            )
        ])  # fmt: skip

    def _discovery(self, problem: Problem, probability: np.ndarray) -> Discovery:
        stack = problem.stack
        logarithm = np.log(np.maximum(probability, _FLOOR))
        logarithm[:, 1] += problem.bonus
        absent = log_absence((self.absent_initial, self.absent_final))
        pieces = zip(stack.split(logarithm), stack.split(stack.step), strict=True)
        window = np.array([best_triple(own, step, absent) for own, step in pieces])
        scores = stack.split(probability)
        confidence = np.array([at_windows(own, w, 0.0) for own, w in zip(scores, window, strict=True)])
        shown = np.array([at_windows(own, w, 1.0) for own, w in zip(scores, window, strict=True)])
        relevance = np.prod(shown, axis=1) ** (1 / (window >= 0).sum(axis=1))
        initial, action, final = window.T
        return Discovery(initial, action, final, confidence, relevance, scores)

    def _bonus(self, stack: Stack, prior: Sequence[np.ndarray] | None) -> np.ndarray:
        if prior is None:
            return np.zeros(len(stack.middle))
        return self.prior_weight * np.concatenate([p / p.max() if p.max() > 0 else p for p in prior])


def _cost(probability: float) -> float:
    """Of labelling a window that has the label with this probability, and of no window bearing it instead."""
    return 1 - 2 * probability if probability > 0 else np.inf


def _left_out(problem: Problem, label: np.ndarray) -> np.ndarray:
    """Scores of each clip's windows by the classifiers of the other clips' labels; of a single clip, its own."""
    if problem.stack.clips == 1:
        return problem.scores(label)
    start = problem.stack.start.tolist()
    if problem.states is problem.action:
        return problem.action.left_out(label, start)
    states, action = problem.states.left_out(label[:, [0, 2]], start), problem.action.left_out(label[:, [1]], start)
    return np.stack([states[:, 0], action[:, 0], states[:, 1]], axis=1)


def _start(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    stack = problem.stack
    return np.concatenate([
        np.mean([random_vertex(step, rng, shortest) for _ in range(_MEAN_OF)], axis=0)
        for step, shortest in zip(stack.split(stack.step), problem.shortest, strict=True)
    ])  # fmt: skip


def _steps(seconds: float, stack: Stack, clip: int) -> int:
    """Time steps of a clip that a duration takes, at least one, and at most a third of the clip."""
    rows = stack.rows(clip)
    steps = int(stack.step[rows][-1]) + 1
    apart = float(stack.middle[rows][-1] - stack.middle[rows][0]) / (steps - 1)
    return int(np.clip(round(seconds / apart) if apart > 0 else 1, 1, max(1, steps // 3)))
