"""A demonstrated stroke placed in the hammer's scene, and how well it would drive the nail by kinematics alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from motion.tool import Tool, motion_of_poses
from records import Demonstration, Motion
from sim.tasks.hammer import HEAD_RADIUS, SCENE, STROKE

BEFORE = 1.0
"""Stretch of the stroke that is kept before the strike [s]: the swing."""
AFTER = 0.35
"""Stretch that is kept after it [s]."""
FLOOR = 0.01
"""The tool is kept at least this far above the ground [m]."""
_SAMPLES = 8
"""Kinematic samples per frame around the strike."""


class Placement(NamedTuple):
    """Where the nail stands with respect to the stroke, and how the stroke is changed."""

    strike: float
    """Frame at which the face meets the nail."""
    along: float
    """Distance of the nail from the centre of the face along the handle [m]."""
    across: float
    """The same across it [m]."""
    scale: float
    """Size of the stroke."""
    tilt: float
    """Turn of the tool about its y axis, the axis of the swing [rad]."""
    roll: float
    """Turn of the tool about its handle [rad]."""


class Swing(NamedTuple):
    """Poses of a tool over time."""

    R: np.ndarray
    """Rotation (T, 3, 3)."""
    head: np.ndarray
    """Position of the head (T, 3) [m]."""
    fps: float
    """[1/s]."""


def swing_of(stroke: Motion, tool: Tool) -> Swing:
    """Poses of the tool in a recorded stroke."""
    R = Rotation.from_quat(stroke.q[:, 3:7]).as_matrix()
    return Swing(R, stroke.q[:, :3] + R[:, :, 0] * tool.length, stroke.fps)


def place(stroke: Motion, tool: Tool, placement: Placement) -> Demonstration:
    """Cut the stroke around its strike and move it so that the face meets the nail there.

    The strike's frame puts the lowest corner of the face on the undriven nail; where the stroke goes on below the
    driven nail it is held up: a surface that the video does not show stopped the real tool. The scene is turned so that
    the handle points along +x at the strike.
    """
    R, head = _turned(swing_of(stroke, tool), placement)
    first = max(0, int(np.floor(placement.strike - BEFORE * stroke.fps)))
    last = min(len(head) - 1, int(np.ceil(placement.strike + AFTER * stroke.fps)))
    at = min(max(placement.strike, first), last)
    (R_strike,), (p_strike,) = _interpolate(R, head, np.array([at]))
    heading = np.arctan2(R_strike[1, 0], R_strike[0, 0])
    level = _about_z(-heading)
    target = np.array([SCENE["nail_x"], SCENE["nail_y"], SCENE["nail_z"]])
    meeting = p_strike + R_strike @ [placement.along, placement.across, -tool.head_size[2] / 2]
    head = (head[first : last + 1] - meeting) @ level.T + target
    R = level @ R[first : last + 1]
    head = head + _lift(R, head, tool)
    motion = motion_of_poses(stroke.model, dict(stroke.parameters), R, head - tool.length * R[:, :, 0], stroke.fps)
    return Demonstration(task="hammer", scene=dict(SCENE), tool=motion)


def shortfall(swing: Swing, tool: Tool, placement: Placement) -> float:
    """How far a placement is from driving the nail with a margin: 0 is a good one, larger is worse.

    Looks at the moving face alone: centred on the nail, flat, and fast downwards from the first touch until the nail is
    driven; and away from the nail before.
    """
    R, head = _turned(swing, placement)
    fps, n = swing.fps, len(head)
    if not 2 <= placement.strike <= n - 3:
        return 50.0
    span = np.arange(placement.strike - 0.4 * fps, min(placement.strike + AFTER * fps, n - 1.01), 1 / _SAMPLES)
    span = span[span >= 0]
    rotation, position = _interpolate(R, head, span)
    (R0,), (p0,) = _interpolate(R, head, np.array([placement.strike]))
    nail = p0 + R0 @ [placement.along, placement.across, -tool.head_size[2] / 2]
    face = position - rotation[:, :, 2] * tool.head_size[2] / 2
    depth = nail[2] - face[:, 2]
    touching = int(np.searchsorted(span, placement.strike))
    driving = np.flatnonzero(depth[touching:] >= STROKE)
    if not len(driving):
        return 10.0 + 100 * float(STROKE - depth[touching:].max())
    stop = touching + int(driving[0]) + 1
    local = np.einsum("tij,tj->ti", rotation.swapaxes(1, 2), nail - np.c_[np.zeros((len(face), 2)), depth] - face)
    drive = slice(touching, stop)
    off = np.abs(local[drive, :2]).max(axis=0) / (np.array(tool.head_size[:2]) / 2)
    flat = 1 - rotation[drive, 2, 2].min()
    speed = -np.diff(face[drive, 2]).mean() * _SAMPLES * fps if stop - touching > 1 else 0.0
    before = local[:touching]
    beside = np.abs(before[:, 1]) < tool.head_size[1] / 2 + HEAD_RADIUS
    below = (before[:, 2] > -0.005) & (before[:, 0] < tool.head_size[0] / 2 + HEAD_RADIUS) & beside
    above = depth[:touching].max(initial=-1.0)
    return (
        float((off**2).sum())
        + 30 * flat
        + max(0.0, 0.5 - speed)
        + 5.0 * float(below.mean() if len(below) else 0)
        + 20 * max(0.0, above + 0.005)
    )


def _turned(swing: Swing, placement: Placement) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (T, 3, 3) and scaled head positions (T, 3) [m] after tilt and roll."""
    turn = pin.rpy.rpyToMatrix(float(placement.roll), float(placement.tilt), 0.0)
    return swing.R @ turn, placement.scale * swing.head


def _interpolate(
    R: Float[np.ndarray, "T 3 3"], p: Float[np.ndarray, "T 3"], frames: Float[np.ndarray, "S"]
) -> tuple[Float[np.ndarray, "S 3 3"], Float[np.ndarray, "S 3"]]:
    """Poses at fractional frames, the rotations along geodesics."""
    before = np.clip(frames.astype(int), 0, len(p) - 2)
    share = (frames - before)[:, None]
    step = Rotation.from_matrix(R[before].swapaxes(1, 2) @ R[before + 1]).as_rotvec()
    turned = R[before] @ Rotation.from_rotvec(share * step).as_matrix()
    return turned, (1 - share) * p[before] + share * p[before + 1]


def _lift(R: Float[np.ndarray, "T 3 3"], head: Float[np.ndarray, "T 3"], tool: Tool) -> Float[np.ndarray, "T 3"]:
    """Vertical displacement that keeps every corner of the tool above the ground [m]."""
    half = np.array(tool.head_size) / 2
    signs = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T
    corners = np.concatenate([signs * half, [[-tool.length, 0, 0]]])
    lowest = (head[:, None, 2] + np.einsum("tj,cj->tc", R[:, 2], corners)).min(axis=1)
    return np.maximum(0.0, FLOOR - lowest)[:, None] * np.array([0.0, 0.0, 1.0])


def _about_z(angle: float) -> np.ndarray:
    return pin.rpy.rpyToMatrix(0.0, 0.0, float(angle))
