"""What the motion room hands on: `Motion` of a named model, `ContactForces`, and both together as an `Interaction`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from records.observation import ContactStates, check_names
from records.record import Record, RecordError, array
from records.video import Camera


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion(Record):
    """Trajectory of a person, a tool or a robot: configurations of a named model in Pinocchio order.

    A free-flyer contributes (x, y, z, qx, qy, qz, qw) to `q` and local linear then angular velocity to `v`.
    """

    model: str
    """Name in the table of models: `smpl_tree`, `hammer`, `panda`, ..."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    """What rebuilds the model: height [m], mass [kg], bone lengths [m], base pose, ..."""
    fps: float
    q: Float[np.ndarray, "T Q"] = array("m, rad, 1", frame="world")
    v: Float[np.ndarray, "T V"] = array("m/s, rad/s", frame="local for a free-flyer")
    a: Float[np.ndarray, "T V"] = array("m/s^2, rad/s^2", frame="local for a free-flyer")

    def validate(self) -> None:
        """Refuse empty motions and impossible rates."""
        if self.fps <= 0 or len(self.q) < 1:
            raise RecordError(f"Motion of {self.model}: {len(self.q)} frames at {self.fps} fps")

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.q)


@dataclass(frozen=True, kw_only=True, eq=False)
class ContactForces(Record):
    """Forces and moments on the person, world axes, at named points; and the joint torques that go with them."""

    names: tuple[str, ...]
    fps: float
    point: Float[np.ndarray, "T C 3"] = array("m", frame="world")
    wrench: Float[np.ndarray, "T C 6"] = array("N, N m", frame="world axes, at the point, on the body")
    tau: Float[np.ndarray, "T V"] = array("N, N m", frame="Pinocchio order of the person's model")
    residual: Float[np.ndarray, "T 6"] = array("N, N m", frame="world axes, at the centre of mass")
    """What the free-flyer rows of the dynamics leave unexplained."""

    def validate(self) -> None:
        """Check names against arrays."""
        check_names(self, self.names, self.point.shape[1])


@dataclass(frozen=True, kw_only=True, eq=False)
class Uncertainty(Record):
    """Covariances of an estimate. World axes; place, heading and size of the whole clip are not counted as errors."""

    joint_names: tuple[str, ...]
    """Surface markers."""
    joints: Float[np.ndarray, "T N 3 3"] = array("m^2", frame="world axes")
    """Covariance of each marker's position."""
    contact_names: tuple[str, ...] = ()
    forces: Float[np.ndarray, "T C 3 3"] | None = array("N^2", frame="world axes", optional=True)
    """Covariance of each contact's force."""

    def validate(self) -> None:
        """Check names against arrays, and that no variance is negative."""
        check_names(self, self.joint_names, self.joints.shape[1])
        check_names(self, self.contact_names, 0 if self.forces is None else self.forces.shape[1])
        for what, covariance in (("joints", self.joints), ("forces", self.forces)):
            if covariance is not None and (np.einsum("tnii->tni", covariance) < 0).any():
                raise RecordError(f"Uncertainty.{what}: a variance is negative; expected covariances")


@dataclass(frozen=True, kw_only=True, eq=False)
class Interaction(Record):
    """A person, possibly with a tool, moving under contact forces in front of a camera; all in one world frame."""

    person: Motion
    tool: Motion | None = None
    contacts: ContactStates
    forces: ContactForces
    camera: Camera
    """The camera as refined by the estimate."""
    observed: Bool[np.ndarray, "T"] = array("1")
    """False where a frame had no usable observation and was bridged."""
    cost: Mapping[str, float] = field(default_factory=dict)
    """Final cost per residual."""
    status: str
    """`converged`, `stalled` or `iteration limit`."""
    assumed: Mapping[str, float] = field(default_factory=dict)
    """What was assumed rather than measured: height [m], mass [kg], focal [px], ..."""
    uncertainty: Uncertainty | None = None
    """How well it is known; None where the motion came from elsewhere, or where that could not be computed."""

    def validate(self) -> None:
        """Every part must have the same number of frames at the same rate."""
        parts = {"person": self.person, "tool": self.tool}
        lengths = {name: part.num_frames for name, part in parts.items() if part is not None}
        lengths |= {"contacts": len(self.contacts.probability), "forces": len(self.forces.point)}
        if self.uncertainty is not None:
            lengths["uncertainty"] = len(self.uncertainty.joints)
        if set(lengths.values()) != {len(self.observed)}:
            raise RecordError(f"Interaction: parts of different length {lengths}, {len(self.observed)} frames observed")
        rates = {p.fps for p in parts.values() if p is not None} | {self.forces.fps, self.contacts.fps}
        if len(rates) != 1:
            raise RecordError(f"Interaction: parts at different rates {sorted(rates)} fps")
