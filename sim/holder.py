"""What moves the tool in a simulation: nothing but itself (a limited force pulls it along), or a robot arm."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pinocchio as pin
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from motion.robot import Arm, build_arm
from motion.tool import Tool
from records import Demonstration, Motion
from sim.actions import UNMOVED, ActionModel, Displacement
from sim.bullet import Bullet
from sim.bullet.drives import Drive, Order, hold, motors
from sim.carried import Carried, Carrier, Posture
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

    carrier: Carrier
    """The link that the tool is."""
    drive: Drive
    """What carries out an order, before each physics step."""

    def reset(self) -> None:
        """Go to the first frame, at rest."""

    def orders(self, before: int, after: int, start: Displacement, end: Displacement) -> Sequence[Order]:
        """For `drive`, one for each physics step of a control step.

        It goes from the demonstration's frame `before`, displaced by `start`, to `after` and `end`.
        """

    def head(self) -> Posture:
        """Where the tool's head was when its carrier was last looked at, with the axes of the tool."""


_Way = Sequence[tuple[Sequence[float], Sequence[float]]]
"""Places [m] and quaternions xyzw after each physics step of a control step."""


def _way(poses: Float[np.ndarray, "K 7"]) -> _Way:
    return list(zip(poses[:, :3].tolist(), poses[:, 3:].tolist(), strict=True))


class FreeTool:
    """The tool alone, drawn along by a force of limited size."""

    def __init__(self, bullet: Bullet, folder: Path, tool: Tool, motion: Motion, substeps: int) -> None:
        self._bullet, self._tool, self._q = bullet, tool, motion.q
        shares = _shares(substeps)
        self._shares: list[float] = shares.tolist()
        self._ways = {(k, k): _way(np.tile(pose, (substeps, 1))) for k, pose in enumerate(motion.q)}
        self._ways |= {(k, k + 1): _way(poses) for k, poses in enumerate(_between(motion.q, shares))}
        self._body = bullet.load_urdf(write_urdf(folder, "tool", tool_urdf(tool)), fixed=False)
        bullet.place(self._body, self._q[0, :3], self._q[0, 3:])
        self.drive = hold(bullet, self._body, PULL)
        self._replay = {frames: [self.drive.order(*pose) for pose in way] for frames, way in self._ways.items()}
        self.carrier = Carrier(bullet, self._body, -1)
        self._head = Carried(self.carrier, pin.SE3(np.eye(3), tool.p_head))

    def reset(self) -> None:
        """Go to the first frame, at rest."""
        self._bullet.place(self._body, self._q[0, :3], self._q[0, 3:])
        self.drive.carry_out(*self._replay[0, 0][0])

    def orders(self, before: int, after: int, start: Displacement, end: Displacement) -> Sequence[Order]:
        """Poses to be pulled to."""
        if start == end == UNMOVED:
            return self._replay[before, after]
        way, order = self._ways[before, after], self.drive.order
        x, y, z, *turn = start
        x_end, y_end, z_end, *turn_end = end
        if any(turn) or any(turn_end):
            way = self._turned(way, np.array(turn), np.array(turn_end))
        dx, dy, dz = x_end - x, y_end - y, z_end - z
        return [
            order((px + x + share * dx, py + y + share * dy, pz + z + share * dz), quaternion)
            for ((px, py, pz), quaternion), share in zip(way, self._shares, strict=True)
        ]

    def head(self) -> Posture:
        """Where the tool's head was when its carrier was last looked at, with the axes of the tool."""
        return self._head.posture()

    def _turned(self, way: _Way, start: Float[np.ndarray, "3"], end: Float[np.ndarray, "3"]) -> _Way:
        """A way turned about the tool's head, by rotation vectors between two."""
        position, quaternion = (np.array(part) for part in zip(*way, strict=True))
        R, shares = Rotation.from_quat(quaternion), np.array(self._shares)[:, None]
        turned = Rotation.from_rotvec((1 - shares) * start + shares * end) * R
        position = position + R.apply(self._tool.p_head) - turned.apply(self._tool.p_head)
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
        self._body = bullet.load_urdf(path, position=(x, y, z), yaw=yaw)
        joints = bullet.joints(self._body)
        self._joints = [joints[name] for name in arm.spec.joints]
        self.carrier = Carrier(bullet, self._body, bullet.links(self._body)["tool"])
        self._head = Carried(self.carrier, pin.SE3(np.eye(3), arm.tool.p_head))
        effort: list[float] = np.asarray(arm.model.effortLimit, float).tolist()
        self.drive = motors(bullet, self._body, self._joints, effort, gain=GAIN)
        self._shares = _shares(substeps)[:, None]
        self._quickest = np.asarray(arm.model.velocityLimit, float)
        self._slowest = -self._quickest
        R_world_base = pin.rpy.rpyToMatrix(0.0, 0.0, yaw)
        self._displaced = Displaced(arm, motion.q, R_world_base, R_world_base.T @ (work - np.array([x, y, z])), working)
        self._first = motion.q[0]
        frames = [(k, after) for k in range(len(motion.q)) for after in (k, k + 1) if after < len(motion.q)]
        self._replay = {pair: self._towards(*(motion.q[k] for k in pair)) for pair in frames}

    def reset(self) -> None:
        """Go to the first frame, at rest."""
        self._bullet.reset_joints(self._body, self._joints, self._first)

    def orders(self, before: int, after: int, start: Displacement, end: Displacement) -> Sequence[Order]:
        """Configurations to be driven to, and joint velocities."""
        if start == end == UNMOVED:
            return self._replay[before, after]
        return self._towards(self._displaced(before, start), self._displaced(after, end))

    def _towards(self, begin: Float[np.ndarray, "J"], finish: Float[np.ndarray, "J"]) -> Sequence[Order]:
        """From configuration to configuration, joint velocities within their limits."""
        way, order = finish - begin, self.drive.order
        velocity: list[float] = np.minimum(np.maximum(way * self._rate, self._slowest), self._quickest).tolist()
        return [order(target, velocity) for target in (begin + self._shares * way).tolist()]

    def head(self) -> Posture:
        """Where the tool's head was when its carrier was last looked at, with the axes of the tool."""
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
