"""A frame that a link carries along, such as the head of a tool: read quickly, in every step if need be."""

from __future__ import annotations

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from sim.bullet import Bullet, Triple
from sim.bullet.readings import quick_frame, quick_pose

Posture = tuple[Triple, Triple, Triple]
"""A frame's origin [m] and the directions of its x and z axes, in the world: plain numbers, quicker than arrays where
there are few."""


class Carrier:
    """A link of a body that carries frames; it and they are where they were when it was last looked at."""

    def __init__(self, bullet: Bullet, body: int, link: int) -> None:
        """Look at a link; -1 is the base."""
        self.body, self.link = body, link
        self._read = quick_pose(bullet, body, link)
        self._read_in_link = pin.XYZQUATToSE3(np.concatenate(quick_frame(bullet, body, link)))
        self.look()

    def look(self) -> None:
        """See where it is now: once for all of its frames, since asking the engine takes long."""
        self._position, self._quaternion = (px, py, pz), (i, j, k, w) = self._read()
        i2, j2, k2 = i + i, j + j, k + k
        ii, jj, kk, ij, ik, jk, wi, wj, wk = i * i2, j * j2, k * k2, i * j2, i * k2, j * k2, w * i2, w * j2, w * k2
        self.rows = (
            (1 - (jj + kk), ij - wk, ik + wj, px),
            (ij + wk, 1 - (ii + kk), jk - wi, py),
            (ik - wj, jk + wi, 1 - (ii + jj), pz),
        )

    def pose(self) -> pin.SE3:
        """Of what the engine has as the link's frame."""
        return pin.XYZQUATToSE3(np.concatenate((self._position, self._quaternion)))

    def mounted(self, T_link_frame: pin.SE3) -> pin.SE3:
        """A frame of the link's URDF frame in what the engine has instead."""
        return self._read_in_link.inverse() * T_link_frame


class Carried:
    """A frame fixed to a link of a body."""

    def __init__(self, carrier: Carrier, T_link_frame: pin.SE3) -> None:
        """Attach it to a link's URDF frame."""
        self._carrier = carrier
        self._mounted = carrier.mounted(T_link_frame)
        x, _, z = self._mounted.rotation.T.tolist()
        self._origin, self._x, self._z = self._mounted.translation.tolist(), x, z

    def pose(self) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
        """Rotation of the frame, and its origin in the world [m]."""
        there = self._carrier.pose() * self._mounted
        return there.rotation, there.translation

    def posture(self) -> Posture:
        """The same without its y axis, for every control step."""
        (a, b, c, px), (d, e, f, py), (g, h, m, pz) = self._carrier.rows
        x, y, z = self._origin
        origin = px + a * x + b * y + c * z, py + d * x + e * y + f * z, pz + g * x + h * y + m * z
        x, y, z = self._x
        handle = a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + m * z
        x, y, z = self._z
        return origin, handle, (a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + m * z)
