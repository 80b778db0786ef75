"""A learned reward while an agent acts: what residual learning is paid with instead of the task's own reward.

No moment is described anew in every decision: rewards that judge each step by itself are paid decision by decision, of
the new steps alone; those that look further are paid once an episode is over, all with its last decision.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from policies.rewards.film import asked_of_env, film_for
from policies.rewards.reward import Reward, Watched, judge, judges_steps_alone, paid_on
from sim.env import ToolEnv
from sim.felt import FELT


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

    def __init__(self, paying: Paying) -> None:
        """Load the reward.

        Raises:
            RewardError: there is none.
        """
        from policies.rewards.evaluation.loading import named_reward

        self.reward: Reward = named_reward(paying.spec)
        self._paying = paying
        self._film = film_for(self.reward)
        self._felt = "forces" in self.reward.needs
        self._piecewise = judges_steps_alone(self.reward)

    @property
    def how(self) -> dict[str, Any]:
        """What the environment is made with, so that it shows what the reward looks at."""
        return asked_of_env(self.reward)

    def begin(self, env: ToolEnv, obs: np.ndarray) -> None:
        """Start an episode of an environment made with `how`, with its first observation."""
        self._env, self._steps = env, 0
        self._obs, self._frames = [np.asarray(obs, float)], self._seen(obs)
        self._action: list[np.ndarray] = []
        self._forces: list[np.ndarray] = []

    def note(self, obs: np.ndarray, action: np.ndarray) -> None:
        """Take note of a step: the action, and the observation after it."""
        self._obs.append(np.asarray(obs, float))
        self._action.append(np.asarray(action, float))
        self._frames += self._seen(obs)
        if self._felt:
            self._forces.append(self._env.felt())

    def pay(self, *, over: bool) -> float:
        """Reward of the steps since the last payment; of an episode that is over, with what is paid on.

        Raises:
            RewardError: the reward cannot judge them.
        """
        if not (self._piecewise or over):
            return 0.0
        found = judge(self.reward, self._watched())
        self._steps += len(found)
        left = self._env.horizon - self._steps if over and self._paying.paid_on else 0
        self._obs, self._frames = self._obs[-1:], self._frames[-1:]
        self._action, self._forces = [], []
        return self._paying.scale * (float(found.sum()) + paid_on(self.reward, found, left))

    def _seen(self, obs: np.ndarray) -> list[np.ndarray]:
        return [self._film.picture(self._env, obs)] if self._film is not None else []

    def _watched(self) -> Watched:
        frames = self._frames
        return Watched(
            obs=np.stack(self._obs),
            obs_names=tuple(self._env.obs_names),
            action=np.stack(self._action),
            frames=(lambda: iter(frames)) if self._film is not None else None,
            fps=self._env.fps,
            forces=np.stack(self._forces) if self._felt else None,
            force_names=FELT if self._felt else (),
        )


def paid_in(reward: Reward, episode: Watched, horizon: int) -> float:
    """Return of an episode that is over, with what is paid on to the horizon.

    Raises:
        RewardError: the reward cannot judge it.
    """
    steps = judge(reward, episode)
    return float(steps.sum()) + paid_on(reward, steps, horizon - len(steps))
