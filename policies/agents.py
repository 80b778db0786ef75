"""Who acts in the tool's environment: a learned policy, and agents that cost nothing and stand beside it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from policies.policy import Policy
from policies.residual import base_action, command, see
from records import Entry, Registry
from sim.env import ToolEnv

AGENTS = Registry(
    "agent",
    {
        "policy": Entry("policies.agents:PolicyAgent", "the learned policy, without exploration"),
        "shifted": Entry("policies.agents:Shifted", "the demonstration moved along with its object: costs nothing"),
        "replay": Entry("policies.agents:Replay", "the demonstration as recorded, wherever the object stands"),
        "zero": Entry("policies.agents:Zero", "no motion: the tool is held where the demonstration starts"),
        "random": Entry("policies.agents:Random", "the demonstration with its head displaced at random in every step"),
    },
)


@runtime_checkable
class Agent(Protocol):
    """Chooses an action in every control step."""

    follows: bool
    """Whether the demonstration runs beneath its actions."""

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode of `env`, which has just been reset; `rng` is the agent's own chance."""

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "3"]:
        """Action (3,) in [-1, 1] on an observation of the environment."""


class PolicyAgent:
    """Decides anew every few control steps and holds the decision in between, as it was trained."""

    follows = True

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self._env, self._step = env, 0
        self._base = base_action(env, self._policy.settings.base)

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "3"]:
        """Displace the demonstration by the policy's residual."""
        if self._step % self._policy.settings.repeat == 0:
            self._action = command(self._base, self._policy.decide(see(self._env, obs)))
        self._step += 1
        return self._action


class Shifted:
    """The same displacement in every step: the object's own."""

    follows = True

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """See how far the object stands from where it was demonstrated."""
        self._action = env.shift_action(env.object_offset)

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "3"]:
        """Displace the demonstration as the object is."""
        return self._action


class Replay:
    """Nothing is added to the demonstration."""

    follows = True

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Nothing to do."""

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "3"]:
        """No displacement."""
        return np.zeros(3)


class Zero(Replay):
    """No demonstration either: what happens when nobody acts."""

    follows = False


class Random:
    """Uniform actions."""

    follows = True

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Take the chance that is given."""
        self._rng = rng

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "3"]:
        """Draw from the whole space of actions."""
        return self._rng.uniform(-1, 1, 3)
