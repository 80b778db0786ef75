"""EPIC: the equivalent-policy invariant comparison of rewards (Gleave et al., ICLR 2021).

C(R)(s, a, s') = R(s, a, s') + E[gamma R(s', A, S') - R(s, A, S') - gamma R(S, A, S')], with S, S' of a distribution of
states and A of one of actions: the same for all rewards that differ by potential shaping. `done` is ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from policies.rewards.reward import RewardError

TransitionReward = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Reward of s (N, D), a (N, A), s_next (N, D): (N,)."""

ROWS = 65_536
"""Transitions that are judged at once."""


class Transitions(NamedTuple):
    """N transitions."""

    s: Float[np.ndarray, "N D"]
    a: Float[np.ndarray, "N A"]
    s_next: Float[np.ndarray, "N D"]


class Marginals(NamedTuple):
    """M independent draws of a state, an action and a next state, over which the canonical reward takes its mean."""

    s: Float[np.ndarray, "M D"]
    a: Float[np.ndarray, "M A"]
    s_next: Float[np.ndarray, "M D"]


def canonical(
    reward: TransitionReward, at: Transitions, over: Marginals, gamma: float = 0.99
) -> Float[np.ndarray, "N"]:
    """The canonical reward of transitions.

    Args:
        reward: what is made canonical.
        at: the transitions.
        over: draws of S, A and S'; the same for all states, so that shaping drops out exactly.
        gamma: discount in [0, 1].

    Raises:
        RewardError: the reward is not one finite number a transition.
    """
    level = rewarded(reward, over.s, over.a, over.s_next).mean()
    before, after = mean_from(reward, at.s, over), mean_from(reward, at.s_next, over)
    return rewarded(reward, *at) + gamma * after - before - gamma * level


def mean_from(reward: TransitionReward, s: Float[np.ndarray, "N D"], over: Marginals) -> Float[np.ndarray, "N"]:
    """E R(s, A, S') of each state."""
    draws, chunk = len(over.a), max(1, ROWS // len(over.a))
    found = np.empty(len(s))
    for start in range(0, len(s), chunk):
        part = s[start : start + chunk]
        n = len(part)
        each = np.repeat(part, draws, axis=0), np.tile(over.a, (n, 1)), np.tile(over.s_next, (n, 1))
        found[start : start + n] = rewarded(reward, *each).reshape(n, draws).mean(axis=1)
    return found


def rewarded(
    reward: TransitionReward, s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"], s_next: Float[np.ndarray, "N D"]
) -> Float[np.ndarray, "N"]:
    """Reward of each transition, checked.

    Raises:
        RewardError: it is not one finite number a transition.
    """
    found = np.asarray(reward(s, a, s_next), float)
    if found.shape != (len(s),):
        raise RewardError(f"a reward gave numbers of shape {found.shape} for {len(s)} transitions; expected one each")
    if not np.isfinite(found).all():
        where = int(np.flatnonzero(~np.isfinite(found))[0])
        raise RewardError(f"a reward is {found[where]} for a transition; expected finite numbers")
    return found
