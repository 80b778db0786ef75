"""Self-training on ordered pseudo-labels.

After Soucek, Alayrac, Miech, Laptev & Sivic, Look for the Change: Learning Object States and State-Modifying Actions
from Untrimmed Web Videos, CVPR 2022. There one network labels and learns from the same clips. Here the clips are split
in two at random in each round, and the classifiers learned from either half label the other one: with features of more
dimensions than there are clips, a classifier finds in the clips that it learned from whatever it was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from perception.states.discovery import Discovery
from perception.states.logistic import fit_logistic, probability, sigmoid
from perception.states.order import at_windows, best_triple, log_absence
from perception.states.stack import Stack

_FLOOR = 1e-6
"""Probabilities are not taken for smaller: their logarithms stay finite."""


@dataclass(frozen=True, kw_only=True)
class PseudoLabels:
    """Settings; called with a stack, it discovers."""

    rounds: int = 12
    """Of labelling and learning."""
    clips_a_round: int = 100
    """Of a half that are learned from, at most; all of them in the last round."""
    restarts: int = 4
    """From different first labels; the one whose labels the classifiers of the other half find likeliest is kept."""
    reach: float = 2.0
    """Windows this near [s] to a labelled moment learn its label (paper: 2 s)."""
    far: float = 60.0
    """Windows this far [s] from the action are no action (paper: 60 s); in a short clip, its far quarter."""
    decay: float = 0.01
    """Of the classifiers' planes."""
    steps: int = 60
    """Of Adam, for each classifier in each round."""
    prior_power: float = 0.5
    """A prior weighs as this power of it times the action's probability: weak below 1."""
    absent_initial: float = 0.0
    """A clip may show no initial state: it has none where no window before the action has a greater probability."""
    absent_final: float = 0.5
    """A clip may show no final state: it has none where no window after the action has a greater probability."""

    def __call__(self, stack: Stack, *, seed: int, prior: Sequence[Float[np.ndarray, "T"]] | None = None) -> Discovery:
        """Discover in stacked clips; deterministic by seed."""
        log_prior = self._log_prior(stack, prior)
        best: Labelled | None = None
        for restart in range(self.restarts):
            found = self._self_trained(stack, log_prior, np.random.default_rng([seed, restart]))
            if best is None or found.likelihood > best.likelihood:
                best = found
        assert best is not None
        return self._discovery(stack, best)

    def _self_trained(self, stack: Stack, log_prior: np.ndarray, rng: np.random.Generator) -> Labelled:
        labelled = _first_labels(stack, rng)
        clip = np.repeat(np.arange(stack.clips), np.diff(stack.start))
        for k in range(self.rounds):
            positive, negative = self._examples(stack, labelled)
            score = np.empty(positive.shape)
            halves = np.array_split(rng.permutation(stack.clips), 2)
            for learn, label in (halves, halves[::-1]):
                if k < self.rounds - 1:
                    learn = rng.permutation(learn)[: self.clips_a_round]
                there = np.isin(clip, learn)[:, None]
                told = np.isin(clip, label)
                score[told] = self._learned(stack.value, positive * there, negative * there, stack.value[told])
            labelled = self._labels(stack, score, log_prior, last=k == self.rounds - 1)
        return labelled

    def _learned(self, value: np.ndarray, positive: np.ndarray, negative: np.ndarray, unseen: np.ndarray) -> np.ndarray:
        """Probability of each label in windows that were not learned from."""
        result = np.empty((len(unseen), 3))
        for k in range(3):
            rows = np.flatnonzero(positive[:, k] + negative[:, k])
            one = (positive[rows, k] > 0).astype(np.float64)
            weight = positive[rows, k] + negative[rows, k]
            plane = fit_logistic(value[rows], one, weight, decay=self.decay, steps=self.steps)
            result[:, k] = probability(unseen, plane)
        return result

    def _examples(self, stack: Stack, labelled: Labelled) -> tuple[np.ndarray, np.ndarray]:
        """Weight (N, 3) of each window as an example of each label, and as one of what is not that label.

        Windows near a labelled moment are examples of it, and examples of what the other labels are not. Windows far
        from the action are no action; those after it are no initial state, those before it no final state. The
        windows of one kind of a clip share its relevance.
        """
        positive = np.zeros((len(stack.middle), 3))
        negative = np.zeros_like(positive)
        for c in range(stack.clips):
            rows = stack.rows(c)
            middle, relevance = stack.middle[rows], labelled.relevance[c]
            distance = np.abs(middle[:, None] - middle[labelled.window[c]])
            nearest = distance == distance.min(axis=1, keepdims=True)
            near = (distance <= self.reach) & nearest
            positive[rows] = near * (relevance / near.sum(axis=0))
            for k in range(3):
                negative[rows, k] = np.delete(positive[rows], k, axis=1).max(axis=1) * ~near[:, k]
            far = distance[:, 1] >= min(self.far, np.quantile(distance[:, 1], _FAR_QUARTER))
            action = middle[labelled.window[c, 1]]
            after, before = middle > action + self.reach, middle < action - self.reach
            for k, shown_not in ((0, after), (1, far & ~near[:, 1]), (2, before)):
                some = _spread(np.flatnonzero(shown_not))
                negative[rows.start + some, k] += relevance / max(1, len(some))
        return positive, negative

    def _labels(self, stack: Stack, score: np.ndarray, log_prior: np.ndarray, *, last: bool) -> Labelled:
        """Ordered windows of the greatest product of probabilities in each clip, and how relevant the clip is.

        A clip's weight is the sigmoid of its log-product above the mean of all clips, in standard deviations.
        """
        logarithm = np.log(np.maximum(score, _FLOOR))
        logarithm[:, 1] += log_prior
        absent = (self.absent_initial, self.absent_final) if last else (0.0, 0.0)
        pieces = list(zip(stack.split(logarithm), stack.split(stack.step), strict=True))
        window = np.array([best_triple(own, step, log_absence(absent)) for own, step in pieces])
        product = np.array([at_windows(own, w, np.log(0.5)).sum() for (own, _), w in zip(pieces, window, strict=True)])
        relevance = sigmoid((product - product.mean()) / max(float(product.std()), _FLOOR))
        return Labelled(window, relevance, score, float(np.mean(product)))

    def _log_prior(self, stack: Stack, prior: Sequence[np.ndarray] | None) -> np.ndarray:
        """Logarithm of the prior of the action, the likeliest window of each clip at 0."""
        if prior is None:
            return np.zeros(len(stack.middle))
        scaled = [weight / weight.max() if weight.max() > 0 else np.ones(len(weight)) for weight in prior]
        return self.prior_power * np.log(np.maximum(np.concatenate(scaled), _FLOOR))

    def _discovery(self, stack: Stack, labelled: Labelled) -> Discovery:
        scores = stack.split(labelled.score)
        confidence = np.array([at_windows(own, w, 0.0) for own, w in zip(scores, labelled.window, strict=True)])
        initial, action, final = labelled.window.T
        return Discovery(initial, action, final, confidence, labelled.relevance, scores)


_FAR_QUARTER = 0.75
"""Share of a short clip's windows that are nearer to the action than those far from it."""
_ENOUGH = 8
"""Windows of a clip that are examples of what a label is not, by their time alone."""


class Labelled(NamedTuple):
    """Pseudo-labels of every clip."""

    window: Int[np.ndarray, "C 3"]
    """Within the clip."""
    relevance: Float[np.ndarray, "C"]
    score: Float[np.ndarray, "N 3"]
    likelihood: float
    """Mean log-probability of the labels."""


def _spread(rows: np.ndarray) -> np.ndarray:
    """At most `_ENOUGH` of the rows, evenly spread: neighbours are much alike."""
    if len(rows) <= _ENOUGH:
        return rows
    return rows[np.linspace(0, len(rows) - 1, _ENOUGH).round().astype(np.int64)]


def _first_labels(stack: Stack, rng: np.random.Generator) -> Labelled:
    """Labels that know the order alone: three moments of each clip, drawn and sorted."""
    window = []
    for c in range(stack.clips):
        step = stack.step[stack.rows(c)]
        moments = np.sort(rng.choice(int(step[-1]) + 1, 3, replace=False))
        window.append(np.searchsorted(step, moments))
    return Labelled(np.array(window), np.ones(stack.clips), np.full((len(stack.middle), 3), 0.5), -np.inf)
