"""Proximal policy optimisation (Schulman et al., arXiv 1707.06347), of stable-baselines3."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from policies.learners import algorithm
from policies.learners.learner import Layers, Round, decisions_of
from policies.residual import spread_in_actions
from policies.rollouts import Explorer

if TYPE_CHECKING:
    import torch
    from stable_baselines3.common.vec_env import VecEnv


class PPOSettings(NamedTuple):
    """How PPO learns."""

    decisions: int = 256
    """Decisions in a round of experience: about 60 swings, enough to tell better from worse."""
    minibatch: int = 64
    epochs: int = 10
    """Passes over a round."""
    rate: float = 5e-4
    """Learning rate of Adam."""
    hidden: tuple[int, ...] = (128, 128)
    """Widths of the tanh layers of policy and value."""
    explore: float = 0.035
    """First standard deviation of exploration [m]: about the nail's head, so that a fair share of tries still hits."""
    gamma: float = 1.0
    """Discount: an episode is short and ends with its only reward."""
    trace: float = 0.95
    """Lambda of generalised advantage estimation."""


def arguments_of(settings: PPOSettings, environments: int, seed: int) -> dict[str, Any]:
    """What stable-baselines3 is told beside the policy's kind and its environments."""
    return {
        "learning_rate": settings.rate,
        "n_steps": max(1, settings.decisions // environments),
        "batch_size": settings.minibatch,
        "n_epochs": settings.epochs,
        "gamma": settings.gamma,
        "gae_lambda": settings.trace,
        "policy_kwargs": {
            "net_arch": list(settings.hidden),
            "log_std_init": math.log(spread_in_actions(settings.explore)),
            "optimizer_kwargs": {"eps": 1e-5, "fused": True},
        },
        "seed": seed,
        "device": "cpu",
    }


class PPOLearner:
    """Learns from the task's reward alone. It begins as the base, or as the policy that it starts from."""

    Settings = PPOSettings
    squashed = False

    def __init__(self, envs: VecEnv, settings: PPOSettings, seed: int, start: Layers | None = None) -> None:
        """Set up the networks.

        Raises:
            ValueError: the policy to start from has other layers.
        """
        import torch

        from policies.learners.round_ppo import RoundPPO

        self.decisions = decisions_of(envs, settings.decisions)
        self._learner = RoundPPO("MlpPolicy", envs, **arguments_of(settings, envs.num_envs, seed))
        algorithm.silence(self._learner)
        if start is not None:
            algorithm.set_layers(self._network(), start)
            return
        with torch.no_grad():
            for value in self._learner.policy.action_net.parameters():
                value.zero_()

    def round(self, seed: int) -> Round:
        """Gather experience and improve on it."""
        return algorithm.learn_round(self._learner, self.decisions, seed)

    def explorer(self) -> Explorer:
        """The policy as it explores now."""
        return self._learner.explorer()

    def tensors(self) -> dict[str, np.ndarray]:
        """Networks and moments."""
        return algorithm.tensors_of(self._learner)

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Return to networks and moments."""
        algorithm.restore_tensors(self._learner, tensors)

    def layers(self) -> Layers:
        """From what is seen to the mean of the actions."""
        return algorithm.linear_layers(self._network())

    def _network(self) -> list[torch.nn.Module]:
        policy = self._learner.policy
        return [*policy.mlp_extractor.policy_net, policy.action_net]
