"""A tool in the hands: the hands lie on the axis of its handle, and its attitude in the hand is a usual one.

The tool's frame has the handle's end at the origin and the head towards +x, z away from the working face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from motion.body import Body, rotations
from motion.residuals.loss import Loss, PseudoHuber, Quadratic
from motion.residuals.residual import Jacobian
from motion.rotation import conjugate, inverse_right_jacobian, logarithm, product, skew
from motion.state import SHARED, SHARED_NAMES, State


@dataclass(frozen=True, kw_only=True)
class Grasp:
    """Distance of hands from the tool's handle, across it and beyond its ends; sliding along it is free."""

    hands: tuple[str, ...]
    """Sites of the hands that hold the tool."""
    weight: Float[np.ndarray, "T N"]
    """Square root of the probability that each hand holds it."""
    reach: tuple[float, float] = (0.0, 0.6)
    """Part of the tool that hands may hold, in fractions of its length from the handle's end."""
    sigma: float = 0.03
    """Distance of the middle of a closed hand from the axis [m]."""
    loss: Loss = PseudoHuber(2.0)

    def error(self, state: State) -> Float[np.ndarray, "T N 3"]:
        """Hand in the tool's axes: x beyond the part that may be held, y, z."""
        local = self._local(state, state.positions(self.hands))
        local[..., 0] -= np.clip(local[..., 0], *self._range(state))
        return local * (self.weight / self.sigma)[..., None]

    def jacobian(self, state: State) -> Jacobian:
        """Relative position in a moving frame."""
        assert state.tool_q is not None
        points = state.points(self.hands)
        local = self._local(state, points.p)
        inverse = rotations(state.tool_q[:, 3:]).swapaxes(-1, -2)[:, None]
        frames = inverse @ points.J
        frames[..., Body.nv : Body.nv + 3] -= np.eye(3)
        frames[..., Body.nv + 3 :] += skew(local)
        shared = inverse @ points.J_shared
        lower, upper = self._range(state)
        inside = (local[..., 0] >= lower) & (local[..., 0] <= upper)
        frames[..., 0, :] *= ~inside[..., None]
        shared[..., 0, :] *= ~inside[..., None]
        length = SHARED_NAMES.index("log_tool_length")
        shared[..., 0, length] -= np.where(local[..., 0] > upper, upper, 0.0)
        shared[..., 0, length] -= np.where(local[..., 0] < lower, lower, 0.0)
        scale = (self.weight / self.sigma)[..., None, None]
        return Jacobian((scale * frames)[:, None], scale * shared)

    def _local(self, state: State, p: np.ndarray) -> np.ndarray:
        assert state.tool_q is not None
        return np.einsum("tji,tnj->tni", rotations(state.tool_q[:, 3:]), p - state.tool_q[:, None, :3])

    def _range(self, state: State) -> tuple[float, float]:
        return self.reach[0] * state.length, self.reach[1] * state.length


@dataclass(frozen=True, kw_only=True)
class Grip:
    """Rotation of the tool in a hand away from a usual grip, over `sigma`; the roll about its axis is loose."""

    joint: str
    """Joint of the hand: `r_wrist` or `l_wrist`."""
    rest: Float[np.ndarray, "4"]
    """Quaternion of the tool in the axes of the joint in a usual grip."""
    weight: Float[np.ndarray, "T"]
    """Square root of the probability that the hand holds the tool."""
    sigma: float = 0.35
    """Spread of the tool's axis about the usual grip [rad]."""
    loss: Loss = Quadratic()

    def error(self, state: State) -> Float[np.ndarray, "T 1 3"]:
        """Rotation vector from the usual grip."""
        return (self._away(state) * (self.weight / self.sigma)[:, None])[:, None]

    def jacobian(self, state: State) -> Jacobian:
        """Every joint between the root and the hand turns the tool in the hand the other way."""
        assert state.tool_q is not None
        scale = (self.weight / self.sigma)[:, None, None]
        after = inverse_right_jacobian(self._away(state)) * scale
        R_tool = rotations(state.tool_q[:, 3:])
        R, _ = state.poses
        frames = np.zeros((state.num_frames, 1, 1, 3, state.nv))
        for k in self._chain(state):
            frames[:, 0, 0, :, 3 + 3 * k : 6 + 3 * k] = -after @ R_tool.swapaxes(-1, -2) @ R[:, k]
        frames[:, 0, 0, :, Body.nv + 3 :] = after
        return Jacobian(frames, np.zeros((state.num_frames, 1, 3, len(SHARED))))

    def _away(self, state: State) -> np.ndarray:
        assert state.tool_q is not None
        held = product(conjugate(self._hand(state)), state.tool_q[:, 3:])
        return logarithm(product(np.broadcast_to(conjugate(self.rest), held.shape), held))

    def _hand(self, state: State) -> np.ndarray:
        total = state.q[:, 3:7]
        for k in self._chain(state)[1:]:
            total = product(total, state.q[:, 3 + 4 * k : 7 + 4 * k])
        return total

    def _chain(self, state: State) -> list[int]:
        """Joints from the root to the hand."""
        path: list[int] = np.flatnonzero(state.body.ancestors[Body.joint_names.index(self.joint)]).tolist()
        return path
