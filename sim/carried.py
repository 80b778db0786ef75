"""A frame that a link carries along, such as the head of a tool: read quickly, in every step if need be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from sim.bullet import Bullet

Triple = tuple[float, float, float]


class Posture(NamedTuple):
    """A frame in plain numbers, which are quicker than arrays where there are few."""

    origin: Triple
    """In the world [m]."""
    x: Triple
    """Direction of its x axis in the world."""
    z: Triple
    """The same of its z axis."""


class Carried:
    """A frame fixed to a link of a body."""

    def __init__(self, bullet: Bullet, body: int, link: int, T_link_frame: pin.SE3) -> None:
        """Attach it to a link's URDF frame; link -1 is the base."""
        self._bullet, self._body, self._link = bullet, body, link
        self._mounted = pin.XYZQUATToSE3(np.concatenate(bullet.quick_frame(body, link))).inverse() * T_link_frame
        x, _, z = self._mounted.rotation.T.tolist()
        self._origin, self._x, self._z = self._mounted.translation.tolist(), x, z

    def pose(self) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
        """Rotation of the frame, and its origin in the world [m]."""
        there = pin.XYZQUATToSE3(np.concatenate(self._bullet.quick_pose(self._body, self._link))) * self._mounted
        return there.rotation, there.translation

    def posture(self) -> Posture:
        """The same without its y axis, for every control step."""
        (px, py, pz), (i, j, k, w) = self._bullet.quick_pose(self._body, self._link)
        ii, jj, kk, ij, ik, jk, wi, wj, wk = i * i, j * j, k * k, i * j, i * k, j * k, w * i, w * j, w * k
        a, b, c = 1 - 2 * (jj + kk), 2 * (ij - wk), 2 * (ik + wj)
        d, e, f = 2 * (ij + wk), 1 - 2 * (ii + kk), 2 * (jk - wi)
        g, h, m = 2 * (ik - wj), 2 * (jk + wi), 1 - 2 * (ii + jj)
        x, y, z = self._origin
        origin = px + a * x + b * y + c * z, py + d * x + e * y + f * z, pz + g * x + h * y + m * z
        x, y, z = self._x
        handle = a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + m * z
        x, y, z = self._z
        return Posture(origin, handle, (a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + m * z))
