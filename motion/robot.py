"""Robot arms in Pinocchio, with a tool welded to the hand, their limits, and spheres for collision."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.arm_poses import ArmPoses, Chain, Spheres
from motion.tool import Tool
from records import Entry, Motion, Registry

ROBOTS = Registry(
    "robot",
    {
        "panda": Entry("motion.robot:panda", "Franka Emika Panda, 7 joints, 0.855 m reach, gripper holding the tool"),
        "kuka": Entry("motion.robot:kuka", "KUKA LBR iiwa 14, 7 joints, 0.82 m reach, the tool before its flange"),
    },
)

ACCELERATION = 10.0
"""Assumed limit of joints whose acceleration no source states; URDF has no field for it [rad/s^2]."""


class RobotError(ValueError):
    """A robot description lacks something that is needed."""


@dataclass(frozen=True, kw_only=True)
class RobotSpec:
    """What is needed of an arm."""

    name: str
    urdf: Path
    """URDF with mesh files beside it."""
    joints: tuple[str, ...]
    """Actuated joints from base to wrist."""
    hand: str
    """Link that holds the tool."""
    T_hand_grip: Float[np.ndarray, "4 4"]
    """Pose in the hand of a tool frame whose origin is the point of the handle that is gripped."""
    rest: tuple[float, ...]
    """A comfortable configuration [rad]."""
    acceleration: tuple[float, ...]
    """Joint acceleration limits [rad/s^2]."""
    assumed: bool = False
    """Whether the acceleration limits are a guess, since no source states them."""
    fingers: tuple[str, ...] = ()
    """Sliding joints that close on the handle; like all joints but `joints`, they do not move."""
    link_radius: float = 0.07
    """For collisions, links are round and this thick from joint to joint [m]."""


def panda() -> RobotSpec:
    """Franka Emika Panda from PyBullet's data; acceleration limits from its datasheet (control parameters)."""
    T = np.diag([1.0, -1.0, -1.0, 1.0])
    T[:3, 3] = [0, 0, 0.1034]
    return RobotSpec(
        name="panda",
        urdf=_bullet_data() / "franka_panda" / "panda.urdf",
        joints=tuple(f"panda_joint{k}" for k in range(1, 8)),
        hand="panda_hand",
        T_hand_grip=T,
        rest=(0.0, 0.0, 0.0, -1.8, 0.0, 1.8, 0.785),
        acceleration=(15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0),
        fingers=("panda_finger_joint1", "panda_finger_joint2"),
    )


def kuka() -> RobotSpec:
    """KUKA LBR iiwa 14 from PyBullet's data. Accelerations, which its maker does not state, are assumed."""
    spec = robot_of_urdf(_bullet_data() / "kuka_iiwa" / "model.urdf", hand="lbr_iiwa_link_7", name="kuka")
    return replace(spec, rest=(0.0, 0.5, 0.0, -1.6, 0.0, 1.0, 0.0))


def _bullet_data() -> Path:
    found = importlib.util.find_spec("pybullet_data")
    if found is None or not found.submodule_search_locations:
        raise RobotError("the descriptions of robots come with pybullet, which is not installed")
    return Path(found.submodule_search_locations[0])


def robot_of_urdf(urdf: Path | str, *, hand: str, name: str | None = None) -> RobotSpec:
    """Describe an arm of one's own: every revolute joint between the root and the link `hand`.

    The handle lies along the hand's x axis, 0.1 m out along its z axis; accelerations are limited to 10 rad/s^2.
    Without a name it is called `FILE:HAND`, by which `robot_named` finds it again.

    Raises:
        RobotError: the file cannot be read, or what it lacks, all in one list.
    """
    path = Path(urdf)
    if not path.is_file():
        raise RobotError(f"{path}: no such URDF file")
    try:
        model = pin.buildModelFromUrdf(str(path))
    except (ValueError, RuntimeError) as error:
        raise RobotError(f"{path}: not a readable URDF ({str(error).splitlines()[0]})") from error
    if not model.existFrame(hand):
        links = [frame.name for frame in model.frames if frame.type == pin.FrameType.BODY]
        raise RobotError(f"{path}: has no link {hand!r} to hold the tool; its links are: {', '.join(links)}")
    chain = _chain(model, model.frames[model.getFrameId(hand)].parentJoint)
    lacking = []
    if len(chain) < 6:
        lacking.append(f"{len(chain)} moving joints before {hand!r}, at least 6 are needed")
    for name_ in chain:
        k = model.joints[model.getJointId(name_)].idx_v
        if not np.isfinite(model.velocityLimit[k]) or model.velocityLimit[k] <= 0:
            lacking.append(f"joint {name_!r} states no velocity limit")
        if not model.lowerPositionLimit[k] < model.upperPositionLimit[k]:
            lacking.append(f"joint {name_!r} states no position limits")
    lacking += [f"mesh file {mesh}" for mesh in _missing_meshes(path)]
    if lacking:
        raise RobotError(f"{path} lacks: {'; '.join(lacking)}")
    T = np.diag([1.0, -1.0, -1.0, 1.0])
    T[:3, 3] = [0, 0, 0.1]
    # A quarter of the range from the middle: there, many an arm stands straight up, which is singular.
    bent = model.lowerPositionLimit + 0.625 * (model.upperPositionLimit - model.lowerPositionLimit)
    rest = tuple(float(bent[model.joints[model.getJointId(j)].idx_q]) for j in chain)
    return RobotSpec(
        name=name or f"{path}:{hand}",
        urdf=path,
        joints=chain,
        hand=hand,
        T_hand_grip=T,
        rest=rest,
        acceleration=(ACCELERATION,) * len(chain),
        assumed=True,
    )


def mesh_path(urdf: Path, name: str) -> Path:
    """Where a mesh that a URDF names lies: beside it, `package://` standing for the URDF's own folder."""
    return urdf.parent / name.removeprefix("package://")


def _missing_meshes(urdf: Path) -> list[str]:
    """Meshes for pictures that a URDF names and that are not there."""
    names = [mesh.get("filename", "") for mesh in ET.parse(urdf).iterfind(".//visual/geometry/mesh")]
    return sorted({name for name in names if not mesh_path(urdf, name).is_file()})


def _chain(model: pin.Model, joint: int) -> tuple[str, ...]:
    names: list[str] = []
    while joint > 0:
        names.insert(0, model.names[joint])
        joint = model.parents[joint]
    return tuple(names)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """An arm that holds a tool, kinematics only; its base stands at a pose (x, y, z, yaw) in the world."""

    spec: RobotSpec
    tool: Tool

    @cached_property
    def model(self) -> pin.Model:
        """The chain of `spec.joints`, all others locked, with frame `tool`."""
        full = pin.buildModelFromUrdf(str(self.spec.urdf))
        absent = [joint for joint in self.spec.joints if not full.existJointName(joint)]
        if absent:
            raise RobotError(f"{self.spec.urdf.name} has no joint {absent[0]!r}")
        locked = [full.getJointId(n) for n in full.names[1:] if n not in self.spec.joints]
        model = pin.buildReducedModel(full, locked, pin.neutral(full))
        hand = model.frames[model.getFrameId(self.spec.hand)]
        held = hand.placement * pin.SE3(self.spec.T_hand_grip) * self.tool.T_grip_tool
        model.addFrame(pin.Frame("tool", hand.parentJoint, held, pin.FrameType.OP_FRAME))
        return model

    @cached_property
    def data(self) -> pin.Data:
        """Scratch space of Pinocchio."""
        return self.model.createData()

    @cached_property
    def tool_frame(self) -> int:
        """Index of the tool's frame."""
        return self.model.getFrameId("tool")

    def tool_pose(self, q: Float[np.ndarray, "J"]) -> tuple[np.ndarray, np.ndarray]:
        """Rotation (3, 3) and origin (3,) [m] of the tool in the robot's base frame."""
        pin.forwardKinematics(self.model, self.data, q)
        placement = pin.updateFramePlacement(self.model, self.data, self.tool_frame)
        return placement.rotation.copy(), placement.translation.copy()

    def link_positions(self, motion: Motion) -> Float[np.ndarray, "T L 3"]:
        """World positions [m] of the base, every joint, and the point where the hand holds the tool."""
        R_world_base = pin.rpy.rpyToMatrix(0.0, 0.0, motion.parameters["base_yaw"])
        p_base_world = np.array([motion.parameters[f"base_{axis}"] for axis in "xyz"])
        points = np.empty((motion.num_frames, self.model.njoints + 1, 3))
        grip = np.array([self.tool.grip, 0.0, 0.0])
        for t, q in enumerate(motion.q):
            R, p = self.tool_pose(q)
            points[t, 0] = 0
            points[t, 1:-1] = [placement.translation for placement in self.data.oMi[1:]]
            points[t, -1] = p + R @ grip
        return points @ R_world_base.T + p_base_world

    def head_jacobian(self, q: Float[np.ndarray, "J"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rotation of the tool (3, 3), position of its head (3,) [m], and their Jacobian (6, J), linear rows first.

        All in the base frame; angular rows are those of the tool's angular velocity in base axes.
        """
        J = pin.computeFrameJacobian(self.model, self.data, q, self.tool_frame, pin.LOCAL_WORLD_ALIGNED)
        placement = self.data.oMf[self.tool_frame]
        R, lever = placement.rotation.copy(), placement.rotation @ self.tool.p_head
        J[:3] -= pin.skew(lever) @ J[3:]
        return R, placement.translation + lever, J

    def strain(
        self,
        q: Float[np.ndarray, "T J"],
        v: Float[np.ndarray, "T J"] | None = None,
        a: Float[np.ndarray, "T J"] | None = None,
    ) -> float:
        """Largest share of a joint's torque limit that it takes to move arm and tool.

        Recursive Newton-Euler algorithm; friction and the motors' own inertia are not known. Joints whose limit is
        stated as 0 count as unlimited.

        Args:
            q: configurations [rad].
            v: velocities [rad/s]; None: held still.
            a: accelerations [rad/s^2]; None: held still.
        """
        model, tool, still = self.model.copy(), self.model.frames[self.tool_frame], np.zeros_like(q)
        model.appendBodyToJoint(tool.parentJoint, self.tool.inertia(), tool.placement)
        data, limit = model.createData(), model.effortLimit
        moving = zip(q, still if v is None else v, still if a is None else a, strict=True)
        torque = np.abs([pin.rnea(model, data, *state) for state in moving])
        return float(np.divide(torque, limit, out=np.zeros_like(torque), where=limit > 0).max())

    @cached_property
    def chain(self) -> Chain:
        """The joints as arrays."""
        return Chain(self.model)

    def poses(self, q: Float[np.ndarray, "T J"]) -> ArmPoses:
        """The tool and the collision spheres of many configurations at once, with their Jacobians."""
        hand = self.model.frames[self.tool_frame]
        return self.chain.poses(q, self.spheres, (hand.parentJoint, hand.placement), self.tool.p_head)

    @cached_property
    def spheres(self) -> Spheres:
        """Collision spheres of arm and tool.

        A link is covered from joint to joint, as thick as the robot says; the tool along its handle, and its head.
        """
        found: list[tuple[int, np.ndarray, float, bool]] = []
        hand, radius = self.model.frames[self.tool_frame], self.spec.link_radius
        grip = hand.placement.act(np.array([self.tool.grip, 0.0, 0.0]))
        ends = [self.model.jointPlacements[k].translation for k in range(1, self.model.njoints)] + [grip]
        for joint, end in enumerate(ends):
            steps = max(1, int(np.ceil(np.linalg.norm(end) / radius)))
            found += [(joint, share * end, radius, False) for share in np.arange(steps) / steps]
        # The neck of the handle counts as head: a sphere round the head is as wide as its longest side.
        wide = max(self.tool.head_size) / 2
        handle = np.arange(0.0, max(self.tool.length - wide, radius), radius)
        for x, thick in [*((x, self.tool.handle_radius) for x in handle), (self.tool.length, wide)]:
            found.append((hand.parentJoint, hand.placement.act(np.array([x, 0.0, 0.0])), thick, True))
        return Spheres(*(np.array(column) for column in zip(*found, strict=True)))

    @cached_property
    def sphere_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of spheres, as two arrays of indices, that must not touch each other.

        They are carried by joints that are not neighbours, and are apart in the rest configuration: what touches there
        belongs together.
        """
        joint, radius = self.spheres.joint, self.spheres.radius
        at = self.poses(np.array(self.spec.rest)[None]).spheres[0]
        first, second = np.triu_indices(len(joint), 1)
        apart = np.linalg.norm(at[first] - at[second], axis=1) > radius[first] + radius[second]
        kept = apart & (np.abs(joint[first] - joint[second]) >= 2)
        return first[kept], second[kept]


def robot_named(name: str) -> RobotSpec:
    """A robot of the table, or `FILE.urdf:LINK`: an arm of one's own, holding the tool with the link.

    Raises:
        RobotError: the URDF lacks something.
        UnknownName: neither.
    """
    file, colon, link = name.rpartition(":")
    if colon and Path(file).suffix == ".urdf":
        return robot_of_urdf(file, hand=link, name=name)
    spec: RobotSpec = ROBOTS.load(name)()
    return spec


def build_arm(robot: str | RobotSpec, tool: Tool) -> Arm:
    """Put a tool in the hand of a robot given by `robot_named`, or of one described in full."""
    return Arm(spec=robot_named(robot) if isinstance(robot, str) else robot, tool=tool)
