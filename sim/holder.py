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
from sim.displaced import Displaced
from sim.tasks.task import TASKS
from sim.urdf import arm_urdf, tool_urdf, write_urdf

PULL = 400.0
"""Largest force that moves a tool on its own [N]: about what two arms can do."""
GAIN = 0.15
"""Share of the position error that a joint's motor removes in one physics step. With much more, motors of limited
torque cannot brake in time after a quick displacement, and the arm swings about its target by centimetres."""


@runtime_checkable
class Holder(Protocol):
    """Moves the tool along the demonstration, displaced by a residual of its head."""

    body: int
    link: int

    def reset(self) -> None:
        """Go to the first frame, at rest."""

    def aim(self, before: int, after: int, start: Float[np.ndarray, "3"], end: Float[np.ndarray, "3"]) -> None:
        """Set out from the demonstration's frame `before`, the head displaced by `start` [m], to `after` and `end`."""

    def drive(self, share: float) -> None:
        """Drive towards this share of the way, from the last physics step's."""

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

    def aim(self, before: int, after: int, start: Float[np.ndarray, "3"], end: Float[np.ndarray, "3"]) -> None:
        """Set out from one pose to another."""
        self._from, self._to = self._displaced(before, start), self._displaced(after, end)

    def drive(self, share: float) -> None:
        """Pull the tool towards its pose."""
        pose = pin.SE3ToXYZQUAT(pin.SE3.Interpolate(self._from, self._to, share))
        self._bullet.move_hold(self._hold, pose[:3].tolist(), pose[3:].tolist(), PULL)

    def _displaced(self, frame: int, residual: np.ndarray) -> pin.SE3:
        pose = pin.XYZQUATToSE3(self._q[frame])
        return pin.SE3(pose.rotation, pose.translation + residual)

    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Rotation of the tool and position of its head [m]."""
        p, quaternion = self._bullet.pose(self.body)
        R = pin.Quaternion(quaternion).toRotationMatrix()
        return R, p + R @ self._tool.p_head


class ArmHolder:
    """A robot arm with the tool welded to its hand."""

    def __init__(
        self,
        bullet: Bullet,
        folder: Path,
        arm: Arm,
        motion: Motion,
        work: Float[np.ndarray, "3"],
        *,
        working: float,
        meshes: bool,
    ) -> None:
        self._bullet, self._arm, self._rate = bullet, arm, motion.fps
        x, y, z, yaw = (motion.parameters[f"base_{name}"] for name in ("x", "y", "z", "yaw"))
        path = write_urdf(folder, "arm", arm_urdf(arm.spec, arm.tool, meshes=meshes))
        self.body = bullet.load_urdf(path, position=(x, y, z), yaw=yaw)
        joints = bullet.joints(self.body)
        self._joints = [joints[name] for name in arm.spec.joints]
        self.link = bullet.links(self.body)["tool"]
        self._effort = np.asarray(arm.model.effortLimit, float)
        self._speed = np.asarray(arm.model.velocityLimit, float)
        R_world_base = pin.rpy.rpyToMatrix(0.0, 0.0, yaw)
        self._displaced = Displaced(arm, motion.q, R_world_base, R_world_base.T @ (work - np.array([x, y, z])), working)
        self._first = motion.q[0]

    def reset(self) -> None:
        """Go to the first frame, at rest."""
        self._bullet.reset_joints(self.body, self._joints, self._first)

    def aim(self, before: int, after: int, start: Float[np.ndarray, "3"], end: Float[np.ndarray, "3"]) -> None:
        """Set out from one configuration to another."""
        self._from, self._to = self._displaced(before, start), self._displaced(after, end)
        self._velocity = np.minimum(np.maximum((self._to - self._from) * self._rate, -self._speed), self._speed)

    def drive(self, share: float) -> None:
        """Drive the joints towards their configuration."""
        target = self._from + share * (self._to - self._from)
        self._bullet.drive_position(self.body, self._joints, target, self._velocity, self._effort, gain=GAIN)

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
    task = TASKS.load(demonstration.task)
    work, arm = task.work(demonstration.scene), build_arm(robot.model, tool)
    return ArmHolder(bullet, folder, arm, robot, work, working=task.working, meshes=meshes)
