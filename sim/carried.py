"""A frame that a link carries along, such as the head of a tool: read quickly, in every step if need be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from sim.bullet import Bullet

Glance = tuple[float, ...]
"""Position (3) [m] and quaternion xyzw (4) of a link, as the engine has them."""


class Carried:
    """A frame fixed to a link of a body."""

    def __init__(self, bullet: Bullet, body: int, link: int, T_link_frame: pin.SE3) -> None:
        """Attach it to a link's URDF frame; link -1 is the base."""
        self._bullet, self._body, self._link = bullet, body, link
        self._mounted = pin.XYZQUATToSE3(np.concatenate(bullet.quick_frame(body, link))).inverse() * T_link_frame
        turns = _ROTATION.reshape(16, 3, 3)
        self._of_products = np.c_[(turns @ self._mounted.rotation).reshape(16, 9), turns @ self._mounted.translation]

    def glance(self) -> Glance:
        """Where the link is, as the engine has it: `poses` tells later where the frame was."""
        position, quaternion = self._bullet.quick_pose(self._body, self._link)
        return *position, *quaternion

    def pose(self) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
        """Rotation of the frame, and its origin in the world [m]."""
        there = pin.XYZQUATToSE3(np.array(self.glance())) * self._mounted
        return there.rotation, there.translation

    def poses(self, glances: Sequence[Glance]) -> tuple[Float[np.ndarray, "S 3 3"], Float[np.ndarray, "S 3"]]:
        """Rotations of the frame, and its origins [m], at earlier moments."""
        at = np.array(glances)
        q = at[:, 3:]
        there = (q[:, :, None] * q[:, None]).reshape(-1, 16) @ self._of_products
        return there[:, :9].reshape(-1, 3, 3), there[:, 9:] + at[:, :3]


def _rotation_of_products() -> Float[np.ndarray, "16 9"]:
    """What a rotation matrix (rows one after another) is as a sum of products of a quaternion's components, xyzw.

    R = (w^2 - v.v) I + 2 v v^T + 2 w [v]x.
    """
    products = np.zeros((4, 4, 3, 3))
    products[3, 3] = np.eye(3)
    for k in range(3):
        products[k, k] -= np.eye(3)
        products[3, k] = 2 * pin.skew(np.eye(3)[k])
        for m in range(3):
            products[k, m, k, m] += 2
    return products.reshape(16, 9)


_ROTATION = _rotation_of_products()
