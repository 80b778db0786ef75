"""EPIC and DARD of two rewards on a coverage, with bootstrap intervals."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from policies.rewards.evaluation.canonical import dard, epic
from policies.rewards.evaluation.canonical.epic import TransitionReward, Transitions, rewarded
from policies.rewards.evaluation.canonical.pearson import (
    ConstantRewardError,
    pearson_distance,
    refuse_constant,
    resampled,
)
from policies.rewards.evaluation.coverage import Coverage

LARGER = 32
"""How many times as many transitions are tried to tell how rare a reward is that has no variance."""

SAME = (
    "in each of these states all actions lead to the same as far as is known, so that there is nothing to choose; DARD"
    " needs data with other actions there, or a simulator"
)
"""Why a reward that varies has nothing left in DARD's canonical form."""

Kind = Literal["epic", "dard", "raw"]


class Distance(NamedTuple):
    """How far apart two rewards are: 0 for equivalent ones, 1 for opposite ones, 0.71 for unrelated ones."""

    kind: Kind
    """`epic`; `dard`; or `raw`, Pearson's distance without a canonical form, which shaping changes."""
    coverage: str
    value: float
    low: float
    """Lower end of its 95 % interval (bootstrap over episodes)."""
    high: float
    """Upper end."""
    transitions: int
    episodes: int

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return self._asdict()


def distance(
    rewards: tuple[tuple[str, TransitionReward], tuple[str, TransitionReward]],
    on: Coverage,
    kind: Kind = "epic",
    *,
    gamma: float = 0.99,
    dynamics: dard.Dynamics | None = None,
    seed: int = 0,
) -> Distance:
    """Distance of two named rewards.

    Args:
        rewards: a name and the reward, twice.
        on: coverage.
        kind: of distance.
        gamma: discount.
        dynamics: where actions lead to, for DARD; by default what was seen nearby in the episodes of the coverage.
        seed: of the bootstrap, and of DARD's draws, which are the same for both rewards.

    Raises:
        ConstantRewardError: a reward does not vary; the message says how many transitions would be needed.
        RewardError: a reward is not one finite number a transition.
    """
    found = []
    for name, reward in rewards:
        raw = rewarded(reward, *on.at)
        whole = on.name != "independent" and len(on.at.a) == len(on.seen.a)
        refuse_constant(name, raw, None if whole or np.ptp(raw) > 0 else rewarded(reward, *_more(on, seed)))
        if kind == "epic":
            found.append(epic.canonical(reward, on.at, on.over, gamma))
        elif kind == "dard":
            nearby = dynamics or dard.SeenNearby(on.seen, np.random.default_rng([seed, 7]))
            found.append(dard.canonical(reward, on.at, nearby, gamma))
        else:
            found.append(raw)
        try:
            refuse_constant(f"{name}, in canonical form", found[-1])
        except ConstantRewardError as error:
            if kind != "dard":
                raise
            raise ConstantRewardError(f"{error}: {SAME}") from error
    low, high = resampled(found[0], found[1], on.episode, np.random.default_rng([seed, 11]))
    return Distance(kind, on.name, pearson_distance(found[0], found[1]), low, high, len(on.at.a), on.episodes)


def _more(on: Coverage, seed: int) -> Transitions:
    """All transitions of the episodes; drawn apart where those of the coverage are."""
    if on.name != "independent":
        return on.seen
    rng, total = np.random.default_rng([seed, 5]), len(on.seen.a)
    return Transitions(*(part[rng.integers(total, size=LARGER * len(on.at.a))] for part in on.seen))
