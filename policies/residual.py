"""What a residual policy sees and does: normalised observations in, a bounded displacement of the demonstration out.

Residual reinforcement learning (Johannink et al., ICRA 2019; Silver et al., arXiv 1812.06298): a policy that outputs
zero is the controller that it is added to. Here that is the demonstration as recorded (`replay`), or moved along with
its object (`shifted`).
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float

from policies.rollouts import Experience, Explorer, explore
from records import Demonstration
from sim.actions import REACH
from sim.conditions import USUAL, Spread
from sim.env import LARGEST, ToolEnv
from sim.tasks.task import Task

Base = Literal["shifted", "replay"]
"""What the residual is added to."""
BASES: tuple[str, ...] = get_args(Base)

REPEAT = 8
"""Control steps that one decision lasts. A swing then holds about five decisions: enough to answer an object's place,
few enough that a reward at its end can be traced to the decision that earned it."""
OFFSET = 0.05
"""Unit of displacements [m]: the size of a hammer's face."""
DISTANCE = 0.2
"""Unit of the head's distance from its work [m]: a fraction of a swing."""
TURN = 0.1
"""Unit of the objects' turn [rad]."""
SPEED = 1.0
"""Unit of the head's velocity [m/s]: a strike is of a few units."""


def seen_names(task: Task | type[Task]) -> tuple[str, ...]:
    """Names of what `see` returns in the environment of a task."""
    axes = ("x", "y", "z")
    return (
        "phase",
        *(f"offset_{a}" for a in axes[:2]),
        *(f"residual_{a}" for a in axes),
        *(f"head_from_target_{a}" for a in axes),
        *(f"head_v{a}" for a in axes),
        "yaw",
        *(f"handle_{a}" for a in axes),
        *(f"up_{a}" for a in axes),
        *task.obs_names,
    )


def see(env: ToolEnv, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "S"]:
    """An observation of the environment as the policy sees it, of the order of 1; named by `seen_names`.

    Units are fixed, so that they need no data and do not drift while the policy learns.
    """
    known = dict(zip(env.obs_names, obs, strict=True))
    offset = np.array([known["offset_x"], known["offset_y"]])
    residual, head, velocity, handle, up = (np.array([known[f"{name}{a}"] for a in "xyz"]) for name in _VECTORS)
    task = np.array([known[name] for name in env.task.obs_names])
    return np.concatenate(
        [
            [2 * known["phase"] - 1],
            offset / OFFSET,
            residual / OFFSET,
            (head - env.seen_target()) / DISTANCE,
            velocity / SPEED,
            [known["yaw"] / TURN],
            handle,
            up,
            task,
        ]
    )


_VECTORS = ("residual_", "head_", "head_v", "handle_", "up_")


def base_action(env: ToolEnv, base: str) -> Float[np.ndarray, "3"]:
    """The action that a residual is added to, in the next step of `env`."""
    return env.shift_action() if base == "shifted" else np.zeros(3)


def command(base: Float[np.ndarray, "3"], residual: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """The action (3,) in [-1, 1] of a residual, both in units of the environment's reach."""
    return np.clip(base + np.clip(residual, -1, 1), -1, 1)


class ResidualEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """The tool's environment as a residual policy learns in it: one step is one decision.

    Action (3,) in [-1, 1]: displacement of the head from the base [reach of `ToolEnv`]. Reward is that of the task,
    summed over the decision: sparse.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - gymnasium's own declaration

    def __init__(self, demonstration: Demonstration, *, base: str = "shifted", spread: Spread = USUAL) -> None:
        """Build the scene; the conditions of every episode are drawn from `spread`."""
        self.tool_env = ToolEnv(demonstration, spread=spread)
        self.base = base
        self._return = 0.0
        count = len(seen_names(self.tool_env.task))
        self.observation_space = spaces.Box(-LARGEST / OFFSET, LARGEST / OFFSET, (count,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (3,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode."""
        super().reset(seed=seed)
        self._return = 0.0
        obs, info = self.tool_env.reset(seed=seed, options=options)
        return self._see(obs), info

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Carry out one decision; `info` tells the control steps that it took, and an episode's return at its end."""
        residual, total, steps = np.asarray(action, float), 0.0, 0
        while steps < REPEAT:
            wanted = command(base_action(self.tool_env, self.base), residual)
            obs, reward, terminated, truncated, info = self.tool_env.step(wanted)
            total += reward
            steps += 1
            if terminated or truncated:
                break
        self._return += total
        ended = {"return": self._return} if terminated or truncated else {}
        return self._see(obs), total, terminated, truncated, {**info, "steps": steps, **ended}

    def explore(self, explorer: Explorer, decisions: int) -> Experience:
        """Gather decisions of a policy that explores, in fresh episodes."""
        return explore(self, explorer, decisions)

    def expert(self) -> Float[np.ndarray, "3"]:
        """The decision that makes of the base the demonstration moved along with its objects."""
        return np.clip(self.tool_env.shift_action() - base_action(self.tool_env, self.base), -1, 1)

    def widen(self, spread: Spread) -> None:
        """Draw the conditions of later episodes from another spread."""
        self.tool_env.spread = spread

    def close(self) -> None:
        """Free the physics."""
        self.tool_env.close()

    def _see(self, obs: np.ndarray) -> np.ndarray:
        return see(self.tool_env, obs).astype(np.float32)


def spread_in_actions(metres: float) -> float:
    """A displacement [m] in units of the action."""
    return metres / REACH
