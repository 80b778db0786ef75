"""What learned rewards have in common: they describe moments, scale the descriptions, and keep all that in tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from policies.rewards.describers import Describer
from policies.rewards.reward import REWARDS, RewardError, Shown, Watched

Tensors = Mapping[str, np.ndarray]


@runtime_checkable
class Learned(Protocol):
    """A reward that was learned, and can be saved.

    Its class has a type `Settings` with defaults; `learn(shown, describer, settings, seed)` and
    `restored(describer, settings, seed, tensors)` make one.
    """

    name: str
    worded: bool
    """Whether it can be learned from a sentence alone."""
    describer: Describer | None
    """None of rewards that look at something else than descriptions."""
    settings: Any
    seed: int

    @property
    def needs(self) -> frozenset[str]:
        """See `Reward.needs`."""

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """See `Reward.per_step`."""

    def tensors(self) -> dict[str, np.ndarray]:
        """All that was learned."""


def learn(
    name: str, shown: Shown, describer: Describer | None = None, *, settings: Any = None, seed: int = 0
) -> Learned:
    """Learn a reward of the table.

    Args:
        name: in `REWARDS`.
        shown: what it is learned from.
        describer: of moments; rewards that look at something else take none.
        settings: of that reward, its own by default.
        seed: of everything random.

    Raises:
        UnknownName: no such reward.
        RewardError: nothing is shown, nothing changes in it, or what the reward needs is missing.
    """
    kind = REWARDS.load(name)
    if not shown.demonstrations and not (shown.sentence and kind.worded):
        raise RewardError("no demonstration: a reward is learned from at least one")
    if shown.timelines is not None and len(shown.timelines) != len(shown.demonstrations):
        raise RewardError(f"{len(shown.timelines)} timelines for {len(shown.demonstrations)} demonstrations")
    found: Learned = kind.learn(shown, describer, kind.Settings() if settings is None else settings, seed)
    return found


class Scale(NamedTuple):
    """Brings descriptions to the order of 1: less their mean, over their standard deviation."""

    mean: Float[np.ndarray, "D"]
    deviation: Float[np.ndarray, "D"]

    def __call__(self, value: Float[np.ndarray, "N _"]) -> Float[np.ndarray, "N _"]:
        """Scaled, in double precision.

        Raises:
            RewardError: descriptions of another size.
        """
        if value.shape[1] != len(self.mean):
            raise RewardError(
                f"descriptions of {value.shape[1]} numbers, but the reward was learned from {len(self.mean)}:"
                " they are of another encoder or environment"
            )
        return (value - self.mean) / self.deviation

    @classmethod
    def of(cls, values: Sequence[Float[np.ndarray, "_ _"]]) -> Scale:
        """Fit it; what never changes is left out of account.

        Raises:
            RewardError: descriptions of different sizes, not finite, or the same in all moments of all episodes.
        """
        sizes = sorted({value.shape[1] for value in values})
        if len(sizes) != 1:
            raise RewardError(f"descriptions of {sizes} numbers are mixed: use one encoder for all episodes")
        whole = np.concatenate(values)
        if not np.isfinite(whole).all():
            raise RewardError("descriptions that are not finite: check the encoder, and the episodes")
        deviation = whole.std(axis=0)
        still = deviation <= 1e-9 * np.maximum(1.0, np.abs(whole).max(axis=0))
        if still.all():
            raise RewardError("nothing changes in any of these episodes as they are described: nothing can be learned")
        return cls(whole.mean(axis=0), np.where(still, np.inf, deviation))

    def tensors(self) -> dict[str, np.ndarray]:
        """Infinite deviations are kept as zeros: files hold finite numbers."""
        return {"mean": self.mean, "deviation": np.where(np.isinf(self.deviation), 0.0, self.deviation)}

    @classmethod
    def restored(cls, tensors: Tensors) -> Scale:
        """Undo `tensors`."""
        deviation = np.asarray(tensors["deviation"])
        return cls(np.asarray(tensors["mean"]), np.where(deviation == 0, np.inf, deviation))


_described: WeakKeyDictionary[Watched, dict[str, np.ndarray]] = WeakKeyDictionary()
"""Descriptions of the episodes that are still held by someone, by the describer's fingerprint."""


def described(episode: Watched, describer: Describer) -> Float[np.ndarray, "O D"]:
    """Description of an episode; of the same episode it is made once.

    Raises:
        RewardError: it is not one finite vector a moment.
    """
    known = _described.setdefault(episode, {})
    key = describer.fingerprint()
    if key not in known:
        value = np.asarray(describer.describe(episode), float)
        if value.ndim != 2 or len(value) != len(episode) + 1:
            raise RewardError(f"descriptions {value.shape} of an episode of {len(episode) + 1} moments")
        if not np.isfinite(value).all():
            raise RewardError("descriptions that are not finite: check the encoder, and the episode")
        known[key] = value
    return known[key]


def required(describer: Describer | None, name: str) -> Describer:
    """The describer, which this reward needs.

    Raises:
        RewardError: there is none.
    """
    if describer is None:
        raise RewardError(f"the reward {name!r} looks at descriptions of moments: give a describer")
    return describer


class OfMoments:
    """A reward of moments as they are described."""

    describer: Describer

    @property
    def needs(self) -> frozenset[str]:
        """Those of the description."""
        return self.describer.needs

    @property
    def stepwise(self) -> bool:
        """Whether the description of a moment depends on that moment alone."""
        return self.describer.momentary


def layers_to(tensors: dict[str, np.ndarray], layers: Sequence[tuple[np.ndarray, np.ndarray]], prefix: str) -> None:
    """Add layers of a network to tensors."""
    for k, (weight, bias) in enumerate(layers):
        tensors[f"{prefix}{k}.weight"], tensors[f"{prefix}{k}.bias"] = weight, bias


def layers_from(tensors: Tensors, prefix: str) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Undo `layers_to`."""
    count = sum(name.startswith(prefix) and name.endswith(".weight") for name in tensors)
    return tuple((tensors[f"{prefix}{k}.weight"], tensors[f"{prefix}{k}.bias"]) for k in range(count))
