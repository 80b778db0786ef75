"""DARD: the dynamics-aware reward distance (Wulfe et al., ICLR 2022): EPIC on transitions that can happen.

C(R)(s, a, s') = R(s, a, s') + E[gamma R(s', A, S'') - R(s, A, S') - gamma R(S', A, S'')] with A of a distribution of
actions, S' ~ T(s, A) and S'' ~ T(s', A).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from policies.rewards.evaluation.canonical.epic import ROWS, TransitionReward, Transitions, rewarded


@runtime_checkable
class Dynamics(Protocol):
    """Where actions lead: a model, a simulator, or what has been seen to happen."""

    def draw(
        self, s: Float[np.ndarray, "N D"], s_next: Float[np.ndarray, "N D"], draws: int
    ) -> tuple[Float[np.ndarray, "N M A"], Float[np.ndarray, "N M D"], Float[np.ndarray, "N M D"]]:
        """Actions A, and where each leads to from s (S') and from s_next (S'')."""


def canonical(
    reward: TransitionReward, at: Transitions, dynamics: Dynamics, gamma: float = 0.99, draws: int = 32
) -> Float[np.ndarray, "N"]:
    """The canonical reward of transitions, over `draws` actions of each; shaping drops out in every draw.

    Raises:
        RewardError: the reward is not one finite number a transition.
    """
    raw = rewarded(reward, *at)
    added = np.empty(len(raw))
    chunk = max(1, ROWS // draws)
    for start in range(0, len(raw), chunk):
        s, s_next = at.s[start : start + chunk], at.s_next[start : start + chunk]
        a, first, second = dynamics.draw(s, s_next, draws)
        flat = [x.reshape(-1, x.shape[-1]) for x in (a, first, second)]
        of_s, of_next = np.repeat(s, draws, axis=0), np.repeat(s_next, draws, axis=0)
        change = (
            gamma * rewarded(reward, of_next, flat[0], flat[2])
            - rewarded(reward, of_s, flat[0], flat[1])
            - gamma * rewarded(reward, flat[1], flat[0], flat[2])
        )
        added[start : start + len(s)] = change.reshape(len(s), draws).mean(axis=1)
    return raw + added


class SeenNearby(NamedTuple):
    """What has been seen to happen near a state, moved there: dynamics for data whose simulator is not at hand.

    An action A is that of one of the `nearest` states; it leads to s + (s'_j - s_j), with j the state nearest to s
    among those where an action like A was taken. Distances are in standard deviations of states and actions.
    """

    seen: Transitions
    rng: np.random.Generator
    nearest: int = 16

    def draw(
        self, s: Float[np.ndarray, "N D"], s_next: Float[np.ndarray, "N D"], draws: int
    ) -> tuple[Float[np.ndarray, "N M A"], Float[np.ndarray, "N M D"], Float[np.ndarray, "N M D"]]:
        """Actions that were taken near s, and what states and actions like these led to."""
        unit, push = _unit(self.seen.s), _unit(self.seen.a)
        by_both = np.hstack([self.seen.s / unit, self.seen.a / push])
        count = min(self.nearest, len(self.seen.s))
        near = _nearest(s / unit, self.seen.s / unit, count)
        chosen = near[np.arange(len(s))[:, None], self.rng.integers(count, size=(len(s), draws))]
        action = self.seen.a[chosen]
        step = self.seen.s_next - self.seen.s
        asked = np.concatenate([np.repeat(s_next[:, None] / unit, draws, axis=1), action / push], axis=2)
        alike = _nearest(asked.reshape(-1, asked.shape[2]), by_both, 1).reshape(len(s), draws)
        return action, s[:, None] + step[chosen], s_next[:, None] + step[alike]


def _unit(value: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "D"]:
    spread = value.std(axis=0)
    return np.where(spread > 0, spread, 1.0)


def _nearest(asked: Float[np.ndarray, "N D"], among: Float[np.ndarray, "P D"], count: int) -> Int[np.ndarray, "N K"]:
    """The `count` nearest points of each, in no order; by products, for trees gain nothing in so many dimensions."""
    centre = among.mean(axis=0)
    among, asked = among - centre, asked - centre
    half = 0.5 * (among**2).sum(axis=1)
    found = np.empty((len(asked), count), np.int64)
    chunk = max(1, 4_000_000 // len(among))
    for start in range(0, len(asked), chunk):
        far = half - asked[start : start + chunk] @ among.T
        part = far.argmin(axis=1)[:, None] if count == 1 else np.argpartition(far, count - 1, axis=1)[:, :count]
        found[start : start + chunk] = part
    return found
