"""Rounds of experience, gathered where the environment is: a policy that explores, on numpy alone.

Processes that step environments one decision at a time wait for each other, and for the policy, in every one. Here each
gathers its whole share of a round with a copy of the policy, and hands it over in one piece.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium
import numpy as np
from jaxtyping import Bool, Float

from policies.learners import Layers


class Explorer(NamedTuple):
    """A Gaussian policy."""

    layers: Layers
    """From what is seen to the mean of the actions: tanh, the last one linear."""
    sigma: Float[np.ndarray, "A"]
    """Standard deviation of each action."""


class Experience(NamedTuple):
    """T decisions of one environment."""

    seen: Float[np.ndarray, "T S"]
    """Before each decision."""
    action: Float[np.ndarray, "T A"]
    """As it was drawn; what is carried out is clipped to the action space."""
    reward: Float[np.ndarray, "T"]
    starts: Bool[np.ndarray, "T"]
    """Whether an episode starts with the decision."""
    infos: list[dict[str, Any]]
    """Control steps of each decision, and success and return of the episode that it ends."""
    after: Float[np.ndarray, "S"]
    """What is seen after the last decision."""
    ended: bool
    """Whether that ended its episode."""


def explore(env: gymnasium.Env[np.ndarray, np.ndarray], explorer: Explorer, decisions: int) -> Experience:
    """Let a policy act in fresh episodes, its chance drawn from that of the environment.

    Args:
        env: residual environment that has been seeded; its episodes end by themselves.
        explorer: acts.
        decisions: T.
    """
    # Not the environment's own generator: the conditions of episodes may come from one of the same seed.
    rng = np.random.default_rng([int(env.np_random.integers(2**32)), 1])
    noise = explorer.sigma * rng.standard_normal((decisions, len(explorer.sigma)))
    low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
    seen, action, reward = [], [], np.zeros(decisions)
    infos: list[dict[str, Any]] = []
    starts, ended, obs = np.zeros(decisions, bool), True, env.reset()[0]
    for k in range(decisions):
        starts[k] = ended
        seen.append(obs)
        action.append((through(explorer.layers, obs) + noise[k]).astype(np.float32))
        obs, reward[k], terminated, truncated, info = env.step(np.clip(action[-1], low, high))
        infos.append({name: info[name] for name in ("steps", "success", "return") if name in info})
        ended = terminated or truncated
        if ended:
            obs = env.reset()[0]
    return Experience(np.array(seen), np.array(action), reward, starts, infos, obs, ended)


def through(layers: Layers, seen: Float[np.ndarray, "S"]) -> Float[np.ndarray, "A"]:
    """What a network of tanh layers, the last one linear, makes of what is seen; in single precision."""
    x = seen.astype(np.float32)
    for weight, bias in layers[:-1]:
        x = np.tanh(weight @ x + bias)
    weight, bias = layers[-1]
    return np.asarray(weight @ x + bias)
