"""Coverage: which transitions two rewards are compared on, by name. A distance is only worth what its coverage covers.

`random`: episodes of agents that act at random, or of failures. `expert`: episodes that solve the task. `mixed`: all.
`independent`: state, action and next state drawn apart from each other out of all episodes, as EPIC's authors do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from policies.rewards.evaluation.canonical.epic import Marginals, Transitions
from policies.rewards.reward import RewardError, Watched

COVERAGES = ("random", "expert", "mixed", "independent")
DRAWS = 256
"""Of state, action and next state, over which a canonical reward takes its mean."""


class Coverage(NamedTuple):
    """Transitions, and the draws that belong to them."""

    name: str
    at: Transitions
    over: Marginals
    episode: Int[np.ndarray, "N *K"]
    """Which episode a transition is of; (N, 3) of state, action and next state where they are drawn apart."""
    episodes: int
    """How many it was drawn from."""
    seen: Transitions
    """All transitions of these episodes."""


def coverage(
    episodes: Sequence[Watched], name: str, *, count: int = 1024, draws: int = DRAWS, seed: int = 0
) -> Coverage:
    """Transitions of episodes.

    Args:
        episodes: with observations and actions of the same sizes.
        name: one of `COVERAGES`.
        count: transitions at most.
        draws: of state, action and next state for canonical rewards.
        seed: of what is drawn.

    Raises:
        RewardError: an unknown name, no such episodes, or episodes of different sizes.
    """
    if name not in COVERAGES:
        raise RewardError(f"unknown coverage {name!r}; choose from: {', '.join(COVERAGES)}")
    chosen = [e for e in episodes if _belongs(e, name)]
    if not chosen:
        raise RewardError(f"the coverage {name!r} has no episodes: none of {len(episodes)} is {_asked(name)}")
    sizes = {(e.obs.shape[1], e.action.shape[1]) for e in chosen}
    if len(sizes) > 1 or 0 in next(iter(sizes)):
        raise RewardError(f"episodes with (observations, actions) of sizes {sorted(sizes)}: all need the same, above 0")
    rng = np.random.default_rng([seed, COVERAGES.index(name)])
    seen = Transitions(
        np.concatenate([e.obs[:-1] for e in chosen]),
        np.concatenate([e.action for e in chosen]),
        np.concatenate([e.obs[1:] for e in chosen]),
    )
    total = len(seen.a)
    number = np.repeat(np.arange(len(chosen)), [len(e) for e in chosen])
    over = Marginals(*(part[rng.integers(total, size=draws)] for part in seen))
    if name == "independent":
        drawn = rng.integers(total, size=(3, count))
        at = Transitions(*(part[rows] for part, rows in zip(seen, drawn, strict=True)))
        return Coverage(name, at, over, number[drawn.T], len(chosen), seen)
    kept = np.sort(rng.permutation(total)[:count])
    return Coverage(name, Transitions(*(part[kept] for part in seen)), over, number[kept], len(chosen), seen)


def _belongs(episode: Watched, name: str) -> bool:
    return episode.success is True if name == "expert" else name != "random" or episode.success is False


def _asked(name: str) -> str:
    return {"expert": "known to succeed", "random": "known to fail"}.get(name, "there")
