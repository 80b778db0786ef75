"""An agent that explores about another one, as a policy does before it has learned anything."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from policies.agents import Agent
from policies.residual import REPEAT
from sim.actions import REACH
from sim.env import ToolEnv


class Exploring:
    """Displaces what another agent does at random, and holds each displacement for some control steps."""

    def __init__(self, agent: Agent, spread: float, *, repeat: int = REPEAT) -> None:
        """Choose how far it strays.

        Args:
            agent: from whose actions it strays.
            spread: standard deviation along each axis [m].
            repeat: control steps that a displacement is held.
        """
        self.follows, self.acts = agent.follows, agent.acts
        self._agent, self._spread, self._repeat = agent, spread / REACH, repeat

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self._agent.start(env, rng)
        self._rng, self._step, self._width = rng, 0, len(env.action_names)

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "A"]:
        """The other's action, displaced."""
        if self._step % self._repeat == 0:
            self._aside = self._spread * self._rng.standard_normal(self._width)
        self._step += 1
        return np.clip(self._agent.act(obs) + self._aside, -1, 1)
