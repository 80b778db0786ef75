"""Reward by progress: gain in a value V(s) = -||phi(s) - phi(g)||, phi learned from the order of time alone.

Two ways to learn phi. `vip`: the dual of goal-conditioned reinforcement learning, by which V is the value of reaching g
with -1 a step (Ma et al., ICLR 2023, equation 5 and algorithm 1). `tcn`: moments that are near in time shall be nearer
to each other than to later ones and to other episodes (time-contrastive, Sermanet et al., ICRA 2018, as the InfoNCE of
R3M, Nair et al., CoRL 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float

from policies.learners import Layers
from policies.rewards.describers import Describer
from policies.rewards.learned import OfMoments, Scale, Tensors, described, layers_from, layers_to, required
from policies.rewards.logit import forward, initial
from policies.rewards.reward import RewardError, Shown, Watched
from policies.rewards.trainable import learned, parameters, through, trainable

if TYPE_CHECKING:
    import torch

_NEAR = 1e-6
"""Under the root of a squared distance, so that its gradient is finite at 0."""


class ProgressSettings(NamedTuple):
    """How phi is learned."""

    objective: str = "vip"
    """`vip` or `tcn`."""
    hidden: tuple[int, ...] = (64,)
    """Widths of tanh layers."""
    size: int = 8
    """Dimensions of phi."""
    discount: float = 0.98
    """Of `vip`, a step."""
    iterations: int = 400
    batch: int = 128
    rate: float = 1e-3
    """Of Adam."""
    decay: float = 1e-4
    """Of weights."""


class Progress(OfMoments):
    """Reward of a step: V after it less V before it; an episode's rewards add up to what it has gained on the goal."""

    name, worded, Settings = "progress", False, ProgressSettings
    gains = True

    def __init__(
        self,
        describer: Describer,
        settings: ProgressSettings,
        seed: int,
        scale: Scale,
        layers: Layers,
        goal: Float[np.ndarray, "K"],
    ) -> None:
        self.describer, self.settings, self.seed = describer, settings, seed
        self._scale, self._layers, self._goal = scale, layers, goal

    @classmethod
    def learn(cls, shown: Shown, describer: Describer | None, settings: ProgressSettings, seed: int) -> Progress:
        """Learn from the demonstrations' order of time; the goal is the mean of their last moments.

        Raises:
            RewardError: no such objective, or demonstrations of a single step.
        """
        describer = required(describer, cls.name)
        if settings.objective not in _OBJECTIVES:
            raise RewardError(f"unknown objective {settings.objective!r}; choose from: {', '.join(_OBJECTIVES)}")
        values = [described(episode, describer) for episode in shown.demonstrations]
        if min(map(len, values)) < 3:
            raise RewardError("a demonstration of a single step has no order of time to learn from")
        scale = Scale.of(values)
        scaled = [scale(value) for value in values]
        layers = _fit(scaled, settings, seed)
        goal = np.mean([forward(layers, value[-1:])[0] for value in scaled], axis=0)
        return cls(describer, settings, seed, scale, layers, goal)

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Gain of each step."""
        return np.diff(self.of_moments(described(episode, self.describer)))

    def of_moments(self, value: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N"]:
        """V of described moments, at most 0."""
        return -np.linalg.norm(forward(self._layers, self._scale(value)) - self._goal, axis=1)

    def transitions(
        self, s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"], s_next: Float[np.ndarray, "N D"]
    ) -> Float[np.ndarray, "N"]:
        """Reward of transitions between described moments."""
        return self.of_moments(s_next) - self.of_moments(s)

    def tensors(self) -> dict[str, np.ndarray]:
        """Scale, layers, and the goal in the space of phi."""
        found = {**self._scale.tensors(), "goal": self._goal}
        layers_to(found, self._layers, "layer")
        return found

    @classmethod
    def restored(cls, describer: Describer | None, settings: ProgressSettings, seed: int, tensors: Tensors) -> Progress:
        """Undo `tensors`."""
        scale, layers = Scale.restored(tensors), layers_from(tensors, "layer")
        return cls(required(describer, cls.name), settings, seed, scale, layers, tensors["goal"])


def _fit(scaled: Sequence[np.ndarray], settings: ProgressSettings, seed: int) -> Layers:
    import torch

    from policies.train import one_thread

    rng = np.random.default_rng(seed)
    net = trainable(initial((scaled[0].shape[1], *settings.hidden, settings.size), rng, zero_last=False))
    starts = np.cumsum([0, *map(len, scaled)])
    whole, lengths = torch.from_numpy(np.concatenate(scaled)), np.diff(starts)
    objective = _OBJECTIVES[settings.objective]
    optimiser = torch.optim.AdamW(parameters(net), lr=settings.rate, weight_decay=settings.decay)
    with one_thread():
        for _ in range(settings.iterations):
            drawn = rng.integers(len(lengths), size=settings.batch)
            loss = objective(lambda at: through(net, whole[at]), starts, lengths, drawn, rng, settings)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return learned(net)


def _distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return ((a - b).square().sum(dim=1) + _NEAR).sqrt()


def _vip(
    phi: Any, starts: np.ndarray, lengths: np.ndarray, drawn: np.ndarray, rng: np.random.Generator, settings: Any
) -> torch.Tensor:
    """(1 - discount) E[-V(s0; g)] + log E[exp(V(s; g) + 1 - discount V(s'; g))], s0 <= s < g in one episode."""
    length = lengths[drawn]
    first = rng.integers(0, length - 1)
    goal = rng.integers(first + 1, length)
    at = rng.integers(first, goal)
    codes = [phi(starts[drawn] + place) for place in (first, at, at + 1, goal)]
    begin, now, later = (-_distance(code, codes[3]) for code in codes[:3])
    surprise = now + 1 - settings.discount * later
    return (1 - settings.discount) * -begin.mean() + surprise.logsumexp(dim=0) - np.log(len(drawn))


def _tcn(
    phi: Any, starts: np.ndarray, lengths: np.ndarray, drawn: np.ndarray, rng: np.random.Generator, settings: Any
) -> torch.Tensor:
    """InfoNCE of -distance: a moment with a nearer one, against a later one, and one of another drawn episode."""
    import torch

    length = lengths[drawn]
    ordered = np.sort(np.floor(rng.random((len(drawn), 3)) * length[:, None]).astype(int), axis=1)
    anchor, near, far = (phi(starts[drawn] + ordered[:, k]) for k in range(3))
    logits = [-_distance(anchor, other) for other in (near, far)]
    elsewhere = -_distance(anchor, near.roll(1, dims=0))
    same = torch.from_numpy((drawn == np.roll(drawn, 1)) | (len(lengths) == 1))
    logits.append(elsewhere.masked_fill(same, -torch.inf))
    return -(torch.stack(logits, dim=1).log_softmax(dim=1)[:, 0]).mean()


_OBJECTIVES = {"vip": _vip, "tcn": _tcn}
