"""Several rewards of one kind, each learned from a sample of the demonstrations: their mean, less their disagreement.

Where members disagree, none has seen anything of the kind: a reward that is careful there is harder to exploit
(Coste et al., ICLR 2024, for reward models of text). Members whose rewards are bounded, such as probabilities, can all
be sure of the same far from everything that was shown, and wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from policies.rewards.describers import Describer
from policies.rewards.learned import Learned, Tensors
from policies.rewards.reward import REWARDS, RewardError, Shown, Watched, judges_steps_alone, pays_gains

DRAWS = 20
"""Samples that are drawn for a member at most, until one is fit to learn from: with the end state in it, say."""


class EnsembleSettings(NamedTuple):
    """Which rewards, and how many."""

    member: str = "state_classifier"
    """Name in the table of rewards."""
    options: Mapping[str, Any] = {}
    """Settings of the members, by name; the others keep their defaults."""
    members: int = 5
    caution: float = 1.0
    """How much of the disagreement is taken off."""


class Ensemble:
    """Reward of a step: mean of the members' rewards, less `caution` times their standard deviation."""

    name, worded, Settings = "ensemble", False, EnsembleSettings

    def __init__(self, settings: EnsembleSettings, seed: int, members: tuple[Learned, ...]) -> None:
        self.settings, self.seed, self.members = settings, seed, members
        self.describer = members[0].describer

    @classmethod
    def learn(cls, shown: Shown, describer: Describer | None, settings: EnsembleSettings, seed: int) -> Ensemble:
        """Learn each member from as many episodes as there are, drawn with replacement, by a seed of its own.

        Raises:
            RewardError: an ensemble of ensembles, fewer than two members, or nothing that a member can learn from.
        """
        kind, own = _member(settings)
        members = tuple(_learned(kind, own, shown, describer, [seed, k]) for k in range(settings.members))
        return cls(settings, seed, members)

    @property
    def needs(self) -> frozenset[str]:
        """Those of the members."""
        return self.members[0].needs

    @property
    def gains(self) -> bool:
        """Whether the members pay for change."""
        return pays_gains(self.members[0])

    @property
    def stepwise(self) -> bool:
        """Whether the members judge each step by itself."""
        return judges_steps_alone(self.members[0])

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Mean less disagreement."""
        each = self.each(episode)
        return each.mean(axis=0) - self.settings.caution * each.std(axis=0)

    def each(self, episode: Watched) -> Float[np.ndarray, "K T"]:
        """Reward of each step by each member."""
        return np.stack([member.per_step(episode) for member in self.members])

    def disagreement(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Standard deviation of the members' rewards of each step."""
        return np.asarray(self.each(episode).std(axis=0))

    def tensors(self) -> dict[str, np.ndarray]:
        """Those of each member, and their seeds."""
        found = {f"{k}/{name}": value for k, one in enumerate(self.members) for name, value in one.tensors().items()}
        return found | {"seeds": np.array([member.seed for member in self.members], np.int64)}

    @classmethod
    def restored(cls, describer: Describer | None, settings: EnsembleSettings, seed: int, tensors: Tensors) -> Ensemble:
        """Undo `tensors`."""
        kind, own = _member(settings)
        members = []
        for k, member_seed in enumerate(tensors["seeds"].tolist()):
            mine = {name.removeprefix(f"{k}/"): v for name, v in tensors.items() if name.startswith(f"{k}/")}
            members.append(kind.restored(describer, own, member_seed, mine))
        return cls(settings, seed, tuple(members))


def _member(settings: EnsembleSettings) -> tuple[Any, Any]:
    from policies.rewards.saved import settings_of

    if settings.member == Ensemble.name or settings.members < 2:
        raise RewardError(f"an ensemble of {settings.members} {settings.member}: at least 2, of another reward")
    kind = REWARDS.load(settings.member)
    return kind, settings_of(kind, settings.options)


def _learned(kind: Any, settings: Any, shown: Shown, describer: Describer | None, seed: list[int]) -> Learned:
    rng = np.random.default_rng(seed)
    number = int(rng.integers(2**31))
    problem: RewardError | None = None
    for _ in range(DRAWS):
        try:
            found: Learned = kind.learn(_sampled(shown, rng), describer, settings, number)
        except RewardError as error:
            problem = problem or error
        else:
            return found
    assert problem is not None
    raise problem


def _sampled(shown: Shown, rng: np.random.Generator) -> Shown:
    count, others = len(shown.demonstrations), len(shown.others)
    chosen = rng.integers(count, size=count).tolist()
    return shown._replace(
        demonstrations=[shown.demonstrations[k] for k in chosen],
        others=[shown.others[k] for k in rng.integers(max(others, 1), size=others).tolist()],
        timelines=None if shown.timelines is None else [shown.timelines[k] for k in chosen],
    )
