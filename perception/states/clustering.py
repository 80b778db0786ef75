"""Joint discriminative clustering of states and action (Alayrac et al., ICCV 2017).

Relaxed labels descend by Frank-Wolfe steps; every few sweeps they are rounded by the scores of the classifiers that
they imply, and the allowed labels of the lowest objective are kept: one clustering from each start. One more comes from
the scores of self-training (`perception.states.pseudo_labels`), for random starts alone often lead to the same odd
optimum. Then they settle, and the one that can best be predicted from clip to clip is the result
(`perception.states.settling`, which says why; the paper ends with the lowest objective). There a clip may also turn out
to show no final state.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from perception.states.discovery import Discovery
from perception.states.order import at_windows, best_triple, log_absence
from perception.states.pseudo_labels import PseudoLabels
from perception.states.relaxation import Descent, Objective, Problem
from perception.states.ridge import Ridge, moments
from perception.states.settling import settled
from perception.states.stack import Stack
from perception.states.vertices import random_vertex
from records.progress import tell_progress

_log = logging.getLogger(__name__)

_MEAN_OF = 5
"""Random allowed labels whose mean is the start of a descent (paper)."""
_ENOUGH = 60
"""Clips for self-training to find what they share."""
_FLOOR = 1e-9
"""Probabilities are not taken for smaller."""


class Checkpoint(NamedTuple):
    """What is logged when labels are rounded."""

    sweep: int
    objective: Objective
    gap: float
    """Duality gap of the relaxed labels."""
    rounded: float
    """Objective of the rounded labels."""

    def told(self) -> str:
        """As a line of the log."""
        parts = ", ".join(f"{name} {value:.6g}" for name, value in self.objective._asdict().items())
        return f"sweep {self.sweep}: {parts}; gap {self.gap:.3g}; rounded {self.rounded:.6g}"


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
    restarts: int = 4
    """From different random labels; of the self-training, too."""
    self_trained: bool = True
    """Whether the labels of self-training are one more clustering."""
    sweeps_apart: int = 3
    """Over all clips, before the distortion couples action and states."""
    sweeps: int = 12
    """Over all clips, coupled; a sweep makes one step in each clip."""
    round_every: int = 4
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
        labels = [self.clustered(problem, seed, restart).label for restart in range(self.restarts)]
        if self.self_trained:
            labels.append(problem.rounded(self._self_trained_scores(stack, seed, prior)))
        found = settled(problem, labels, rounds=self.settle, absent=(self.absent_initial, self.absent_final))
        return self._discovery(problem, found.probability)

    def _self_trained_scores(self, stack: Stack, seed: int, prior: Sequence[np.ndarray] | None) -> np.ndarray:
        """Scores of self-training; where clips are many, in some of them, carried over to all by ridge regression."""
        train = PseudoLabels(restarts=self.restarts, reach=self.action_seconds / 2, absent_final=0.0)
        if stack.clips <= _ENOUGH:
            return np.concatenate(train(stack, seed=seed, prior=prior).scores)
        some = np.sort(np.random.default_rng(seed).permutation(stack.clips)[:_ENOUGH]).tolist()
        part = stack.part(some)
        found = train(part, seed=seed, prior=None if prior is None else [prior[c] for c in some])
        score = np.concatenate(found.scores)
        ridge = Ridge(part.value, self.action_regularisation)
        return ridge.predicted(stack.value, ridge.weight(ridge.correlation(score)), score.mean(axis=0))

    def problem(self, stack: Stack, prior: Sequence[Float[np.ndarray, "T"]] | None = None) -> Problem:
        """What is minimised."""
        sums = moments(stack.value)
        action = Ridge(stack.value, self.action_regularisation, sums=sums)
        same = self.state_regularisation == self.action_regularisation
        states = action if same else Ridge(stack.value, self.state_regularisation, sums=sums)
        shortest = tuple(_steps(self.action_seconds, stack, c) for c in range(stack.clips))
        return Problem(stack, action, states, self.alpha, self.beta, self._bonus(stack, prior), shortest)

    def clustered(self, problem: Problem, seed: int, restart: int) -> Clustered:
        """Allowed labels of the lowest objective among all roundings from one start."""
        best, lowest, log = None, np.inf, []
        rng = np.random.default_rng([seed, restart])
        descent = Descent(problem._replace(beta=0.0), _start(problem, rng))
        for sweep in range(1, self.sweeps_apart + self.sweeps + 1):
            if sweep == self.sweeps_apart + 1:
                descent = Descent(problem, descent.label)
            descent.sweep(rng.permutation(problem.stack.clips).tolist())
            tell_progress(f"clustering, start {restart + 1}", sweep, self.sweeps_apart + self.sweeps)
            coupled = sweep - self.sweeps_apart
            if coupled <= 0 or (coupled % self.round_every and coupled < self.sweeps):
                continue
            score = problem.scores(descent.label)
            label = problem.rounded(score)
            rounded, objective = problem.objective(label).total, problem.objective(descent.label)
            gap = problem.gap(descent.label, score)
            log.append(Checkpoint(sweep, objective, gap, rounded))
            _log.debug("start %d %s", restart + 1, log[-1].told())
            if rounded < lowest:
                best, lowest = label, rounded
            if gap <= self.tolerance * abs(objective.total):
                break
        assert best is not None
        return Clustered(best, float(lowest), tuple(log))

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
