"""PPO of stable-baselines3 as the policy of adversarial learning: paid by whatever reward it is given, turn by turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnvWrapper

from policies.learners.algorithm import silence
from policies.learners.ppo import PPOSettings, arguments_of
from policies.rewards.in_turns import Moves, Pays
from policies.train import one_thread


class ActingSettings(NamedTuple):
    """How PPO learns, and what it is paid beside the reward."""

    ppo: PPOSettings = PPOSettings(decisions=1024, minibatch=128, rate=1e-3, hidden=(32, 32), gamma=0.99)
    """A round is a turn."""
    environments: int = 4
    entropy: float = 1.0
    """Weight of -log pi(a | s), which is paid in every step: 1 for AIRL, whose demonstrator is soft; less for GAIL."""


class PPOActing:
    """A policy in an environment of gymnasium, with boxes of observations, and boxes or a number of actions.

    One of a number of actions is told as a vector with a 1 in its place.
    """

    def __init__(
        self, make: Callable[[], gymnasium.Env[Any, Any]], settings: ActingSettings | None = None, seed: int = 0
    ) -> None:
        """Make the environments and the networks."""
        self._settings = settings = settings or ActingSettings()
        self._envs = _Paid(DummyVecEnv([make] * settings.environments))
        self._ppo = PPO("MlpPolicy", self._envs, **arguments_of(settings.ppo, settings.environments, seed))
        silence(self._ppo)

    def improve(self, pays: Pays) -> Moves:
        """Gather steps, learn from them, and return them."""

        def paid(moves: Moves) -> np.ndarray:
            found = pays(moves)
            if self._settings.entropy:
                found = found - self._settings.entropy * self.log_probability(moves.s, moves.a)
            return found

        self._envs.pays, self._envs.met = paid, []
        with one_thread():
            self._ppo.learn(self._settings.ppo.decisions, reset_num_timesteps=False, log_interval=None)  # type: ignore[arg-type]
        return Moves.joined(self._envs.met)

    def log_probability(self, s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"]) -> Float[np.ndarray, "N"]:
        """Of actions, as the policy is now."""
        discrete = isinstance(self._envs.action_space, spaces.Discrete)
        action = torch.from_numpy(a.argmax(axis=1) if discrete else np.asarray(a, np.float32))
        with torch.no_grad():
            seen = torch.from_numpy(np.asarray(s, np.float32))
            found = self._ppo.policy.evaluate_actions(seen, action)[1]
        return np.asarray(found.numpy(), float)

    def close(self) -> None:
        """Free the environments."""
        self._envs.close()


class _Paid(VecEnvWrapper):
    """Pays another reward than the environments do, and keeps the steps."""

    def __init__(self, venv: DummyVecEnv) -> None:
        super().__init__(venv)
        self.pays: Pays = lambda moves: np.zeros(len(moves.s))
        self.met: list[Moves] = []

    def reset(self) -> np.ndarray:
        """Begin episodes."""
        self._seen = np.asarray(self.venv.reset())
        return self._seen

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions."""
        self._actions = actions
        self.venv.step_async(actions)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Pay for a step of each environment; the last observation of an episode is not that of the next one."""
        seen, _, done, infos = self.venv.step_wait()
        seen = np.asarray(seen)
        after = seen.copy()
        for k in np.flatnonzero(done):
            after[k] = infos[k]["terminal_observation"]
        moves = Moves(*(np.asarray(part, float) for part in (self._seen, self._told(infos), after)))
        self.met.append(moves)
        self._seen = seen
        return seen, self.pays(moves).astype(np.float32), done, infos

    def _told(self, infos: list[dict[str, Any]]) -> np.ndarray:
        """Actions; those that were carried out, where environments say so."""
        if isinstance(self.action_space, spaces.Discrete):
            return np.eye(int(self.action_space.n))[self._actions]
        return np.stack([info.get("carried", action) for info, action in zip(infos, self._actions, strict=True)])
