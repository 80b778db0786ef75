"""Rounded solids that blend into one skin: the field, the mesh and the joints that each point follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sim.isosurface import surface_nets
from sim.mesh import Mesh, SkinnedMesh

REACH = 0.35
"""Distance from a joint's own flesh over which its pull on the skin fades, in radii of that flesh."""


class Limb(NamedTuple):
    """A rounded cone between two points, of elliptic section, bound to a joint."""

    joint: int
    a: Float[np.ndarray, "3"]
    b: Float[np.ndarray, "3"]
    """Ends of the axis [m]."""
    radius_a: float
    radius_b: float
    """Half width at the ends [m]."""
    flat: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Extent along x, y, z over the round shape's."""

    def distance(self, points: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N"]:
        """Distance from the surface [m], negative inside; approximate where it is flat or tapers."""
        stretch = 1 / np.array(self.flat)
        p, along = (points - self.a) * stretch, (self.b - self.a) * stretch
        t = np.clip(p @ along / max(float(along @ along), 1e-12), 0, 1)
        away = np.linalg.norm(p - t[:, None] * along, axis=1)
        return away - (self.radius_a + t * (self.radius_b - self.radius_a))

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper corner around it [m]."""
        r = max(self.radius_a, self.radius_b) * np.array(self.flat)
        return np.minimum(self.a, self.b) - r, np.maximum(self.a, self.b) + r


class Flesh(NamedTuple):
    """Limbs that blend into one another."""

    limbs: tuple[Limb, ...]
    blend: float
    """Width over which they blend [m]."""
    spacing: float
    """Of the grid on which the skin is found [m]."""
    keep: tuple[tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]], ...] = ()
    """Half spaces (point, outward normal) that what is kept lies in."""

    def distance(self, points: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N"]:
        """Distance from the common surface [m], negative inside."""
        each = np.stack([limb.distance(points) for limb in self.limbs])
        least = each.min(axis=0)
        union = least - self.blend * np.log(np.exp(-(each - least) / self.blend).sum(axis=0))
        for point, normal in self.keep:
            union = np.maximum(union, (points - point) @ normal)
        return union

    def skin(self, rest: Float[np.ndarray, "J 3"]) -> SkinnedMesh:
        """Mesh of the surface, white, bound to the joints whose rest positions [m] are given."""
        boxes = [limb.box for limb in self.limbs]
        low = np.min([b[0] for b in boxes], axis=0) - 3 * self.spacing - 2 * self.blend
        high = np.max([b[1] for b in boxes], axis=0) + 3 * self.spacing + 2 * self.blend
        shape = np.ceil((high - low) / self.spacing).astype(int) + 1
        field = self._sampled(low, shape, boxes)
        vertices, faces = surface_nets(field, low, self.spacing)
        step = 0.3 * self.spacing
        gradient = np.stack(
            [self.distance(vertices + step * e) - self.distance(vertices - step * e) for e in np.eye(3)], axis=1
        )
        normals = gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-12)
        mesh = Mesh(vertices, normals, faces, np.ones_like(vertices))
        return SkinnedMesh(mesh, self._weights(vertices, len(rest)), rest)

    def _sampled(
        self, low: np.ndarray, shape: np.ndarray, boxes: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> Float[np.ndarray, "X Y Z"]:
        """The field on a grid; far from every limb it is only known to be positive."""
        near = np.zeros(shape, bool)
        for lower, upper in boxes:
            start = np.floor((lower - low - 2 * self.blend) / self.spacing).astype(int) - 1
            stop = np.ceil((upper - low + 2 * self.blend) / self.spacing).astype(int) + 2
            near[tuple(slice(max(i, 0), k) for i, k in zip(start, stop, strict=True))] = True
        field = np.ones(shape)
        field[near] = self.distance(low + self.spacing * np.argwhere(near))
        return field

    def _weights(self, vertices: np.ndarray, joints: int) -> Float[np.ndarray, "V J"]:
        weights = np.zeros((len(vertices), joints))
        for limb in self.limbs:
            fade = REACH * 0.5 * (limb.radius_a + limb.radius_b)
            weights[:, limb.joint] += np.exp(-np.clip(limb.distance(vertices) / fade, -8, 8))
        return weights / weights.sum(axis=1, keepdims=True)
