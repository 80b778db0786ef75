"""The arm of a demonstration at rest, for as long as the demonstration lasts: where an agent starts that has none."""

from __future__ import annotations

import numpy as np
import pinocchio as pin

from motion.robot import build_arm
from motion.tool import motion_of_poses, tool_of
from records import Demonstration, Motion


def at_rest(demonstration: Demonstration) -> Demonstration:
    """The same scene with a motion that stands still.

    An arm is in the rest configuration of its description, on the base of the demonstration; a tool alone stays where
    the demonstration starts.
    """
    robot = demonstration.robot
    if robot is None:
        return demonstration.replace(tool=_still(demonstration.tool, demonstration.tool.q[0]))
    arm = build_arm(robot.model, tool_of(demonstration.tool))
    rest = np.array(arm.spec.rest)
    x, y, z, yaw = (robot.parameters[f"base_{name}"] for name in ("x", "y", "z", "yaw"))
    base = pin.SE3(pin.rpy.rpyToMatrix(0.0, 0.0, yaw), np.array([x, y, z]))
    pose, count = base * pin.SE3(*arm.tool_pose(rest)), demonstration.tool.num_frames
    stroke = demonstration.tool
    rotation, position = np.tile(pose.rotation, (count, 1, 1)), np.tile(pose.translation, (count, 1))
    tool = motion_of_poses(stroke.model, dict(stroke.parameters), rotation, position, stroke.fps)
    return demonstration.replace(tool=tool, robot=_still(robot, rest))


def _still(motion: Motion, q: np.ndarray) -> Motion:
    return motion.replace(q=np.tile(q, (motion.num_frames, 1)), v=np.zeros_like(motion.v), a=np.zeros_like(motion.a))
