"""All unknowns of an estimate: configurations of person and tool per frame, and what all frames share.

A step of the unknowns is a tangent vector per frame (75 of the person, then 6 of the tool where there is one) and a
vector of shared parameters. Shared parameters are deviations from a reference, zero at first.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.body import Body, build_body, rotations
from motion.rotation import conjugate, exponential, logarithm, product, skew
from motion.skeleton import SITES
from records import Camera

TOOL_POINTS = ("tool_head", "tool_handle")
CENTRE_OF_MASS = "centre_of_mass"
"""Name of the person's centre of mass among the points."""


class Shared(NamedTuple):
    """A shared parameter: its name and the standard deviation of its prior."""

    name: str
    sigma: float


SHARED: tuple[Shared, ...] = (
    *(Shared(f"bone_{name}", 0.06) for name in Body.bone_names),
    Shared("log_focal", 0.15),
    Shared("lens", 0.03),
    Shared("pitch", float(np.deg2rad(1.7))),
    Shared("roll", float(np.deg2rad(0.9))),
    Shared("log_lift_scale", 0.20),
    Shared("ground", 0.30),
    Shared("log_tool_length", 0.20),
)
"""Logarithms of symmetric bone lengths over those of the stature; log focal length over the camera's; what the lens
coefficient k1 is more than the camera's (a few hundredths for phones and camcorders); rotation of the camera about its
x and z axes [rad]; log scale of the detector's 3D landmarks; height of the ground [m]; log length of the tool.

The shape of pixels is taken as the file states it: where it was an unknown, too, it answered proportions of the body
(2 % the same way in every clip; 2 mm more of G-MPJPE).
"""

SHARED_NAMES = tuple(shared.name for shared in SHARED)
SITE_INDEX = {name: n for n, name in enumerate(SITES)}
BONE_COLUMNS = slice(0, len(Body.bone_names))


class Points(NamedTuple):
    """Named points in the world, with derivatives."""

    p: Float[np.ndarray, "T N 3"]
    """Positions [m]."""
    J: Float[np.ndarray, "T N 3 V"]
    """Derivative with respect to a tangent step of the frame."""
    J_shared: Float[np.ndarray, "T N 3 S"]
    """Derivative with respect to the shared parameters."""


@dataclass(frozen=True, kw_only=True)
class State:
    """The unknowns. Immutable: `step` returns a new one."""

    q: Float[np.ndarray, "T 99"]
    """Configurations of the person."""
    tool_q: Float[np.ndarray, "T 7"] | None = None
    """Configurations of the tool; its frame has the handle's free end at the origin and the head towards +x."""
    tool_length: float = 1.0
    """Reference distance from the tool's handle end to its head [m]."""
    shared: Float[np.ndarray, "S"] = field(default_factory=lambda: np.zeros(len(SHARED)))
    fps: float
    reference_body: Body
    reference_camera: Camera

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.q)

    @property
    def nv(self) -> int:
        """Tangent dimensions per frame."""
        return Body.nv + (0 if self.tool_q is None else 6)

    def value(self, name: str) -> float:
        """Value of a shared parameter."""
        return float(self.shared[SHARED_NAMES.index(name)])

    @cached_property
    def body(self) -> Body:
        """The person with the estimated bone lengths."""
        reference = self.reference_body
        lengths = np.array([reference.bones[b] for b in Body.bone_names]) * np.exp(self.shared[BONE_COLUMNS])
        bones = dict(zip(Body.bone_names, lengths.tolist(), strict=True))
        return build_body(height=reference.height, mass=reference.mass, bones=bones)

    @cached_property
    def camera(self) -> Camera:
        """The camera with the estimated focal length, lens and tilt."""
        K = self.reference_camera.K.copy()
        K[:2, :2] *= np.exp(self.value("log_focal"))
        distortion = self.reference_camera.distortion + np.array([self.value("lens"), 0, 0, 0, 0])
        T = self.reference_camera.T_world_camera.copy()
        T[:, :3, :3] = T[:, :3, :3] @ self.tilt
        for value in (K, T, distortion):
            value.setflags(write=False)
        # Not `replace`, which checks it again, and refuses a step that is too long before its cost is known.
        camera = copy(self.reference_camera)
        camera.__dict__.update(K=K, T_world_camera=T, distortion=distortion)
        return camera

    @cached_property
    def tilt(self) -> Float[np.ndarray, "3 3"]:
        """Rotation of the estimated camera in the axes of the reference camera: pitch about x, then roll about z."""
        (s, z), (c, w) = (wave([self.value("pitch"), self.value("roll")]) for wave in (np.sin, np.cos))
        return np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]]) @ [[w, -z, 0], [z, w, 0], [0, 0, 1]]

    @cached_property
    def tilt_axes(self) -> Float[np.ndarray, "2 3"]:
        """Axes of pitch and roll in the estimated camera's own frame: how it turns when they grow."""
        roll = self.value("roll")
        return np.array([[np.cos(roll), -np.sin(roll), 0.0], [0.0, 0.0, 1.0]])

    def share(self, other: State, camera: Camera) -> None:
        """Take over what another state with the same shared parameters has computed of them.

        Args:
            other: the same at other frames.
            camera: its camera, at these frames.
        """
        self.__dict__.update(camera=camera, **{name: getattr(other, name) for name in ("body", "tilt", "tilt_axes")})

    @cached_property
    def poses(self) -> tuple[np.ndarray, np.ndarray]:
        """World rotations (T, 24, 3, 3) and positions (T, 24, 3) [m] of the person's joints."""
        return self.body.joint_poses(self.q)

    @cached_property
    def twists(self) -> tuple[np.ndarray, np.ndarray]:
        """Linear and angular part (T, 3, 75) of how each tangent column moves the person: see `Body.twists`."""
        return self.body.twists(self.poses)

    @cached_property
    def turns(self) -> Float[np.ndarray, "N 24 3"]:
        """Rotation vectors [rad] of the joints from each frame to the next, in their own axes; T - 1 rows."""
        quaternions = self.q[:, 3:].reshape(self.num_frames, len(Body.joint_names), 4)
        return logarithm(product(conjugate(quaternions[:-1]), quaternions[1:]))

    @cached_property
    def length(self) -> float:
        """Estimated distance from the tool's handle end to its head [m]."""
        return self.tool_length * float(np.exp(self.value("log_tool_length")))

    def positions(self, names: Sequence[str]) -> Float[np.ndarray, "T N 3"]:
        """World positions [m] of named points of the person and the tool."""
        sites = [SITE_INDEX.get(name, -1) for name in names]
        p: np.ndarray = self._site_positions[:, sites]
        for n, name in enumerate(names):
            if name in TOOL_POINTS:
                p[:, n] = self._tool_point(name)
            elif name == CENTRE_OF_MASS:
                p[:, n] = self._centre_of_mass
            elif sites[n] < 0:
                self.body.site_positions(self.q, [name])  # which tells what there is
        return p

    @cached_property
    def _site_positions(self) -> Float[np.ndarray, "T N 3"]:
        """Positions of all sites of the body."""
        return self.body.site_positions(self.q, tuple(SITES), self.poses)

    @cached_property
    def _centre_of_mass(self) -> Float[np.ndarray, "T 3"]:
        return self.body.centre_of_mass(self.q, self.poses)

    def points(self, names: Sequence[str]) -> Points:
        """World positions of named points with their derivatives, which are not kept: they are large."""
        p = self.positions(names)
        J, J_shared = np.zeros((*p.shape, self.nv)), np.zeros((*p.shape, len(SHARED)))
        lengths = np.array([self.body.bones[b] for b in Body.bone_names])
        own = J[..., : Body.nv]
        sites = [n for n, name in enumerate(names) if name in SITE_INDEX]
        if sites:
            chosen = [names[n] for n in sites]
            own[:, _as_slice(sites)] = self.body.site_jacobian(self.q, chosen, self.poses, self.twists)[1]
            bones = self.body.bone_jacobian(self.q, chosen, self.poses)
            J_shared[:, _as_slice(sites), :, BONE_COLUMNS] = bones * lengths
        for n, name in enumerate(names):
            if name == CENTRE_OF_MASS:
                _, own[:, n], bones = self.body.centre_of_mass_jacobian(self.q, self.poses, self.twists)
                J_shared[:, n, :, BONE_COLUMNS] = bones * lengths
            elif name in TOOL_POINTS:
                J[:, n], J_shared[:, n] = self._differentiate_tool(name)
        return Points(p, J, J_shared)

    def _tool_point(self, name: str) -> np.ndarray:
        if self.tool_q is None:
            raise ValueError(f"the state has no tool, but {name!r} was asked for")
        along = rotations(self.tool_q[:, 3:])[..., 0]
        return self.tool_q[:, :3] + (self.length * along if name == "tool_head" else 0.0)

    def _differentiate_tool(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        assert self.tool_q is not None
        R = rotations(self.tool_q[:, 3:])
        offset = np.array([self.length if name == "tool_head" else 0.0, 0.0, 0.0])
        J = np.zeros((self.num_frames, 3, self.nv))
        J[..., Body.nv : Body.nv + 3] = R
        J[..., Body.nv + 3 :] = -R @ skew(offset)
        J_shared = np.zeros((self.num_frames, 3, len(SHARED)))
        J_shared[..., SHARED_NAMES.index("log_tool_length")] = R @ offset
        return J, J_shared

    def step(self, tangent: Float[np.ndarray, "T V"], shared: Float[np.ndarray, "S"]) -> State:
        """Move along a tangent step; quaternions stay on their sphere."""
        tool = None if self.tool_q is None else _retract(self.tool_q, tangent[:, Body.nv :])
        return replace(self, q=_retract(self.q, tangent[:, : Body.nv]), tool_q=tool, shared=self.shared + shared)


def _as_slice(index: list[int]) -> slice | list[int]:
    """Indices as a slice where they are consecutive: writing to a view needs no copies."""
    first, count = index[0], len(index)
    return slice(first, first + count) if index == list(range(first, first + count)) else index


def _retract(q: np.ndarray, tangent: np.ndarray) -> np.ndarray:
    """Free-flyer followed by spherical joints: translate and turn in local axes."""
    turned = product(q[:, 3:].reshape(len(q), -1, 4), exponential(tangent[:, 3:].reshape(len(q), -1, 3)))
    turned /= np.linalg.norm(turned, axis=-1, keepdims=True)
    moved = q[:, :3] + np.einsum("tij,tj->ti", rotations(q[:, 3:7]), tangent[:, :3])
    return np.concatenate([moved, turned.reshape(len(q), -1)], axis=1)
