"""Replays: a demonstration as it is, with its objects displaced."""

from __future__ import annotations

import contextlib

import numpy as np
from jaxtyping import Float

from records import Demonstration
from sim.conditions import STILL
from sim.env import ToolEnv


def outcomes(demonstration: Demonstration, offsets: Float[np.ndarray, "N D"]) -> list[bool]:
    """Success of one replay per displacement of the objects: x, y [m] and, where given, their turn [rad].

    With the robot, if the demonstration has one.
    """
    with contextlib.closing(ToolEnv(demonstration, spread=STILL)) as env:
        return [_replay(env, offset) for offset in offsets]


def _replay(env: ToolEnv, offset: np.ndarray) -> bool:
    env.reset(options={"object_offset": offset[:2], "object_yaw": offset[2] if len(offset) > 2 else 0.0})
    done, info = False, {"success": False}
    while not done:
        _, _, terminated, truncated, info = env.step(np.zeros(3))
        done = terminated or truncated
    return bool(info["success"])
