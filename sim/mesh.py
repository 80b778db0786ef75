"""Coloured triangle meshes, rigid or bound to a skeleton, and simple solids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Mesh(NamedTuple):
    """Triangles with colours; counter-clockwise from outside."""

    vertices: Float[np.ndarray, "V 3"]
    """[m]."""
    normals: Float[np.ndarray, "V 3"]
    """Unit, outward."""
    faces: Int[np.ndarray, "F 3"]
    colours: Float[np.ndarray, "V 3"]
    """Reflectance in [0, 1], linear RGB."""

    def moved(self, R: Float[np.ndarray, "3 3"], p: Float[np.ndarray, "3"]) -> Mesh:
        """The mesh turned by R, then moved by p [m]."""
        return self._replace(vertices=self.vertices @ R.T + p, normals=self.normals @ R.T)


class SkinnedMesh(NamedTuple):
    """A mesh in a rest pose whose vertices follow joints: linear blend skinning."""

    mesh: Mesh
    weights: Float[np.ndarray, "V J"]
    """Share of each joint; rows sum to 1."""
    rest: Float[np.ndarray, "J 3"]
    """Joint positions in the rest pose [m], where all joint frames have the mesh's axes."""

    def posed(self, R: Float[np.ndarray, "J 3 3"], p: Float[np.ndarray, "J 3"]) -> Mesh:
        """The mesh with its joints at rotations R and positions p [m]."""
        moved = np.concatenate([R, (p - np.einsum("jab,jb->ja", R, self.rest))[..., None]], axis=2)
        blended = (self.weights @ moved.reshape(len(moved), 12)).reshape(-1, 3, 4)
        vertices = np.einsum("vab,vb->va", blended[..., :3], self.mesh.vertices) + blended[..., 3]
        normals = np.einsum("vab,vb->va", blended[..., :3], self.mesh.normals)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        return self.mesh._replace(vertices=vertices, normals=normals)


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """All meshes as one."""
    start = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.faces + first for mesh, first in zip(meshes, start, strict=False)]),
        np.concatenate([mesh.colours for mesh in meshes]),
    )


def joined_skins(skins: Sequence[SkinnedMesh]) -> SkinnedMesh:
    """Meshes on the same skeleton as one."""
    weights = np.concatenate([skin.weights for skin in skins])
    return SkinnedMesh(joined([skin.mesh for skin in skins]), weights, skins[0].rest)


def box(size: Sequence[float], spacing: float) -> Mesh:
    """A box around the origin [m], its sides cut into squares of about `spacing` [m], white."""
    parts = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for side in (1.0, -1.0):
            counts = [max(2, round(size[k] / spacing) + 1) for k in (u, v)]
            grid = np.meshgrid(*(np.linspace(-0.5, 0.5, n) for n in counts), indexing="ij")
            vertices = np.zeros((grid[0].size, 3))
            vertices[:, axis] = 0.5 * side * size[axis]
            vertices[:, u], vertices[:, v] = size[u] * grid[0].ravel(), size[v] * grid[1].ravel()
            normals = np.zeros_like(vertices)
            normals[:, axis] = side
            parts.append(Mesh(vertices, normals, _grid_faces(*counts, outward=side > 0), np.ones_like(vertices)))
    return joined(parts)


def rod(length: float, radius: Float[np.ndarray, "N"], sectors: int = 16) -> Mesh:
    """A solid of revolution about x from 0 to `length` [m] with radii [m] at evenly spaced sections, capped, white."""
    x = np.r_[0.0, np.linspace(0, length, len(radius)), length]
    r = np.r_[0.0, radius, 0.0]
    angle = np.linspace(0, 2 * np.pi, sectors + 1)
    around = np.stack([np.zeros_like(angle), np.cos(angle), np.sin(angle)], axis=1)
    vertices = np.zeros((len(x), len(angle), 3))
    vertices[..., 0] = x[:, None]
    vertices += r[:, None, None] * around
    slope = np.gradient(r, np.maximum.accumulate(x + 1e-6 * np.arange(len(x))))
    normals = around - np.clip(slope, -1e3, 1e3)[:, None, None] * [1.0, 0, 0]
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    faces = _grid_faces(len(x), len(angle), outward=False)
    return Mesh(vertices.reshape(-1, 3), normals.reshape(-1, 3), faces, np.ones((vertices.size // 3, 3)))


def _grid_faces(rows: int, columns: int, *, outward: bool) -> np.ndarray:
    """Triangles of a grid of vertices, row by row, counter-clockwise about row x column direction when `outward`."""
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    quads = np.stack([first, first + columns, first + columns + 1, first + 1], axis=1)
    quads = quads if outward else quads[:, ::-1]
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
