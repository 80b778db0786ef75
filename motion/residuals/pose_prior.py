"""How people hold their joints: a stiff spine, loose shoulders and hips, knees and elbows that bend one way."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.residuals.loss import Loss, PseudoHuber, Quadratic
from motion.residuals.residual import Jacobian, OfTurns
from motion.rotation import conjugate, exponential, inverse_right_jacobian, logarithm, product
from motion.state import State

HANGING = float(np.deg2rad(70))
"""Angle of the arms below the T-pose at rest [rad]."""

REST: dict[str, tuple[float, float, float]] = {
    "l_shoulder": (0.0, 0.0, -HANGING),
    "r_shoulder": (0.0, 0.0, HANGING),
    "l_hip": (-0.25, 0.0, 0.0),
    "r_hip": (-0.25, 0.0, 0.0),
    "l_knee": (0.35, 0.0, 0.0),
    "r_knee": (0.35, 0.0, 0.0),
    "l_elbow": (0.0, -0.6, 0.0),
    "r_elbow": (0.0, 0.6, 0.0),
}
"""Rotation vectors [rad] of joints at rest, in SMPL axes; zero for the others."""

SPREAD: dict[str, tuple[float, float, float]] = {
    "hip": (0.9, 0.5, 0.4), "knee": (0.9, 0.2, 0.1), "ankle": (0.4, 0.3, 0.3), "foot": (0.2, 0.1, 0.1),
    "spine1": (0.3, 0.2, 0.2), "spine2": (0.2, 0.2, 0.15), "spine3": (0.15, 0.15, 0.1),
    "neck": (0.3, 0.4, 0.25), "head": (0.25, 0.3, 0.2), "collar": (0.15, 0.2, 0.25),
    "shoulder": (1.0, 0.9, 0.9), "elbow": (0.8, 0.9, 0.25), "wrist": (0.5, 0.3, 0.4), "hand": (0.2, 0.2, 0.3),
}  # fmt: skip
"""Standard deviations about rest [rad], in SMPL axes; from usual ranges of motion, twice the deviation on either
side (Norkin and White, Measurement of Joint Motion, appendix)."""

HINGES: tuple[tuple[str, int, float, float], ...] = (
    ("l_knee", 0, 0.0, 2.6),
    ("r_knee", 0, 0.0, 2.6),
    ("l_elbow", 1, -2.6, 0.0),
    ("r_elbow", 1, 0.0, 2.6),
)
"""Joint, axis of its rotation vector, lower and upper limit [rad]: 0 is straight, 150 degrees fully bent."""

_JOINTS = tuple(Body.joint_names.index(name) for name, *_ in HINGES)
_AXES = np.array([axis for _, axis, *_ in HINGES])
_LIMITS = np.array([limits for _, _, *limits in HINGES]).T


def rest_rotations() -> Float[np.ndarray, "23 3"]:
    """Rotation vector of each spherical joint at rest [rad]."""
    return np.array([REST.get(name, (0.0, 0.0, 0.0)) for name in Body.joint_names[1:]])


def spreads() -> Float[np.ndarray, "23 3"]:
    """Standard deviation of each spherical joint about rest [rad]."""
    return np.array([SPREAD[name.removeprefix("l_").removeprefix("r_")] for name in Body.joint_names[1:]])


@dataclass(frozen=True, kw_only=True)
class RestPose:
    """Rotation of every joint away from rest, over its spread."""

    rest: Float[np.ndarray, "23 3"] = field(default_factory=rest_rotations)
    sigma: Float[np.ndarray, "23 3"] = field(default_factory=spreads)
    loss: Loss = PseudoHuber(2.0)

    def error(self, state: State) -> Float[np.ndarray, "T 23 3"]:
        """Rotation vector from rest, in standard deviations."""
        return self._away(state) / self.sigma

    def jacobian(self, state: State) -> Jacobian:
        """Block diagonal."""
        blocks = inverse_right_jacobian(self._away(state)) / self.sigma[..., None]
        return Jacobian(turns=OfTurns(tuple(range(1, len(Body.joint_names))), blocks[:, None]))

    def _away(self, state: State) -> np.ndarray:
        quaternions = state.q[:, 7:].reshape(state.num_frames, -1, 4)
        return logarithm(product(np.broadcast_to(self._back, quaternions.shape), quaternions))

    @cached_property
    def _back(self) -> np.ndarray:
        """Quaternions that turn joints at rest to none."""
        return conjugate(exponential(self.rest))


@dataclass(frozen=True, kw_only=True)
class Hinge:
    """How far knees and elbows are beyond their limits, over `sigma`."""

    sigma: float = 0.08
    """Softness of the limit [rad]."""
    loss: Loss = Quadratic()

    def error(self, state: State) -> Float[np.ndarray, "T H 1"]:
        """Excess over the limit; zero inside the range."""
        angle, lower, upper = self._angles(state)
        return ((angle - np.clip(angle, lower, upper)) / self.sigma)[..., None]

    def jacobian(self, state: State) -> Jacobian:
        """One row of the inverse right Jacobian per hinge that is beyond its limit."""
        angle, lower, upper = self._angles(state)
        beyond = (angle < lower) | (angle > upper)
        by = np.zeros((*angle.shape, 3))
        frames, hinges = np.nonzero(beyond)
        rows = inverse_right_jacobian(self._turns(state)[frames, hinges])
        by[frames, hinges] = rows[range(len(rows)), _AXES[hinges]] / self.sigma
        return Jacobian(turns=OfTurns(_JOINTS, by[:, None, :, None]))

    def _angles(self, state: State) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return (self._turns(state)[:, range(len(HINGES)), _AXES], *_LIMITS)

    def _turns(self, state: State) -> np.ndarray:
        return logarithm(state.q[:, 3:].reshape(state.num_frames, -1, 4)[:, _JOINTS])
