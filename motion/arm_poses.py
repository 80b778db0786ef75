"""Kinematics of an arm in many configurations at once: poses of its joints, of its tool and of its collision spheres.

The same quantities as Pinocchio's, in arrays over the configurations: one call of Pinocchio per configuration, and
taking its answers out one by one, cost ten times as much as all else in a whole-trajectory optimisation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float


class Spheres(NamedTuple):
    """S spheres that cover an arm and its tool."""

    joint: np.ndarray
    """Joint that carries each (S,)."""
    centre: np.ndarray
    """In the frame of that joint (S, 3) [m]."""
    radius: np.ndarray
    """(S,) [m]."""
    tool: np.ndarray
    """Whether it belongs to the tool (S,)."""


class ArmPoses(NamedTuple):
    """T configurations of an arm in its base frame; Jacobians have linear rows before angular ones, in base axes."""

    R: np.ndarray
    """Rotation of the tool (T, 3, 3)."""
    head: np.ndarray
    """Position of the tool's head (T, 3) [m]."""
    J: np.ndarray
    """Jacobian of both (T, 6, J)."""
    spheres: np.ndarray
    """Centres of the collision spheres (T, S, 3) [m]."""
    twists: np.ndarray
    """What a joint does to the points that it carries: velocity at the base's origin, and turn (T, 6, J)."""
    moved: np.ndarray
    """Which joints move a sphere (S, J): 1 or 0."""


class Chain:
    """Joints one after another, each of which turns or slides: what the arrays are computed from."""

    def __init__(self, model: pin.Model) -> None:
        """Read a model whose joints have one degree of freedom each."""
        data, rest = model.createData(), pin.neutral(model)
        J = pin.computeJointJacobians(model, data, rest)
        placements = list(model.jointPlacements)[1:]
        self._parent = [int(parent) for parent in list(model.parents)[1:]]
        self._R = np.array([placement.rotation for placement in placements])
        self._p = np.array([placement.translation for placement in placements])
        turn_here = np.array([data.oMi[k].rotation.T @ J[3:, k - 1] for k in range(1, model.njoints)])
        self._turns = np.linalg.norm(turn_here, axis=1) > 0.5
        slide_here = np.array([data.oMi[k].rotation.T @ J[:3, k - 1] for k in range(1, model.njoints)])
        self._axis = np.where(self._turns[:, None], turn_here, slide_here)
        cross = np.array([pin.skew(axis) for axis in turn_here * self._turns[:, None]])
        self._by_sine, self._by_versine = self._R @ cross, self._R @ cross @ cross
        self.supported = np.zeros((model.njoints, model.nv))
        """Which degrees of freedom move what a joint carries (joints and the base first, J)."""
        for k in range(1, model.njoints):
            self.supported[k] = self.supported[self._parent[k - 1]]
            self.supported[k, k - 1] = 1.0

    def joints(self, q: Float[np.ndarray, "T J"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rotations (T, J + 1, 3, 3) and positions (T, J + 1, 3) [m] of base and joints, and twists (T, 6, J)."""
        count, free = q.shape
        R, p = np.empty((count, free + 1, 3, 3)), np.zeros((count, free + 1, 3))
        R[:, 0] = np.eye(3)
        # Rodrigues' formula, after the placement of each joint in the one before.
        sine, versine = np.sin(q)[..., None, None], (1 - np.cos(q))[..., None, None]
        turned = self._R + sine * self._by_sine + versine * self._by_versine
        for k, parent in enumerate(self._parent):
            before = R[:, parent]
            np.matmul(before, turned[:, k], out=R[:, k + 1])
            p[:, k + 1] = p[:, parent] + before @ self._p[k]
            if not self._turns[k]:
                p[:, k + 1] += q[:, k, None] * (R[:, k + 1] @ self._axis[k])
        axis = (R[:, 1:] @ self._axis[..., None])[..., 0]
        turn = axis * self._turns[:, None]
        slide = axis - turn
        twists = np.concatenate([cross_product(p[:, 1:], turn) + slide, turn], axis=-1)
        return R, p, np.ascontiguousarray(twists.swapaxes(1, 2))

    def poses(
        self, q: Float[np.ndarray, "T J"], spheres: Spheres, tool: tuple[int, pin.SE3], p_head: Float[np.ndarray, "3"]
    ) -> ArmPoses:
        """All that `ArmPoses` holds.

        Args:
            q: configurations [rad, or m of joints that slide].
            spheres: what covers arm and tool.
            tool: joint that carries the tool, and the tool's pose in it.
            p_head: the head's centre in the tool's frame [m].
        """
        R, p, twists = self.joints(q)
        hand, T_hand_tool = tool
        at = _carried(R, p, spheres)
        head = R[:, hand] @ T_hand_tool.act(p_head) + p[:, hand]
        J = np.concatenate([_at(twists, head), twists[:, 3:]], axis=1) * self.supported[hand]
        return ArmPoses(R[:, hand] @ T_hand_tool.rotation, head, J, at, twists, self.supported[spheres.joint])


def cross_product(a: Float[np.ndarray, "*N 3"], b: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
    """Cross products; `np.cross` spends most of its time on moving axes."""
    return a[..., [1, 2, 0]] * b[..., [2, 0, 1]] - a[..., [2, 0, 1]] * b[..., [1, 2, 0]]


def _carried(R: np.ndarray, p: np.ndarray, spheres: Spheres) -> Float[np.ndarray, "T S 3"]:
    """Where joints at `R`, `p` carry spheres: one product with a matrix that picks each sphere's joint."""
    count, joints, every = *p.shape[:2], np.arange(len(spheres.joint))
    pick = np.zeros((joints, 4, len(every)))
    pick[spheres.joint, :3, every], pick[spheres.joint, 3, every] = spheres.centre, 1.0
    placed = np.concatenate([R, p[..., None]], axis=-1).swapaxes(1, 2).reshape(3 * count, 4 * joints)
    at = placed @ pick.reshape(4 * joints, -1)
    return np.ascontiguousarray(at.reshape(count, 3, -1).swapaxes(1, 2))


def _at(twists: Float[np.ndarray, "N 6 J"], point: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3 J"]:
    """Velocities of points by unit velocities of the joints."""
    turn, p = twists[:, 3:], point[..., None]
    return twists[:, :3] + turn[:, [1, 2, 0]] * p[:, [2, 0, 1]] - turn[:, [2, 0, 1]] * p[:, [1, 2, 0]]
