"""What a scene is to a person: how far points are from its surface, and in which direction; simple shapes of it.

A surface is what `Scene.nearest` is zero on. Distances grow into free space and are negative inside things. Scanned
ones come from `motion.scan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float


class Nearest(NamedTuple):
    """Where the surface is, as seen from points."""

    distance: Float[np.ndarray, "*S"]
    """Signed distance [m]: positive in free space, negative inside."""
    gradient: Float[np.ndarray, "*S 3"]
    """Derivative of the distance by the point: a unit vector, world axes, away from the surface."""


@runtime_checkable
class Scene(Protocol):
    """Surroundings of a person, in the world: z up, metres."""

    def nearest(self, p: Float[np.ndarray, "*S 3"]) -> Nearest:
        """Distance of points [m] from the surface, and its derivative."""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """A flat ground or wall."""

    normal: tuple[float, float, float] = (0.0, 0.0, 1.0)
    """Into free space; any length."""
    offset: float = 0.0
    """Distance of the plane from the origin along the normal [m]."""

    def nearest(self, p: Float[np.ndarray, "*S 3"]) -> Nearest:
        """Height over the plane."""
        n = np.asarray(self.normal, float)
        n = n / np.linalg.norm(n)
        return Nearest(p @ n - self.offset, np.broadcast_to(n, p.shape).copy())


@dataclass(frozen=True, kw_only=True)
class Box:
    """A solid box along the world's axes."""

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]

    def nearest(self, p: Float[np.ndarray, "*S 3"]) -> Nearest:
        """Outside, the distance from the nearest point of the box; inside, minus that from the nearest face."""
        lower, upper = np.asarray(self.lower, float), np.asarray(self.upper, float)
        centre, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
        side = np.where(p < centre, -1.0, 1.0)
        beyond = np.abs(p - centre) - half
        out = np.maximum(beyond, 0.0)
        outside = np.linalg.norm(out, axis=-1)
        face = np.eye(3)[beyond.argmax(axis=-1)]
        within = outside == 0
        toward = np.where(within[..., None], face, out / np.maximum(outside, 1e-300)[..., None])
        return Nearest(np.where(within, beyond.max(axis=-1), outside), toward * side)


@dataclass(frozen=True)
class Together:
    """Several things: the nearest one counts."""

    parts: Sequence[Scene]

    def nearest(self, p: Float[np.ndarray, "*S 3"]) -> Nearest:
        """The smallest signed distance, with its derivative."""
        found = [part.nearest(p) for part in self.parts]
        distance = np.stack([one.distance for one in found])
        chosen = distance.argmin(axis=0)
        gradient = np.stack([one.gradient for one in found])
        return Nearest(
            np.take_along_axis(distance, chosen[None], axis=0)[0],
            np.take_along_axis(gradient, chosen[None, ..., None], axis=0)[0],
        )


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A scene in another place."""

    scene: Scene
    T_world_scene: Float[np.ndarray, "4 4"]
    """Pose of the scene's own axes in the world; rigid."""

    def nearest(self, p: Float[np.ndarray, "*S 3"]) -> Nearest:
        """Asked in the scene's axes."""
        R, t = self.T_world_scene[:3, :3], self.T_world_scene[:3, 3]
        distance, gradient = self.scene.nearest((p - t) @ R)
        return Nearest(distance, gradient @ R.T)


def lowered(scene: Scene, height: float) -> Scene:
    """The scene in a world whose origin lies `height` [m] higher."""
    T = np.eye(4)
    T[2, 3] = -height
    return Moved(scene=scene, T_world_scene=T)


def clearance(scene: Scene | None, p: Float[np.ndarray, "*S 3"]) -> Float[np.ndarray, "*S"]:
    """How far points are over what feet can stand on [m]: the ground at z = 0, or the scene's surface if nearer.

    Points inside something, or below the ground, are at 0 or below.
    """
    height = p[..., 2]
    return height if scene is None else np.minimum(height, scene.nearest(p).distance)
