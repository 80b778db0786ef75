"""Reward by the state that was reached: the probability that a moment shows the end state.

Negatives are the initial state and the action, so what separates the end state from both is what is paid. As in VICE
(Fu et al., NeurIPS 2018), moments of an agent can stand for failures, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit

from perception.states.discovery import LABELS
from policies.rewards.by_logit import ByLogit
from policies.rewards.describers import Describer
from policies.rewards.learned import Scale, described, required
from policies.rewards.logit import balanced, fit_logit
from policies.rewards.reward import RewardError, Shown, Watched
from records import Timeline

INITIAL, ACTION, FINAL = LABELS
"""Of timelines."""


class StateClassifierSettings(NamedTuple):
    """How it is learned."""

    hidden: tuple[int, ...] = ()
    """Widths of tanh layers; none makes the logit linear in the description."""
    decay: float = 1e-2
    """Of weights."""
    tail: float = 0.1
    """Without timelines: share of a demonstration, at its end, that shows the end state; all before its last half
    shows another one."""
    persists: bool = True
    """Whether the end state lasts from its first moment to the end of an episode."""


class StateClassifier(ByLogit):
    """Reward of a step: probability that the moment after it shows the end state, in [0, 1]."""

    name, Settings = "state_classifier", StateClassifierSettings

    @classmethod
    def learn(
        cls, shown: Shown, describer: Describer | None, settings: StateClassifierSettings, seed: int
    ) -> StateClassifier:
        """Learn from demonstrations with timelines, or by the time in them; others are negatives.

        Raises:
            RewardError: no moment shows the end state, or none another one.
        """
        describer = required(describer, cls.name)
        values, labels = [], []
        for number, episode in enumerate(shown.demonstrations):
            if shown.timelines is None:
                positive, negative = _by_time(len(episode) + 1, settings.tail)
            else:
                positive, negative = labelled(episode, shown.timelines[number], persists=settings.persists)
            found = described(episode, describer)
            values += [found[positive], found[negative]]
            labels += [np.ones(positive.sum()), np.zeros(negative.sum())]
        for episode in shown.others:
            values.append(described(episode, describer))
            labels.append(np.zeros(len(episode) + 1))
        y = np.concatenate(labels)
        if not (y == 1).any() or not (y == 0).any():
            missing = "the end state" if not (y == 1).any() else "another state than the end state"
            raise RewardError(f"no moment of the {len(shown.demonstrations)} demonstrations shows {missing}")
        scale = Scale.of(values)
        x = scale(np.concatenate(values))
        layers = fit_logit(x, y, balanced(y), hidden=settings.hidden, decay=settings.decay, seed=seed)
        return cls(describer, settings, seed, scale, layers)

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Probability after each step."""
        return self.of_moments(described(episode, self.describer)[1:])

    def of_moments(self, value: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N"]:
        """Probability that described moments show the end state."""
        return np.asarray(expit(self.logit(value)))

    def transitions(
        self, s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"], s_next: Float[np.ndarray, "N D"]
    ) -> Float[np.ndarray, "N"]:
        """Reward of transitions between described moments."""
        return self.of_moments(s_next)


def labelled(
    episode: Watched, timeline: Timeline, *, persists: bool
) -> tuple[Bool[np.ndarray, "O"], Bool[np.ndarray, "O"]]:
    """Which moments of an episode show the end state, and which another one; between them it is not known."""
    time = np.arange(len(episode) + 1) / episode.fps
    positive, negative = np.zeros(len(time), bool), np.zeros(len(time), bool)
    for label, (start, end) in zip(timeline.labels, timeline.interval.tolist(), strict=True):
        if label == FINAL:
            positive |= (time >= start) & ((time <= end) | persists)
        elif label in (INITIAL, ACTION):
            negative |= (time >= start) & (time <= end)
    if persists and INITIAL in timeline.labels:
        first = min(
            start for label, (start, _) in zip(timeline.labels, timeline.interval, strict=True) if label == INITIAL
        )
        negative |= time < first
    return positive, negative & ~positive


def _by_time(moments: int, tail: float) -> tuple[np.ndarray, np.ndarray]:
    share = np.linspace(0, 1, moments)
    return share >= 1 - tail, share < 0.5
