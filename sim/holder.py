"""What moves the tool in a simulation: nothing but itself (a limited force pulls it along), or a robot arm."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.robot import Arm, build_arm
from motion.tool import Tool
from records import Demonstration, Motion
from sim.bullet import Bullet
from sim.urdf import arm_urdf, tool_urdf, write_urdf

PULL = 400.0
"""Largest force that moves a tool on its own [N]: about what two arms can do."""
GAIN = 0.6
"""Share of the position error that a joint's motor removes in one physics step."""
DAMPING = 1e-2
"""Damping of the pseudo-inverse [m]: keeps joint steps bounded near singular configurations."""


@runtime_checkable
class Holder(Protocol):
    """Moves the tool along the demonstration, displaced by a residual of its head."""

    body: int
    link: int

    def reset(self) -> None:
        """Go to the first frame, at rest."""

    def drive(self, frame: float, residual: Float[np.ndarray, "3"]) -> None:
        """Aim at the demonstration's (fractional) frame with the head displaced by `residual` [m]."""

    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Rotation (3, 3) of the tool and position (3,) of its head [m]."""


class FreeTool:
    """The tool alone, drawn along by a force of limited size."""

    link = -1

    def __init__(self, bullet: Bullet, folder: Path, tool: Tool, motion: Motion) -> None:
        self._bullet, self._tool, self._q = bullet, tool, motion.q
        self.body = bullet.load_urdf(write_urdf(folder, "tool", tool_urdf(tool)), fixed=False)
        bullet.place(self.body, self._q[0, :3], self._q[0, 3:])
        self._hold = bullet.hold(self.body, PULL)

    def reset(self) -> None:
        """Go to the first frame, at rest."""
        self._bullet.place(self.body, self._q[0, :3], self._q[0, 3:])
        self._bullet.move_hold(self._hold, self._q[0, :3].tolist(), self._q[0, 3:].tolist(), PULL)

    def drive(self, frame: float, residual: Float[np.ndarray, "3"]) -> None:
        """Pull the tool towards its pose in the frame."""
        before, share = _between(frame, len(self._q))
        a, b = pin.XYZQUATToSE3(self._q[before]), pin.XYZQUATToSE3(self._q[before + 1])
        pose = pin.SE3.Interpolate(a, b, share)
        turn = pin.Quaternion(pose.rotation).coeffs()
        self._bullet.move_hold(self._hold, (pose.translation + residual).tolist(), turn.tolist(), PULL)

    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Rotation of the tool and position of its head [m]."""
        p, quaternion = self._bullet.pose(self.body)
        R = pin.Quaternion(quaternion).toRotationMatrix()
        return R, p + R @ self._tool.p_head


class ArmHolder:
    """A robot arm with the tool welded to its hand."""

    def __init__(self, bullet: Bullet, folder: Path, arm: Arm, motion: Motion, *, meshes: bool) -> None:
        self._bullet, self._arm = bullet, arm
        self._q = motion.q
        x, y, z, yaw = (motion.parameters[f"base_{name}"] for name in ("x", "y", "z", "yaw"))
        path = write_urdf(folder, "arm", arm_urdf(arm.spec, arm.tool, meshes=meshes))
        self.body = bullet.load_urdf(path, position=(x, y, z), yaw=yaw)
        joints = bullet.joints(self.body)
        self._joints = [joints[name] for name in arm.spec.joints]
        self._others = [k for name, k in joints.items() if name not in arm.spec.joints]
        self.link = bullet.links(self.body)["tool"]
        self._effort = np.asarray(arm.model.effortLimit, float)
        speed = np.asarray(arm.model.velocityLimit, float)
        self._step = np.diff(self._q, axis=0)
        self._velocity = np.clip(self._step * motion.fps, -speed, speed)
        self._lower, self._upper = (
            np.asarray(limit, float) for limit in (arm.model.lowerPositionLimit, arm.model.upperPositionLimit)
        )
        world_base = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        self._shift = np.stack([shift_matrix(arm, q, world_base) for q in self._q])

    def reset(self) -> None:
        """Go to the first frame, at rest."""
        self._bullet.reset_joints(self.body, self._joints, self._q[0])
        self._bullet.reset_joints(self.body, self._others, [0.0] * len(self._others))

    def drive(self, frame: float, residual: Float[np.ndarray, "3"]) -> None:
        """Drive the joints to the frame's configuration, displaced by the pseudo-inverse of the residual."""
        before, share = _between(frame, len(self._q))
        shift = (1 - share) * self._shift[before] + share * self._shift[before + 1]
        target = self._q[before] + share * self._step[before] + shift @ residual
        target = np.minimum(np.maximum(target, self._lower), self._upper)
        self._bullet.drive_position(self.body, self._joints, target, self._velocity[before], self._effort, gain=GAIN)

    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Rotation of the tool and position of its head [m]."""
        p, quaternion = self._bullet.link_pose(self.body, self.link)
        R = pin.Quaternion(quaternion).toRotationMatrix()
        return R, p + R @ self._arm.tool.p_head


def build_holder(bullet: Bullet, folder: Path, demonstration: Demonstration, tool: Tool, *, meshes: bool) -> Holder:
    """The robot of the demonstration if it has one, else the tool alone."""
    robot = demonstration.robot
    if robot is None:
        return FreeTool(bullet, folder, tool, demonstration.tool)
    return ArmHolder(bullet, folder, build_arm(robot.model, tool), robot, meshes=meshes)


def shift_matrix(
    arm: Arm, q: Float[np.ndarray, "J"], R_world_base: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "J 3"]:
    """Joint displacement per metre of head displacement in the world, the tool's orientation kept.

    The damped pseudo-inverse J+ of the head's Jacobian: what a demonstration moved along with its object costs.
    """
    _, _, J = arm.head_jacobian(q)
    inverse = J.T @ np.linalg.inv(J @ J.T + DAMPING**2 * np.eye(6))
    return inverse[:, :3] @ R_world_base.T


def _between(frame: float, length: int) -> tuple[int, float]:
    before = min(max(int(frame), 0), length - 2)
    return before, min(max(frame - before, 0.0), 1.0)
