"""What moves the tool in a simulation: nothing but itself (a limited force pulls it along), or a robot arm."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import pinocchio as pin
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from motion.robot import Arm, build_arm
from motion.tool import Tool
from records import Demonstration, Motion
from sim.actions import ActionModel
from sim.bullet import Bullet
from sim.carried import Carried, Posture
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
    """Moves the tool along what lies beneath its displacement, see `sim.actions`: the demonstration, or rest."""

    body: int
    link: int

    def reset(self) -> None:
        """Go to the first frame, at rest."""

    def aim(self, before: int, after: int, start: Float[np.ndarray, "6"], end: Float[np.ndarray, "6"]) -> None:
        """Set out from the demonstration's frame `before`, displaced by `start`, to `after` and `end`."""

    def drive(self, step: int) -> None:
        """Drive towards where the tool shall be after this physics step of the control step: 0, 1, ..."""

    def head(self) -> Posture:
        """Where the tool's head is, with the axes of the tool."""


class _Way(NamedTuple):
    """Poses during a control step, after each of its physics steps; plain numbers, as the engine wants them."""

    position: Sequence[Sequence[float]]
    """[m]."""
    quaternion: Sequence[Sequence[float]]
    """xyzw."""


def _way(poses: Float[np.ndarray, "K 7"]) -> _Way:
    return _Way(poses[:, :3].tolist(), poses[:, 3:].tolist())


class FreeTool:
    """The tool alone, drawn along by a force of limited size."""

    link = -1

    def __init__(self, bullet: Bullet, folder: Path, tool: Tool, motion: Motion, substeps: int) -> None:
        self._bullet, self._tool, self._q = bullet, tool, motion.q
        shares = _shares(substeps)
        self._shares: list[float] = shares.tolist()
        self._moving = [_way(poses) for poses in _between(motion.q, shares)]
        self._standing = [_way(np.tile(pose, (substeps, 1))) for pose in motion.q]
        self.body = bullet.load_urdf(write_urdf(folder, "tool", tool_urdf(tool)), fixed=False)
        bullet.place(self.body, self._q[0, :3], self._q[0, 3:])
        self._pull = bullet.hold(self.body, PULL)
        self._head = Carried(bullet, self.body, self.link, pin.SE3(np.eye(3), tool.p_head))

    def reset(self) -> None:
        """Go to the first frame, at rest."""
        self._bullet.place(self.body, self._q[0, :3], self._q[0, 3:])
        self._pull(self._q[0, :3].tolist(), self._q[0, 3:].tolist())

    def aim(self, before: int, after: int, start: Float[np.ndarray, "6"], end: Float[np.ndarray, "6"]) -> None:
        """Set out from one pose to another."""
        way = (self._moving if after != before else self._standing)[before]
        x, y, z, *turn = start.tolist()
        x_end, y_end, z_end, *turn_end = end.tolist()
        if any(turn) or any(turn_end):
            way = self._turned(way, start[3:], end[3:])
        self._p, self._turn = way.position, way.quaternion
        if x or y or z or x_end or y_end or z_end:
            dx, dy, dz = x_end - x, y_end - y, z_end - z
            self._p = [
                (px + x + share * dx, py + y + share * dy, pz + z + share * dz)
                for (px, py, pz), share in zip(way.position, self._shares, strict=True)
            ]

    def drive(self, step: int) -> None:
        """Pull the tool towards its pose."""
        self._pull(self._p[step], self._turn[step])

    def head(self) -> Posture:
        """Where the tool's head is, with the axes of the tool."""
        return self._head.posture()

    def _turned(self, way: _Way, start: Float[np.ndarray, "3"], end: Float[np.ndarray, "3"]) -> _Way:
        """A way turned about the tool's head, by rotation vectors between two."""
        R, shares = Rotation.from_quat(way.quaternion), np.array(self._shares)[:, None]
        turned = Rotation.from_rotvec((1 - shares) * start + shares * end) * R
        position = way.position + R.apply(self._tool.p_head) - turned.apply(self._tool.p_head)
        return _way(np.c_[position, turned.as_quat()])


class ArmHolder:
    """A robot arm with the tool welded to its hand."""

    def __init__(
        self,
        bullet: Bullet,
        folder: Path,
        arm: Arm,
        motion: Motion,
        work: Float[np.ndarray, "3"],
        substeps: int,
        *,
        working: float,
        meshes: bool,
    ) -> None:
        self._bullet, self._rate = bullet, motion.fps
        x, y, z, yaw = (motion.parameters[f"base_{name}"] for name in ("x", "y", "z", "yaw"))
        path = write_urdf(folder, "arm", arm_urdf(arm.spec, arm.tool, meshes=meshes, pedestal=z))
        self.body = bullet.load_urdf(path, position=(x, y, z), yaw=yaw)
        joints = bullet.joints(self.body)
        self._joints = [joints[name] for name in arm.spec.joints]
        self.link = bullet.links(self.body)["tool"]
        self._head = Carried(bullet, self.body, self.link, pin.SE3(np.eye(3), arm.tool.p_head))
        effort: list[float] = np.asarray(arm.model.effortLimit, float).tolist()
        self._motors = bullet.motors(self.body, self._joints, effort, gain=GAIN)
        self._shares = _shares(substeps)
        self._speed = np.asarray(arm.model.velocityLimit, float)
        R_world_base = pin.rpy.rpyToMatrix(0.0, 0.0, yaw)
        self._displaced = Displaced(arm, motion.q, R_world_base, R_world_base.T @ (work - np.array([x, y, z])), working)
        self._first = motion.q[0]

    def reset(self) -> None:
        """Go to the first frame, at rest."""
        self._bullet.reset_joints(self.body, self._joints, self._first)

    def aim(self, before: int, after: int, start: Float[np.ndarray, "6"], end: Float[np.ndarray, "6"]) -> None:
        """Set out from one configuration to another."""
        begin, finish = self._displaced(before, start), self._displaced(after, end)
        way = finish - begin
        self._velocity: list[float] = np.minimum(np.maximum(way * self._rate, -self._speed), self._speed).tolist()
        self._targets = (begin + self._shares[:, None] * way).tolist()

    def drive(self, step: int) -> None:
        """Drive the joints towards their configuration."""
        self._motors(self._targets[step], self._velocity)

    def head(self) -> Posture:
        """Where the tool's head is, with the axes of the tool."""
        return self._head.posture()


def build_holder(
    bullet: Bullet,
    folder: Path,
    demonstration: Demonstration,
    tool: Tool,
    substeps: int,
    action: ActionModel,
    *,
    meshes: bool,
) -> Holder:
    """The robot of the demonstration if it has one, else the tool alone.

    Args:
        bullet: the physics.
        folder: for files that the engine reads.
        demonstration: what the holder follows.
        tool: what it holds.
        substeps: physics steps in a control step.
        action: how the tool is displaced. Without a demonstration beneath, its orientation matters everywhere.
        meshes: whether pictures will be taken.
    """
    robot = demonstration.robot
    if robot is None:
        return FreeTool(bullet, folder, tool, demonstration.tool, substeps)
    task = TASKS.load(demonstration.task)
    work, arm = task.work(demonstration.scene), build_arm(robot.model, tool)
    working = task.working if action.follows else math.inf
    return ArmHolder(bullet, folder, arm, robot, work, substeps, working=working, meshes=meshes)


def _shares(substeps: int) -> Float[np.ndarray, "K"]:
    """Shares of a control step that have passed after each of its physics steps."""
    return np.arange(1, substeps + 1) / substeps


def _between(q: Float[np.ndarray, "T 7"], shares: Float[np.ndarray, "K"]) -> Float[np.ndarray, "F K 7"]:
    """Poses (x, y, z [m], xyzw) on the way from each frame to the next, along screws."""
    poses = [pin.XYZQUATToSE3(row) for row in q]
    ways = [
        [pin.SE3ToXYZQUAT(pin.SE3.Interpolate(a, b, float(share))) for share in shares]
        for a, b in itertools.pairwise(poses)
    ]
    return np.array(ways)
