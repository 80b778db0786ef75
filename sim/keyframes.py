"""Strokes by key poses: where the tool's head is, and how the tool is turned, with rests in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.tool import Tool, motion_of_poses
from records import Motion
from sim.swing import CONTROL_RATE


class Key(NamedTuple):
    """A pose that the tool passes at rest."""

    after: float
    """Time since the last one [s]."""
    place: tuple[float, float, float]
    """Where the head is, or another point of the tool [m]."""
    roll: float = 0.0
    """Turn about the tool's x axis, first [rad]."""
    pitch: float = 0.0
    """Then about the y axis, nose down [rad]."""
    yaw: float = 0.0
    """Then about the vertical [rad]."""


def stroke_of(
    tool: Tool, keys: Sequence[Key], *, point: Float[np.ndarray, "3"] | None = None, fps: float = CONTROL_RATE
) -> Motion:
    """A motion through key poses, along straight lines in (place, roll, pitch, yaw) with zero velocity at each key.

    Args:
        tool: what is moved.
        keys: its poses.
        point: what the keys say the place of, in the tool frame [m]; the centre of the head by default.
        fps: frames per second.
    """
    times = np.cumsum([key.after for key in keys])
    values = np.array([[*key.place, key.roll, key.pitch, key.yaw] for key in keys])
    t = np.arange(round(times[-1] * fps) + 1) / fps
    k = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(keys) - 2)
    share = np.clip((t - times[k]) / np.maximum(times[k + 1] - times[k], 1e-9), 0, 1)[:, None]
    share = share**3 * (10 - 15 * share + 6 * share**2)
    path = (1 - share) * values[k] + share * values[k + 1]
    R = np.array([pin.rpy.rpyToMatrix(*row[3:].tolist()) for row in path])
    origin = path[:, :3] - R @ (tool.p_head if point is None else point)
    return motion_of_poses(tool.name, tool.parameters(), R, origin, fps)
