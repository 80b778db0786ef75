"""The human model: SMPL tree as a Pinocchio model, with kinematics of whole clips in one array operation.

Configuration `q` (99): free-flyer (x, y, z, qx, qy, qz, qw), then 23 quaternions xyzw. Velocity `v` (75): free-flyer
local linear and angular, then 23 local angular velocities. The neutral configuration is the T-pose in SMPL axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.skeleton import BONES, JOINTS, SEGMENTS, SITES, Offset
from records import Entry, Motion, Registry

BODIES = Registry(
    "body",
    {
        "smpl_tree": Entry("motion.body:build_body", "SMPL tree, 24 joints, segment inertias from height and mass"),
    },
)

UPRIGHT = np.array([0.5, 0.5, 0.5, 0.5])
"""Quaternion xyzw that stands the SMPL body up in a z-up world, facing +x, left side towards +y."""

PARENTS = np.array([-1] + [("pelvis", *(j.name for j in JOINTS)).index(joint.parent) for joint in JOINTS])
"""Parent of each of the 24 joints; -1 for the pelvis."""


def _ancestors() -> np.ndarray:
    table = np.eye(len(PARENTS), dtype=bool)
    for j in range(1, len(PARENTS)):
        table[j] |= table[PARENTS[j]]
    return table


ANCESTORS = _ancestors()
"""Boolean (24, 24): `ANCESTORS[j, k]` where k lies on the path from the root to j, j included."""

Poses = tuple[np.ndarray, np.ndarray]
"""Rotations (T, 24, 3, 3) and positions (T, 24, 3) [m] of all joints in the world."""

Twists = tuple[np.ndarray, np.ndarray]
"""Linear and angular part (T, 3, 75) of how every tangent column moves the body: see `Body.twists`."""


class BodyError(ValueError):
    """Height, mass or bone lengths that no body has."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """A person of given height [m], mass [kg] and bone lengths [m]."""

    height: float
    mass: float
    bones: Mapping[str, float]

    nq = 7 + 4 * len(JOINTS)
    nv = 6 + 3 * len(JOINTS)
    joint_names = ("pelvis", *(joint.name for joint in JOINTS))
    bone_names = tuple(BONES)
    parents = PARENTS
    ancestors = ANCESTORS

    @cached_property
    def offsets(self) -> Float[np.ndarray, "24 3"]:
        """Joint positions in their parents' frames [m]."""
        return np.asarray(_all_directions(((), *(joint.offset for joint in JOINTS))) @ self._lengths)

    @cached_property
    def model(self) -> pin.Model:
        """The Pinocchio model, z-up gravity."""
        model = pin.Model()
        model.name = "smpl_tree"
        ids = {"pelvis": model.addJoint(0, pin.JointModelFreeFlyer(), pin.SE3.Identity(), "pelvis")}
        for joint, offset in zip(JOINTS, self.offsets[1:], strict=True):
            placement = pin.SE3(np.eye(3), offset)
            ids[joint.name] = model.addJoint(ids[joint.parent], pin.JointModelSpherical(), placement, joint.name)
        for segment in SEGMENTS:
            mass, length = segment.mass * self.mass, self.bones[segment.length]
            rotational = np.diag(mass * (length * np.array(segment.gyration)) ** 2)
            inertia = pin.Inertia(mass, self._offset(segment.centre), rotational)
            model.appendBodyToJoint(ids[segment.joint], inertia, pin.SE3.Identity())
        for name, site in SITES.items():
            placement = pin.SE3(np.eye(3), self._offset(site.offset))
            model.addFrame(pin.Frame(name + "_site", ids[site.joint], placement, pin.FrameType.OP_FRAME))
        return model

    def parameters(self) -> dict[str, float]:
        """What rebuilds this body from a `Motion` record."""
        return {"height": self.height, "mass": self.mass, **{f"bone_{k}": float(v) for k, v in self.bones.items()}}

    def neutral(self) -> Float[np.ndarray, "99"]:
        """T-pose standing upright at the origin, soles on z = 0, facing +x."""
        q = np.zeros(self.nq)
        q[6::4] = 1
        q[3:7] = UPRIGHT
        q[2] = -self.site_positions(q[None], ["l_heel"])[0, 0, 2]
        return q

    def joint_poses(self, q: Float[np.ndarray, "T 99"]) -> Poses:
        """Rotations (T, 24, 3, 3) and positions (T, 24, 3) [m] of all joints in the world."""
        local = rotations(q[:, 3:].reshape(len(q), 24, 4))
        R, p = np.empty((len(q), 24, 3, 3)), np.empty((len(q), 24, 3))
        R[:, 0], p[:, 0] = local[:, 0], q[:, :3]
        for j in range(1, 24):
            parent = PARENTS[j]
            R[:, j] = R[:, parent] @ local[:, j]
            p[:, j] = p[:, parent] + R[:, parent] @ self.offsets[j]
        return R, p

    def site_positions(
        self, q: Float[np.ndarray, "T 99"], names: Sequence[str], poses: Poses | None = None
    ) -> Float[np.ndarray, "T N 3"]:
        """World positions [m] of named sites; `poses` are those of `joint_poses(q)`, where they are known already."""
        return self._points(poses or self.joint_poses(q), *self._sites(names))

    def site_jacobian(
        self,
        q: Float[np.ndarray, "T 99"],
        names: Sequence[str],
        poses: Poses | None = None,
        twists: Twists | None = None,
    ) -> tuple[Float[np.ndarray, "T N 3"], Float[np.ndarray, "T N 3 75"]]:
        """Positions of sites and their derivative with respect to a tangent step of `q` (Pinocchio's `integrate`).

        `poses` and `twists` are those of `q`, where they are known already.
        """
        poses = poses or self.joint_poses(q)
        return self._point_jacobian(poses, twists or self.twists(poses), *self._sites(names))

    def centre_of_mass(self, q: Float[np.ndarray, "T 99"], poses: Poses | None = None) -> Float[np.ndarray, "T 3"]:
        """World position [m] of the centre of mass."""
        joints, offsets, shares = self._segments
        return np.einsum("n,tni->ti", shares, self._points(poses or self.joint_poses(q), joints, offsets))

    def centre_of_mass_jacobian(
        self, q: Float[np.ndarray, "T 99"], poses: Poses | None = None, twists: Twists | None = None
    ) -> tuple[Float[np.ndarray, "T 3"], Float[np.ndarray, "T 3 75"], Float[np.ndarray, "T 3 B"]]:
        """Centre of mass and its derivatives with respect to a tangent step of `q` and to the bone lengths."""
        joints, offsets, shares = self._segments
        poses = poses or self.joint_poses(q)
        K, omega = twists or self.twists(poses)
        points = self._points(poses, joints, offsets)
        # What a joint carries: the share of the mass beyond it, and the first moment of that mass.
        carried = ANCESTORS[joints].T * shares
        mass, moment = np.repeat(carried.sum(axis=1), 3), np.repeat(carried @ points, 3, axis=1).swapaxes(1, 2)
        mass, moment = (np.concatenate([x[..., :3], x], axis=-1) for x in (mass, moment))
        turned = mass * K
        for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            turned[:, i] += omega[:, j] * moment[:, k]
            turned[:, i] -= omega[:, k] * moment[:, j]
        R = poses[0].transpose(0, 2, 1, 3).reshape(len(points), 3, 72)
        longer = R @ _centre_chain()
        return np.tensordot(shares, points, axes=(0, 1)), turned, longer

    def _points(self, poses: Poses, joints: list[int], offsets: np.ndarray) -> np.ndarray:
        R, p = poses
        points: np.ndarray = p[:, joints] + (R[:, joints] @ offsets[..., None])[..., 0]
        return points

    def twists(self, poses: Poses) -> Twists:
        """Linear part K and angular part Omega of every tangent column: it moves a point p by K + Omega x p."""
        R, p = poses
        K, omega = np.empty((len(p), 3, self.nv)), np.zeros((len(p), 3, self.nv))
        K[..., :3] = R[:, 0]
        K[..., 3:] = (_skew(p) @ R).transpose(0, 2, 1, 3).reshape(len(p), 3, 72)
        omega[..., 3:] = R.transpose(0, 2, 1, 3).reshape(len(p), 3, 72)
        return K, omega

    def _point_jacobian(
        self, poses: Poses, twists: Twists, joints: list[int], offsets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        K, omega = twists
        sites = self._points(poses, joints, offsets)
        turned = _skew(sites).reshape(len(sites), -1, 3) @ omega
        moved = np.repeat(ANCESTORS[joints], 3, axis=1)
        moved = np.concatenate([moved[:, :3], moved], axis=1)[:, None, :]
        J = np.subtract(K[:, None], turned.reshape(len(sites), len(joints), 3, self.nv))
        J *= moved
        return sites, J

    def bone_jacobian(
        self, q: Float[np.ndarray, "T 99"], names: Sequence[str], poses: Poses | None = None
    ) -> Float[np.ndarray, "T N 3 B"]:
        """Derivative of site positions with respect to the bone lengths, in the order of `bone_names`."""
        joints, _ = self._sites(names)
        R, _ = poses or self.joint_poses(q)
        chains = _site_chains(tuple(names))
        lengthened = R.transpose(0, 2, 1, 3).reshape(3 * len(R), 72) @ chains
        return lengthened.reshape(len(R), 3, len(joints), len(BONES)).swapaxes(1, 2)

    @cached_property
    def _segments(self) -> tuple[list[int], np.ndarray, np.ndarray]:
        """Joint, centre in its frame [m] and share of the body mass of every segment."""
        joints = [self.joint_names.index(segment.joint) for segment in SEGMENTS]
        offsets = _all_directions(tuple(segment.centre for segment in SEGMENTS)) @ self._lengths
        return joints, offsets, np.array([segment.mass for segment in SEGMENTS])

    def _sites(self, names: Sequence[str]) -> tuple[list[int], np.ndarray]:
        unknown = [name for name in names if name not in SITES]
        if unknown:
            raise BodyError(f"the body has no site {unknown[0]!r}; there are: {', '.join(SITES)}")
        joints = [self.joint_names.index(SITES[name].joint) for name in names]
        return joints, _all_directions(tuple(SITES[name].offset for name in names)) @ self._lengths

    def _offset(self, offset: Offset) -> np.ndarray:
        return _directions(offset) @ self._lengths

    @cached_property
    def _lengths(self) -> np.ndarray:
        return np.array([self.bones[bone] for bone in BONES])


@cache
def _along() -> np.ndarray:
    """(24, 24, 3, B): `bone_chains` of the joints themselves."""
    along = np.zeros((24, 24, 3, len(BONES)))
    for j in range(1, 24):
        along[j] = along[PARENTS[j]]
        along[j, PARENTS[j]] += _directions(JOINTS[j - 1].offset)
    return along


def bone_chains(joints: Sequence[int], offsets: Sequence[Offset]) -> Float[np.ndarray, "N 24 3 B"]:
    """How much each bone adds to the offsets, in each joint's frame, on the way from the root to points.

    Args:
        joints: that carry the points.
        offsets: of the points in the frames of these joints.
    """
    chains = _along()[list(joints)]
    for n, (joint, offset) in enumerate(zip(joints, offsets, strict=True)):
        chains[n, joint] += _directions(offset)
    return chains


@cache
def _centre_chain() -> np.ndarray:
    """(72, B): `bone_chains` of the centre of mass, by joints and axes."""
    joints = [Body.joint_names.index(segment.joint) for segment in SEGMENTS]
    chains = bone_chains(joints, [segment.centre for segment in SEGMENTS])
    return np.tensordot([segment.mass for segment in SEGMENTS], chains, axes=1).reshape(72, -1)


@cache
def _site_chains(names: tuple[str, ...]) -> np.ndarray:
    """(72, N B): `bone_chains` of sites, by joints and axes."""
    joints = [Body.joint_names.index(SITES[name].joint) for name in names]
    return bone_chains(joints, [SITES[name].offset for name in names]).transpose(1, 2, 0, 3).reshape(72, -1)


@cache
def _all_directions(offsets: tuple[Offset, ...]) -> np.ndarray:
    return np.array([_directions(offset) for offset in offsets]).reshape(-1, 3, len(BONES))


@cache
def _directions(offset: Offset) -> np.ndarray:
    matrix = np.zeros((3, len(BONES)))
    for bone, direction in offset:
        matrix[:, list(BONES).index(bone)] += direction
    return matrix


def build_body(*, height: float = 1.70, mass: float = 70.0, bones: Mapping[str, float] | None = None) -> Body:
    """Build a person.

    Args:
        height: stature [m].
        mass: body mass [kg].
        bones: lengths [m] that replace those which follow from the stature.

    Raises:
        BodyError: a length or mass is not positive, or a bone is unknown.
    """
    lengths = {name: share * height for name, share in BONES.items()}
    unknown = set(bones or {}) - set(lengths)
    if unknown:
        raise BodyError(f"unknown bone {sorted(unknown)[0]!r}; there are: {', '.join(lengths)}")
    lengths.update(bones or {})
    if height <= 0 or mass <= 0 or min(lengths.values()) <= 0:
        raise BodyError(f"height {height} m, mass {mass} kg and all bone lengths must be positive")
    return Body(height=float(height), mass=float(mass), bones=lengths)


def body_of(motion: Motion) -> Body:
    """Rebuild the body that a person's `Motion` was estimated with.

    Raises:
        BodyError: the motion is not of a person.
    """
    if motion.model not in BODIES:
        raise BodyError(f"a motion of {motion.model!r} is not a person's; expected one of: {', '.join(BODIES)}")
    bones = {k.removeprefix("bone_"): v for k, v in motion.parameters.items() if k.startswith("bone_")}
    build = BODIES.load(motion.model)
    return build(height=motion.parameters["height"], mass=motion.parameters["mass"], bones=bones)


def rotations(quaternions: Float[np.ndarray, "*N 4"]) -> Float[np.ndarray, "*N 3 3"]:
    """Rotation matrices of unit quaternions xyzw."""
    x, y, z, w = np.moveaxis(quaternions, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def _skew(p: np.ndarray) -> np.ndarray:
    matrix = np.zeros((*p.shape, 3))
    matrix[..., 0, 1], matrix[..., 0, 2], matrix[..., 1, 2] = -p[..., 2], p[..., 1], -p[..., 0]
    return matrix - matrix.swapaxes(-1, -2)
