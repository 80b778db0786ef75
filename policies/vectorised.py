"""Several environments side by side, in this process or in processes of their own: the experience is the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from policies.residual import REPEAT, ResidualEnv
from policies.rewards.online import Paying
from records import Demonstration
from sim.conditions import Spread
from sim.env import PERFECT
from sim.sensing import Sensing

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env import VecEnv


def side_by_side(
    demonstration: Demonstration,
    base: str,
    spread: Spread,
    *,
    count: int,
    processes: int,
    action: str = "residual",
    sensing: Sensing = PERFECT,
    repeat: int = REPEAT,
    averaged: bool = False,
    paying: Paying | None = None,
) -> VecEnv:
    """Make `count` environments; each has a process of its own where `processes` is more than one.

    Args:
        demonstration: what the agents correct.
        base: what the residual is added to.
        spread: how conditions are drawn.
        count: environments; what is learned depends on it.
        processes: what is learned does not depend on it.
        action: name in the table of actions.
        sensing: how sensors and actions err.
        repeat: control steps that a decision lasts.
        averaged: whether objects are seen on average over the episode so far.
        paying: a learned reward that is paid instead of the task's own.

    Raises:
        ValueError: fewer than one environment or process.
    """
    from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

    if count < 1 or processes < 1:
        raise ValueError(f"{count} environments in {processes} processes: at least 1 of each")
    how: dict[str, Any] = {
        "base": base,
        "action": action,
        "spread": spread,
        "sensing": sensing,
        "repeat": repeat,
        "averaged": averaged,
        "paying": paying,
    }
    made = partial(ResidualEnv, demonstration, **how)
    make: list[Callable[[], ResidualEnv]] = [made] * count
    return SubprocVecEnv(make) if min(count, processes) > 1 else DummyVecEnv(make)  # type: ignore[arg-type]
