"""Who acts in the tool's environment: a learned policy, and agents that cost nothing and stand beside it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from policies.policy import Policy, check_sees
from policies.residual import base_action, command, see, seen_names
from policies.sight import Sight
from records import Entry, Registry
from sim.actions import RESIDUAL, TURNING, ActionModel
from sim.env import ToolEnv

AGENTS = Registry(
    "agent",
    {
        "policy": Entry("policies.agents:PolicyAgent", "the learned policy, without exploration"),
        "turned": Entry("policies.agents:Turned", "the demonstration moved and turned along with its object"),
        "averaged": Entry("policies.agents:Averaged", "moved along with where its object has seemed to be on average"),
        "shifted": Entry("policies.agents:Shifted", "the demonstration moved along with its object: costs nothing"),
        "replay": Entry("policies.agents:Replay", "the demonstration as recorded, wherever the object stands"),
        "zero": Entry("policies.agents:Zero", "no motion: the tool is held where the demonstration starts"),
        "random": Entry(
            "policies.agents:Random", "random actions where the demonstration starts, without following it"
        ),
    },
)


@runtime_checkable
class Agent(Protocol):
    """Chooses an action in every control step."""

    follows: bool
    """Whether the demonstration runs beneath its actions."""
    acts: ActionModel
    """What its actions stand for: that of its environment."""

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode of `env`, which has just been reset; `rng` is the agent's own chance."""

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "A"]:
        """Action in [-1, 1] on an observation of the environment."""


class PolicyAgent:
    """Decides anew every few control steps and holds the decision in between, as it was trained."""

    follows = True

    def __init__(self, policy: Policy) -> None:
        self._policy, self.acts = policy, policy.acts

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode.

        Raises:
            PolicyError: the policy sees something else than this environment shows.
        """
        check_sees(self._policy, seen_names(env.task, env.action))
        self._env, self._step = env, 0
        self._sight = Sight(env, averaged=self._policy.settings.averaged)

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "A"]:
        """Displace the base by the policy's residual."""
        obs = self._sight.look(obs)
        if self._step % self._policy.settings.repeat == 0:
            self._residual = self._policy.decide(see(self._env, obs))
        self._step += 1
        return command(base_action(self._env, self._policy.settings.base, self._sight), self._residual)


class Shifted:
    """The displacement of the objects, in every step."""

    follows, acts = True, RESIDUAL

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self._env = env

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "A"]:
        """Displace the demonstration as the objects are."""
        return self._env.shift_action()


class Turned(Shifted):
    """The displacement and the turn of the objects, in every step."""

    acts = TURNING


class Averaged:
    """The displacement of the objects, averaged over all that has been seen of it in the episode."""

    follows, acts = True, RESIDUAL

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self._sight = Sight(env, averaged=True)

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "A"]:
        """Displace the demonstration as the objects seem to be."""
        self._sight.look(obs)
        return self._sight.shift()


class Replay:
    """Nothing is added to the demonstration."""

    follows, acts = True, RESIDUAL

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self._still = np.zeros(len(env.action_names))

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "A"]:
        """No displacement."""
        return self._still


class Zero(Replay):
    """No demonstration either: what happens when nobody acts."""

    follows = False


class Random:
    """Uniform actions, without a demonstration beneath them: what chance achieves."""

    follows, acts = False, RESIDUAL

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Take the chance that is given."""
        self._rng, self._count = rng, len(env.action_names)

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "A"]:
        """Draw from the whole space of actions."""
        return self._rng.uniform(-1, 1, self._count)
