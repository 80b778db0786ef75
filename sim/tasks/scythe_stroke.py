"""The scythe's own scripted stroke: an arc about the mower, level and low through the grass."""

from __future__ import annotations

import numpy as np
import pinocchio as pin

from motion.tool import motion_of_poses
from records import Demonstration
from sim.swing import CONTROL_RATE
from sim.tasks.grass import PATCH, SCENE, SCYTHE
from sim.tool_shape import LAY

RADIUS = 0.75
"""From the mower's axis to the centre of the blade [m]."""
HALF_ARC = 0.85
"""Angle from the beginning of the swing to the middle of the grass [rad]."""
SPEED = 1.6
"""Of the blade through the grass [m/s]."""
HAFT = -0.7
"""Turn of the blade from along its path, its tip outwards [rad]: the wider, the broader the swath."""
LOW = 0.035
"""Of the blade above the ground in the grass [m]."""
RAISED = 0.10
"""How much higher the swing begins and ends [m]."""
WAIT = 4
"""Frames before the swing and after it."""


def scythe_stroke(stalks: int = int(SCENE["stalks"])) -> Demonstration:
    """From right to left, as mowers swing it; the swing starts and ends at rest."""
    fps, duration = CONTROL_RATE, np.pi * HALF_ARC * RADIUS / SPEED
    count = round(duration * fps) + 1
    # A cosine from end to end has its greatest speed in the middle.
    swing = -HALF_ARC * np.cos(np.linspace(0, np.pi, count))
    angle = np.concatenate([np.full(WAIT, -HALF_ARC), swing, np.full(WAIT, HALF_ARC)])
    clear = np.abs(angle) * RADIUS > PATCH[1]
    height = LOW + RAISED * np.where(clear, (np.abs(angle) - PATCH[1] / RADIUS) / (HALF_ARC - PATCH[1] / RADIUS), 0.0)
    centre = np.array([SCENE["patch_x"] - RADIUS, SCENE["patch_y"], 0.0])
    head = centre + np.stack([RADIUS * np.cos(angle), RADIUS * np.sin(angle), height], axis=1)
    R = np.stack([pin.rpy.rpyToMatrix(0.0, float(LAY), float(turn + HAFT)) for turn in angle])
    motion = motion_of_poses(SCYTHE.name, SCYTHE.parameters(), R, head - SCYTHE.length * R[:, :, 0], fps)
    return Demonstration(task="scythe", scene={**SCENE, "stalks": float(stalks)}, tool=motion)
