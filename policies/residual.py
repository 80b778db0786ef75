"""What a residual policy sees and does: normalised observations in, a bounded displacement of the demonstration out.

Residual reinforcement learning (Johannink et al., ICRA 2019; Silver et al., arXiv 1812.06298): a policy that outputs
zero is the controller that it is added to. Here that is the demonstration as recorded (`replay`), or moved along with
its object (`shifted`). The control of what a demonstration is worth has nothing beneath: an arm at rest (`scratch`).
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float

from policies.rewards.online import Payer, Paying
from policies.rollouts import Experience, Explorer, explore
from policies.sight import Sight
from records import Demonstration
from sim.actions import ACTIONS, REACH, RESIDUAL, ActionModel
from sim.conditions import USUAL, Spread
from sim.env import LARGEST, PERFECT, ToolEnv
from sim.sensing import Sensing
from sim.tasks.task import Task

Base = Literal["shifted", "replay", "scratch"]
"""What the residual is added to."""
BASES: tuple[str, ...] = get_args(Base)

REPEAT = 8
"""Control steps that one decision lasts unless something else is asked for. A swing then holds about five decisions:
enough to answer an object's place, few enough that a reward at its end can be traced to the decision that earned it."""
OFFSET = 0.05
"""Unit of the objects' displacement [m]: the size of a hammer's face. Displacements of the tool are seen in the same
share of its reach."""
DISTANCE = 0.2
"""Unit of the head's distance from its work [m]: a fraction of a swing."""
TURN = 0.1
"""Unit of the objects' turn [rad]."""
SPEED = 1.0
"""Unit of the head's velocity [m/s]: a strike is of a few units."""


def action_of(base: str, *, turning: bool) -> str:
    """Name in the table of actions of what is learned on a base; `turning`: whether the tool can be turned, too."""
    if base == "scratch":
        return "free"
    return "turning" if turning else "residual"


def seen_names(task: Task | type[Task], action: ActionModel = RESIDUAL) -> tuple[str, ...]:
    """Names of what `see` returns in the environment of a task and of actions."""
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
        *(f"turned_{axes[axis - 3]}" for axis in action.turns),
        *task.obs_names,
    )


def see(env: ToolEnv, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "S"]:
    """An observation of the environment as the policy sees it, of the order of 1; named by `seen_names`.

    The work seems to stand where the observation says that objects do. Units are fixed, so that they need no data and
    do not drift while the policy learns.
    """
    known = dict(zip(env.obs_names, obs, strict=True))
    offset = np.array([known["offset_x"], known["offset_y"]])
    residual, head, velocity, handle, up = (np.array([known[f"{name}{a}"] for a in "xyz"]) for name in _VECTORS)
    beside = np.append(offset - env.conditions.offset, 0.0)
    share, action = REACH / OFFSET, env.action
    turned = [share * known[f"turned_{'xyz'[axis - 3]}"] / action.reach_of(axis) for axis in action.turns]
    task = np.array([known[name] for name in env.task.obs_names])
    return np.concatenate(
        [
            [2 * known["phase"] - 1],
            offset / OFFSET,
            share * residual / np.array([action.reach_of(axis) for axis in range(3)]),
            (head - env.task.target() - beside) / DISTANCE,
            velocity / SPEED,
            [known["yaw"] / TURN],
            handle,
            up,
            turned,
            task,
        ]
    )


_VECTORS = ("residual_", "head_", "head_v", "handle_", "up_")


def base_action(env: ToolEnv, base: str, sight: Sight) -> Float[np.ndarray, "D"]:
    """The action that a residual is added to, in the next step of `env`."""
    return sight.shift() if base == "shifted" else np.zeros(len(env.action_names))


def command(base: Float[np.ndarray, "D"], residual: Float[np.ndarray, "D"]) -> Float[np.ndarray, "D"]:
    """The action in [-1, 1] of a residual, both in units of the environment's reach."""
    return np.clip(base + np.clip(residual, -1, 1), -1, 1)


class ResidualEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """The tool's environment as a residual policy learns in it: one step is one decision.

    Action in [-1, 1], of `sim.actions.ACTIONS`: displacement of the tool from the base, in shares of its reach. Reward
    is that of the task, summed over the decision: sparse; or a learned one.

    The end of the demonstration terminates an episode. Nothing can be gained after it, and the phase that is seen tells
    when it comes: a learner that took it for a limit of its patience, as the tool's environment has it, would add what
    it believes to be gained later, and make of a failure that lasts to the end more than of a success before (Pardo et
    al., Time Limits in Reinforcement Learning, ICML 2018).
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - gymnasium's own declaration

    def __init__(
        self,
        demonstration: Demonstration,
        *,
        base: str = "shifted",
        action: str = "residual",
        spread: Spread = USUAL,
        sensing: Sensing = PERFECT,
        repeat: int = REPEAT,
        averaged: bool = False,
        paying: Paying | None = None,
    ) -> None:
        """Build the scene.

        Args:
            demonstration: what is corrected.
            base: what the residual is added to.
            action: name in the table of actions.
            spread: the conditions of every episode are drawn from it.
            sensing: how sensors and actions err.
            repeat: control steps that a decision lasts.
            averaged: whether objects are seen on average over the episode so far.
            paying: a learned reward that is paid instead of the task's own; pictures and forces that it looks at are
                taken in every step.

        Raises:
            RewardError: there is no such reward.
        """
        self._payer = Payer(paying) if paying is not None else None
        shown = self._payer.how if self._payer is not None else {}
        self.tool_env = ToolEnv(demonstration, action=ACTIONS.load(action), spread=spread, sensing=sensing, **shown)
        self.base, self.repeat = base, repeat
        self._sight = Sight(self.tool_env, averaged=averaged)
        self._return = 0.0
        count = len(seen_names(self.tool_env.task, self.tool_env.action))
        self.observation_space = spaces.Box(-LARGEST / OFFSET, LARGEST / OFFSET, (count,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, self.tool_env.action_space.shape, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode."""
        super().reset(seed=seed)
        self._return = 0.0
        obs, info = self.tool_env.reset(seed=seed, options=options)
        if self._payer is not None:
            self._payer.begin(self.tool_env, obs)
        self._sight.begin()
        return self._see(self._sight.look(obs)), info

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Carry out one decision; `info` tells the control steps that it took, and an episode's return at its end."""
        residual, total, steps = np.asarray(action, float), 0.0, 0
        while steps < self.repeat:
            wanted = command(base_action(self.tool_env, self.base, self._sight), residual)
            obs, reward, terminated, truncated, info = self.tool_env.step(wanted)
            if self._payer is not None:
                self._payer.note(obs, wanted)
            obs = self._sight.look(obs)
            total += reward
            steps += 1
            if terminated or truncated:
                break
        over = terminated or truncated
        if self._payer is not None:
            total = self._payer.pay(over=over)
        self._return += total
        ended = {"return": self._return} if over else {}
        return self._see(obs), total, over, False, {**info, "steps": steps, **ended}

    def explore(self, explorer: Explorer, decisions: int) -> Experience:
        """Gather decisions of a policy that explores, in fresh episodes."""
        return explore(self, explorer, decisions)

    def expert(self) -> Float[np.ndarray, "D"]:
        """The decision that makes of the base the demonstration moved along with its objects, as they truly stand."""
        return np.clip(self._sight.true_shift() - base_action(self.tool_env, self.base, self._sight), -1, 1)

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
