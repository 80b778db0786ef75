"""The contract of a residual, two methods, and the table of all residuals."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from motion.residuals.loss import Loss
from motion.state import State
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
        "balance": Entry("motion.residuals.balance:Balance", "a standing body balances over its feet"),
        "grasp": Entry("motion.residuals.grasp:Grasp", "hands lie on the axis of the tool's handle"),
        "grip": Entry(
            "motion.residuals.grasp:Grip", "the tool's attitude in the hand changes slowly about a usual one"
        ),
        "shared_prior": Entry("motion.residuals.shared_prior:SharedPrior", "bone lengths, camera and scales"),
    },
)


class Jacobian(NamedTuple):
    """Derivative of an error on windows of W frames."""

    frames: Float[np.ndarray, "N W G D V"]
    """With respect to a tangent step of each frame of the window."""
    shared: Float[np.ndarray, "N G D S"]
    """With respect to the shared parameters."""


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
