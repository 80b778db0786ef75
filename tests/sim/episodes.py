"""Episodes of an environment, for tests."""

from __future__ import annotations

import numpy as np

from sim.env import ToolEnv


def play(env: ToolEnv, actions=None, *, seed=None, **options) -> tuple[np.ndarray, dict]:
    """Observations (S + 1, D) and the last info; `actions` (S, 3), `"shifted"`, or a replay."""
    obs, info = env.reset(seed=seed, options=options or None)
    seen, done = [obs], False
    while not done:
        if actions is None:
            action = np.zeros(len(env.action_names))
        elif isinstance(actions, str):
            action = env.shift_action()
        else:
            action = actions[len(seen) - 1]
        obs, _, terminated, truncated, info = env.step(action)
        seen.append(obs)
        done = terminated or truncated
    return np.array(seen), info
