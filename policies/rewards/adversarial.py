"""Reward by a discriminator between demonstrations and an agent's episodes: GAIL, GAIfO and AIRL.

A discriminator D that is trained on as much of each is, at its optimum, p / (p + q), so its logit is log p / q: the log
ratio of how often a step occurs in demonstrations and in the agent's episodes. Ho and Ermon, NeurIPS 2016; from states
alone Torabi et al., arXiv 1807.06158; Fu et al., ICLR 2018. Here it is learned once, from episodes that are given;
`policies.rewards.in_turns` learns it in turns with a policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float

from policies.learners import Layers
from policies.rewards.by_logit import ByLogit
from policies.rewards.describers import Describer
from policies.rewards.learned import Scale, described, required
from policies.rewards.logit import balanced, fit_logit
from policies.rewards.reward import RewardError, Shown, Watched

Sees = Literal["before", "after", "pair", "action"]
Form = Literal["logit", "gail", "airl"]


class AdversarialSettings(NamedTuple):
    """What the discriminator sees, and what it pays."""

    sees: str = "pair"
    """Of a step: the moment `before` or `after` it; the `pair` of both (GAIfO); or the moment before it and the
    `action` (GAIL)."""
    form: str = "logit"
    """`logit`: log D - log (1 - D), of either sign. `gail`: -log (1 - D), never negative, so that it pays to live on.
    `airl`: g(s) alone, of a linear logit g(s) + discount h(s') - h(s), the shaping by h taken out."""
    hidden: tuple[int, ...] = ()
    """Widths of tanh layers."""
    decay: float = 1e-2
    """Of weights."""
    discount: float = 0.99
    """Of `airl`."""


class Adversarial(ByLogit):
    """Reward of a step by the discriminator's logit."""

    name, Settings = "adversarial", AdversarialSettings

    def __init__(
        self, describer: Describer, settings: AdversarialSettings, seed: int, scale: Scale, layers: Layers
    ) -> None:
        _check(settings)
        super().__init__(describer, settings, seed, scale, layers)

    @classmethod
    def learn(cls, shown: Shown, describer: Describer | None, settings: AdversarialSettings, seed: int) -> Adversarial:
        """Tell demonstrations from other episodes.

        For `airl`, the agent's actions are taken as uniform: log pi is then a constant, which the bias holds.

        Raises:
            RewardError: no other episodes, or settings that do not go together.
        """
        describer = required(describer, cls.name)
        _check(settings)
        if not shown.others:
            raise RewardError("a discriminator tells demonstrations from an agent's episodes: give some of those, too")
        parts = [[_steps(e, describer, settings.sees) for e in some] for some in (shown.demonstrations, shown.others)]
        scale = Scale.of(parts[0] + parts[1])
        x = scale(np.concatenate(parts[0] + parts[1]))
        y = np.concatenate([np.full(sum(map(len, some)), label) for some, label in zip(parts, (1.0, 0.0), strict=True)])
        layers = fit_logit(x, y, balanced(y), hidden=settings.hidden, decay=settings.decay, seed=seed)
        return cls(describer, settings, seed, scale, layers)

    @property
    def needs(self) -> frozenset[str]:
        """Those of the description, and actions where the discriminator sees them."""
        return super().needs | ({"action"} if self.settings.sees == "action" else set())

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Reward of each step."""
        return self.of_steps(_steps(episode, self.describer, self.settings.sees))

    def transitions(
        self, s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"], s_next: Float[np.ndarray, "N D"]
    ) -> Float[np.ndarray, "N"]:
        """Reward of transitions between described moments."""
        return self.of_steps(np.concatenate(_seen(s, a, s_next, self.settings.sees), axis=1))

    def of_steps(self, step: Float[np.ndarray, "N _"]) -> Float[np.ndarray, "N"]:
        """Reward of steps as the discriminator sees them."""
        if self.settings.form == "airl":
            return self._unshaped(step)
        logit = self.logit(step)
        return np.asarray(np.logaddexp(0, logit)) if self.settings.form == "gail" else logit

    def _unshaped(self, step: np.ndarray) -> np.ndarray:
        """g(s), from the weights c of s and c' of s' in raw descriptions: h = c' / discount, g = c + h."""
        size = step.shape[1] // 2
        weight = self._layers[0][0][0] / self._scale.deviation
        reward = weight[:size] + weight[size:] / self.settings.discount
        return np.asarray((step[:, :size] - self._scale.mean[:size]) @ reward)


def _check(settings: AdversarialSettings) -> None:
    for what, value, choices in (("sees", settings.sees, get_args(Sees)), ("form", settings.form, get_args(Form))):
        if value not in choices:
            raise RewardError(f"unknown {what} {value!r}; choose from: {', '.join(choices)}")
    if settings.form == "airl" and (settings.sees != "pair" or settings.hidden or not settings.discount > 0):
        raise RewardError("airl takes shaping out of a linear logit of pairs: sees 'pair', no hidden layers, discount")


def _steps(episode: Watched, describer: Describer, sees: str) -> Float[np.ndarray, "T _"]:
    value = described(episode, describer)
    return np.concatenate(_seen(value[:-1], episode.action, value[1:], sees), axis=1)


def _seen(s: np.ndarray, a: np.ndarray, s_next: np.ndarray, sees: str) -> Sequence[np.ndarray]:
    return {"before": (s,), "after": (s_next,), "pair": (s, s_next), "action": (s, np.asarray(a, float))}[sees]
