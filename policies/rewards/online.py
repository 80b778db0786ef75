"""A learned reward while an agent acts: what residual learning is paid with instead of the task's own reward."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from policies.rewards.reward import Reward, RewardError, Watched, judge, paid_on


class Paying(NamedTuple):
    """Which reward is paid, and how."""

    spec: str
    """What names the reward (`policies.rewards.evaluation.loading.named_reward`)."""
    scale: float = 1.0
    """Factor of what is paid: learners expect returns of the order of 1."""
    paid_on: bool = True
    """Whether the last step's reward is paid on for the steps that an episode which ends early would have had left, as
    in an absorbing state (Kostrikov et al., Discriminator-Actor-Critic, ICLR 2019): where rewards
    judge where things stand. Without it these teach to delay the end if they are positive, and to seek it if they are
    negative. Those that pay for change pay nothing on: nothing changes."""


class Payer:
    """Pays the steps of one environment's episodes."""

    def __init__(self, paying: Paying, obs_names: tuple[str, ...], fps: float, horizon: int) -> None:
        """Load the reward.

        Raises:
            RewardError: there is none, or it looks at pictures or forces, which are not taken while learning.
        """
        from policies.rewards.evaluation.loading import named_reward

        self.reward: Reward = named_reward(paying.spec)
        if not self.reward.needs <= {"obs", "action"}:
            raise RewardError(
                f"{paying.spec}: looks at {' and '.join(sorted(self.reward.needs))}; policies learn from rewards of"
                " observations and actions"
            )
        self._paying, self._horizon = paying, horizon
        self._about: dict[str, Any] = {"obs_names": tuple(obs_names), "fps": fps}

    def begin(self, obs: np.ndarray) -> None:
        """Start an episode with its first observation."""
        self._obs = [np.asarray(obs, float)]
        self._action: list[np.ndarray] = []

    def note(self, obs: np.ndarray, action: np.ndarray) -> None:
        """Take note of a step: the action, and the observation after it."""
        self._obs.append(np.asarray(obs, float))
        self._action.append(np.asarray(action, float))

    def pay(self, steps: int, *, over: bool) -> float:
        """Reward of the last `steps` steps together; of an episode that is over, with what is paid on.

        Raises:
            RewardError: the reward cannot judge them.
        """
        seen = Watched(obs=np.stack(self._obs), action=np.stack(self._action), **self._about)
        found = judge(self.reward, seen)
        left = self._horizon - len(found) if over and self._paying.paid_on else 0
        return self._paying.scale * (float(found[-steps:].sum()) + paid_on(self.reward, found, left))


def paid_in(reward: Reward, episode: Watched, horizon: int) -> float:
    """Return of an episode that is over, with what is paid on to the horizon.

    Raises:
        RewardError: the reward cannot judge it.
    """
    steps = judge(reward, episode)
    return float(steps.sum()) + paid_on(reward, steps, horizon - len(steps))
