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
from perception.states.order import at_windows, best_triple
from perception.states.stack import Stack

_FLOOR = 1e-6
"""Probabilities are not taken for smaller: their logarithms stay finite."""
_EVEN = float(np.log(0.5))
"""A state is absent where no window on its side of the action is likelier to show it than the other state."""


@dataclass(frozen=True, kw_only=True)
class PseudoLabels:
    """Settings; called with a stack, it discovers."""

    rounds: int = 12
    """Of labelling and learning."""
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
    absent_final: bool = True
    """A clip may end during the action, showing no final state."""
    absent_initial: bool = False
    """A clip may begin during the action, showing no initial state."""

    def __call__(self, stack: Stack, *, seed: int, prior: Sequence[Float[np.ndarray, "T"]] | None = None) -> Discovery:
        """Discover in stacked clips; deterministic by seed."""
        log_prior = self._log_prior(stack, prior)
        best: _Labelled | None = None
        for restart in range(self.restarts):
            found = self._self_trained(stack, log_prior, np.random.default_rng([seed, restart]))
            if best is None or found.likelihood > best.likelihood:
                best = found
        assert best is not None
        return self._discovery(stack, best)

    def _self_trained(self, stack: Stack, log_prior: np.ndarray, rng: np.random.Generator) -> _Labelled:
        labelled = _first_labels(stack, rng)
        for _ in range(self.rounds):
            halves = np.array_split(rng.permutation(stack.clips), 2)
            score = np.empty((len(stack.middle), 3))
            for learn, label in (halves, halves[::-1]):
                state, action = self._classifiers(stack, labelled, learn)
                for c in label:
                    rows = stack.rows(int(c))
                    final = probability(stack.value[rows], state)
                    score[rows] = np.stack([1 - final, probability(stack.value[rows], action), final], axis=1)
            labelled = self._labels(stack, score, log_prior)
        return labelled

    def _labels(self, stack: Stack, score: np.ndarray, log_prior: np.ndarray) -> _Labelled:
        """Ordered windows of the greatest product of probabilities in each clip, and how relevant the clip is.

        A clip's weight is the sigmoid of its log-product above the mean of all clips, in standard deviations.
        """
        logarithm = np.log(np.maximum(score, _FLOOR))
        logarithm[:, 1] += log_prior
        absent = (_EVEN if self.absent_initial else -np.inf, _EVEN if self.absent_final else -np.inf)
        pieces = list(zip(stack.split(logarithm), stack.split(stack.step), strict=True))
        window = np.array([best_triple(own, step, absent) for own, step in pieces])
        product = np.array([at_windows(own, w, _EVEN).sum() for (own, _), w in zip(pieces, window, strict=True)])
        relevance = sigmoid((product - product.mean()) / max(float(product.std()), _FLOOR))
        return _Labelled(window, relevance, score, float(np.mean(product)))

    def _classifiers(self, stack: Stack, labelled: _Labelled, clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Planes that tell the final from the initial state, and the action from windows far from it."""
        state, action = _Examples(), _Examples()
        for c in clips.tolist():
            rows, weight = stack.rows(c), float(labelled.relevance[c])
            middle = stack.middle[rows]
            i, a, f = labelled.window[c].tolist()
            state.add(rows.start + self._near(middle, i), 0.0, weight)
            state.add(rows.start + self._near(middle, f), 1.0, weight)
            action.add(rows.start + self._near(middle, a), 1.0, weight)
            action.add(rows.start + self._far(middle, a), 0.0, weight)
        return tuple(  # type: ignore[return-value]
            fit_logistic(stack.value[some.row], some.positive, some.weight, decay=self.decay, steps=self.steps)
            for some in (state.joined(), action.joined())
        )

    def _near(self, middle: np.ndarray, window: int) -> np.ndarray:
        return np.flatnonzero(np.abs(middle - middle[window]) <= self.reach)

    def _far(self, middle: np.ndarray, window: int) -> np.ndarray:
        distance = np.abs(middle - middle[window])
        return np.flatnonzero(distance >= min(self.far, np.quantile(distance, _FAR_QUARTER)))

    def _log_prior(self, stack: Stack, prior: Sequence[np.ndarray] | None) -> np.ndarray:
        """Logarithm of the prior of the action, the likeliest window of each clip at 0."""
        if prior is None:
            return np.zeros(len(stack.middle))
        scaled = [weight / weight.max() if weight.max() > 0 else np.ones(len(weight)) for weight in prior]
        return self.prior_power * np.log(np.maximum(np.concatenate(scaled), _FLOOR))

    def _discovery(self, stack: Stack, labelled: _Labelled) -> Discovery:
        scores = stack.split(labelled.score)
        confidence = np.array([at_windows(own, w, 0.0) for own, w in zip(scores, labelled.window, strict=True)])
        initial, action, final = labelled.window.T
        return Discovery(initial, action, final, confidence, labelled.relevance, scores)


_FAR_QUARTER = 0.75


class _Labelled(NamedTuple):
    """Pseudo-labels of every clip."""

    window: Int[np.ndarray, "C 3"]
    """Within the clip."""
    relevance: Float[np.ndarray, "C"]
    score: Float[np.ndarray, "N 3"]
    likelihood: float
    """Mean log-probability of the labels."""


class _Examples:
    """Rows to learn from, with their class and weight."""

    def __init__(self) -> None:
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, row: np.ndarray, positive: float, weight: float) -> None:
        """Add the windows of one label, which share its weight."""
        self._parts.append((row, np.full(len(row), positive), np.full(len(row), weight / len(row))))

    def joined(self) -> _Rows:
        """All that was added."""
        return _Rows(*(np.concatenate(column) for column in zip(*self._parts, strict=True)))


class _Rows(NamedTuple):
    row: np.ndarray
    positive: np.ndarray
    weight: np.ndarray


def _first_labels(stack: Stack, rng: np.random.Generator) -> _Labelled:
    """Labels that know the order alone: three moments of each clip, drawn and sorted."""
    window = []
    for c in range(stack.clips):
        step = stack.step[stack.rows(c)]
        moments = np.sort(rng.choice(int(step[-1]) + 1, 3, replace=False))
        window.append(np.searchsorted(step, moments))
    return _Labelled(np.array(window), np.ones(stack.clips), np.full((len(stack.middle), 3), 0.5), -np.inf)
