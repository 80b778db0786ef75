"""The contract of a residual, two methods, and the table of all residuals."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from motion.residuals.loss import Loss
from motion.state import SHARED, SHARED_NAMES, State
from records import Entry, Registry

RESIDUALS = Registry(
    "residual",
    {
        "reprojection": Entry("motion.residuals.reprojection:Reprojection", "image points against detections"),
        "lift": Entry("motion.residuals.lift:Lift", "body shape against the detector's 3D landmarks"),
        "acceleration": Entry("motion.residuals.smoothness:Acceleration", "points of the body accelerate little"),
        "joint_rate": Entry("motion.residuals.smoothness:JointRate", "joints turn slowly"),
        "rest_pose": Entry("motion.residuals.pose_prior:RestPose", "joints stay near the middle of their range"),
        "hinge": Entry("motion.residuals.pose_prior:Hinge", "knees and elbows bend one way only"),
        "anchor": Entry("motion.residuals.contact:Anchor", "a point in contact stays at one place"),
        "sliding": Entry("motion.residuals.contact:Sliding", "a point in contact does not move"),
        "ground": Entry("motion.residuals.contact:Ground", "feet in contact are on the ground, and none is below it"),
        "surface": Entry("motion.residuals.surface:Surface", "points in contact lie on the scene's surface"),
        "clear": Entry("motion.residuals.surface:Clear", "no point of the body is inside a thing of the scene"),
        "balance": Entry("motion.residuals.balance:Balance", "a standing body balances over its feet"),
        "grasp": Entry("motion.residuals.grasp:Grasp", "hands lie on the axis of the tool's handle"),
        "grip": Entry(
            "motion.residuals.grasp:Grip", "the tool's attitude in the hand changes slowly about a usual one"
        ),
        "shared_prior": Entry("motion.residuals.shared_prior:SharedPrior", "bone lengths, camera and scales"),
        "stature": Entry("motion.residuals.stature:Stature", "the height of the person, which sets the scale"),
    },
)


class OfPoints(NamedTuple):
    """Derivative by one named point per group, in the world."""

    names: tuple[str, ...]
    """The point of each group."""
    by: Float[np.ndarray, "N W G D 3"] | Float[np.ndarray, "N W G"]
    """With respect to the point in each frame of the window; without D and 3: multiples of the identity."""
    root: tuple[str, ...] = ()
    """Points whose middle the named ones are relative to; windows are then of one frame."""


class OfTurns(NamedTuple):
    """Derivative by the turn of one joint per group, in its local axes."""

    joints: tuple[int, ...]
    """The joint of each group, in the order of `Body.joint_names`."""
    by: Float[np.ndarray, "N W G D 3"]
    """With respect to the turn in each frame of the window (at most two)."""


class OfShared(NamedTuple):
    """Derivative by shared parameters directly, not through points."""

    names: tuple[str, ...]
    by: Float[np.ndarray, "N G D P"]


class Jacobian(NamedTuple):
    """Derivative of an error on windows of W frames: the sum of its parts.

    Most errors depend on one point or joint per group: they give the derivative by that, and the kinematics are left to
    `motion.problem`, which visits only the columns of the point's chain. The others give all columns.
    """

    frames: Float[np.ndarray, "N W G D V"] | None = None
    """With respect to a tangent step of each frame of the window."""
    shared: Float[np.ndarray, "N G D S"] | None = None
    """With respect to the shared parameters; goes with `frames`."""
    points: OfPoints | None = None
    turns: OfTurns | None = None
    direct: OfShared | None = None


def expand(jacobian: Jacobian, state: State) -> tuple[Float[np.ndarray, "N W G D V"], Float[np.ndarray, "N G D S"]]:
    """All columns of a Jacobian: with respect to tangent steps of the window's frames, and to the shared parameters."""
    frames: np.ndarray | float = 0.0 if jacobian.frames is None else jacobian.frames
    shared: np.ndarray | float = 0.0 if jacobian.shared is None else jacobian.shared
    if jacobian.points is not None:
        names, by, root = jacobian.points
        by = by[..., None, None] * np.eye(3) if by.ndim == 3 else by
        count, window = by.shape[:2]
        points = state.points(names)
        J, J_shared = points.J, points.J_shared
        if root:
            middle = state.points(root)
            J = J - middle.J.mean(axis=1, keepdims=True)
            J_shared = J_shared - middle.J_shared.mean(axis=1, keepdims=True)
        frames = frames + np.stack([by[:, w] @ J[w : w + count] for w in range(window)], axis=1)
        shared = shared + sum(by[:, w] @ J_shared[w : w + count] for w in range(window))
    if jacobian.turns is not None:
        joints, by = jacobian.turns
        turned = np.zeros((*by.shape[:-1], state.nv))
        for group, joint in enumerate(joints):
            turned[:, :, group, :, 3 + 3 * joint : 6 + 3 * joint] = by[:, :, group]
        frames = frames + turned
        shared = shared + np.zeros((by.shape[0], *by.shape[2:4], len(SHARED)))
    if jacobian.direct is not None:
        names, by = jacobian.direct
        frames = frames + np.zeros((by.shape[0], 1, *by.shape[1:3], state.nv))
        own = np.zeros((*by.shape[:-1], len(SHARED)))
        own[..., [SHARED_NAMES.index(name) for name in names]] = by
        shared = shared + own
    return np.asarray(frames), np.asarray(shared)


@runtime_checkable
class Residual(Protocol):
    """An error, in standard deviations, on every window of consecutive frames.

    An error has groups G of dimension D; the loss sees the squared norm of each group.
    """

    @property
    def loss(self) -> Loss:
        """Loss of the squared norm of each group."""

    def error(self, state: State) -> Float[np.ndarray, "N G D"]:
        """Error in standard deviations; window n starts at frame n."""

    def jacobian(self, state: State) -> Jacobian:
        """Derivative of `error` at the state."""
