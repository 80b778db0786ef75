"""Soft actor-critic (Haarnoja et al., arXiv 1812.05905), of stable-baselines3: every decision is learned from often."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from policies.learners import algorithm
from policies.learners.learner import Layers, Round, decisions_of
from policies.residual import spread_in_actions

if TYPE_CHECKING:
    import torch
    from stable_baselines3.common.buffers import ReplayBuffer
    from stable_baselines3.common.vec_env import VecEnv

_COLUMNS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")
"""Arrays of the memory, rows by time."""


class SACSettings(NamedTuple):
    """How SAC learns."""

    decisions: int = 256
    """Decisions in a round of experience, after which as many steps of the optimisers are taken."""
    batch: int = 256
    """Decisions that a step of the optimiser is taken from."""
    rate: float = 5e-4
    """Learning rate of Adam."""
    hidden: tuple[int, ...] = (128, 128)
    """Widths of the tanh layers of actor and critics."""
    explore: float = 0.035
    """First standard deviation of exploration [m]."""
    entropy: float = 0.01
    """First weight of the entropy beside a reward of 1; it is adapted."""
    gamma: float = 0.99
    """Discount of a decision."""
    memory: int = 50_000
    """Decisions that are remembered."""


class SACLearner:
    """Learns from the task's reward alone, and from all that it has seen."""

    Settings = SACSettings
    squashed = True

    def __init__(self, envs: VecEnv, settings: SACSettings, seed: int, start: Layers | None = None) -> None:
        """Set up networks and memory.

        Raises:
            ValueError: the policy to start from has other layers.
        """
        import torch
        from stable_baselines3 import SAC

        self.decisions = decisions_of(envs, settings.decisions)
        self._learner = SAC(
            "MlpPolicy",
            envs,
            learning_rate=settings.rate,
            buffer_size=settings.memory,
            learning_starts=0,
            batch_size=settings.batch,
            gamma=settings.gamma,
            train_freq=self.decisions // envs.num_envs,
            gradient_steps=-1,
            ent_coef=f"auto_{settings.entropy}",
            policy_kwargs={"net_arch": list(settings.hidden), "activation_fn": torch.nn.Tanh},
            seed=seed,
            device="cpu",
        )
        algorithm.silence(self._learner)
        with torch.no_grad():
            actor, log_sigma = self._learner.actor, math.log(spread_in_actions(settings.explore))
            for layer, value in ((actor.mu, 0.0), (actor.log_std, log_sigma)):
                assert isinstance(layer, torch.nn.Linear)
                layer.weight.zero_()
                layer.bias.fill_(value)
        if start is not None:
            algorithm.set_layers(self._network(), start)

    def round(self, seed: int) -> Round:
        """Gather experience and learn from all that is remembered."""
        return algorithm.learn_round(self._learner, self.decisions, seed)

    def tensors(self) -> dict[str, np.ndarray]:
        """Networks, moments, and the memory as far as it is filled."""
        memory = self._memory
        filled = memory.buffer_size if memory.full else memory.pos
        columns = {f"memory/{name}": getattr(memory, name)[:filled] for name in _COLUMNS}
        return algorithm.tensors_of(self._learner) | columns | {"memory/place": np.array([memory.pos, memory.full])}

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Return to networks, moments and memory."""
        algorithm.restore_tensors(self._learner, tensors)
        for name in _COLUMNS:
            rows = tensors[f"memory/{name}"]
            getattr(self._memory, name)[: len(rows)] = rows
        self._memory.pos, self._memory.full = int(tensors["memory/place"][0]), bool(tensors["memory/place"][1])

    def layers(self) -> Layers:
        """From what is seen to the mean of the actions, before its tanh."""
        return algorithm.linear_layers(self._network())

    @property
    def _memory(self) -> ReplayBuffer:
        memory = self._learner.replay_buffer
        assert memory is not None
        return memory

    def _network(self) -> list[torch.nn.Module]:
        actor = self._learner.actor
        return [*actor.latent_pi, actor.mu]
