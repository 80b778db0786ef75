"""Pictures of the studio: backdrop and meshes, lit, with a soft cast shadow, antialiased, with a camera's noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_matrix

from records import Camera
from sim.mesh import Mesh
from sim.raster import rasterise
from sim.studio_scene import Setting

SUPERSAMPLING = 2
"""Samples per pixel along each axis."""
GAMMA = 2.2
NOISE = 1.5
"""Standard deviation of a sensor's noise [gray levels of 255]."""
SHADOW_EXTENT, SHADOW_CELL = 5.0, 0.02
"""Width of the square about the middle in which shadows are cast, and of its cells [m]."""
SHADOW_BLUR = 1.2
"""Softness of the shadow's edge [cells]."""
BACKGROUND = -1
_SHADOW_CELLS = round(SHADOW_EXTENT / SHADOW_CELL)


class Picture(NamedTuple):
    """An image and what is seen in it."""

    image: UInt8[np.ndarray, "H W 3"]
    """RGB."""
    face: Int[np.ndarray, "H W"]
    """Face of the mesh that is seen at each pixel's upper left sample, -1 for the rest."""


class Painter:
    """Paints meshes before one backdrop from one camera."""

    def __init__(self, camera: Camera, setting: Setting, middle: Float[np.ndarray, "3"]) -> None:
        """`setting` has been drawn for `fine_camera(camera)`; shadows fall about `middle` [m]."""
        self._camera, self._setting = fine_camera(camera), setting
        light, back = setting.light, setting.backdrop
        self._axes = _across(light.towards)
        self._middle = middle
        empty = np.zeros(len(back.inverse_depth))
        self._shade = light.on(back.normals, empty)
        self._sun = light.on(back.normals, empty + 1) - self._shade
        self._near = back.inverse_depth.copy()
        self._image = (back.colour * self._shade[:, None]).astype(np.float32)
        self._lit = (back.colour * self._sun[:, None]).astype(np.float32)
        self._draw(setting.block, self._image, self._lit)
        self._image += self._lit
        cells = self._shadow_cells(back.points)
        within = (cells.min(axis=1) > 0) & (cells.max(axis=1) < _SHADOW_CELLS - 1)
        self._shaded = np.flatnonzero(within & (self._near == back.inverse_depth))
        self._spread = _bilinear(cells[self._shaded], _SHADOW_CELLS)

    def paint(self, mesh: Mesh, rng: np.random.Generator) -> Picture:
        """Paint a frame."""
        shadow = self._shadow(mesh)
        dark = np.flatnonzero(shadow > 1 / 255)
        image = self._image.copy()
        image[self._shaded[dark]] -= self._lit[self._shaded[dark]] * shadow[dark, None]
        fragments = rasterise(*self._projected(mesh), mesh.faces, self._camera.size_hw, self._near)
        image[fragments.pixel] = self._shaded_fragments(mesh, fragments.face, fragments.weight)
        face = np.full(len(image), BACKGROUND)
        face[fragments.pixel] = fragments.face
        fine = image.reshape(*self._camera.size_hw, 3)
        samples = range(SUPERSAMPLING)
        total = sum(fine[i::SUPERSAMPLING, j::SUPERSAMPLING] for i in samples for j in samples)
        exposed = 255 * np.clip(total / SUPERSAMPLING**2, 0, 1) ** np.float32(1 / GAMMA)
        noisy = exposed + NOISE * rng.standard_normal(exposed.shape, np.float32)
        face = face.reshape(self._camera.size_hw)[::SUPERSAMPLING, ::SUPERSAMPLING]
        return Picture(np.clip(np.round(noisy), 0, 255).astype(np.uint8), face)

    def _draw(self, mesh: Mesh, shade: np.ndarray, lit: np.ndarray) -> None:
        """Draw what stands still into the backdrop."""
        fragments = rasterise(*self._projected(mesh), mesh.faces, self._camera.size_hw, self._near)
        shade[fragments.pixel] = self._shaded_fragments(mesh, fragments.face, fragments.weight)
        lit[fragments.pixel] = 0
        self._near[fragments.pixel] = fragments.inverse_depth

    def _projected(self, mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
        return self._camera.project(mesh.vertices[None])[0], self._camera.depth(mesh.vertices[None])[0]

    def _shaded_fragments(self, mesh: Mesh, face: np.ndarray, weight: np.ndarray) -> np.ndarray:
        corners = mesh.faces[face]
        light = self._setting.light.on(mesh.normals, np.ones(len(mesh.normals)))
        lit = (mesh.colours * light[:, None]).astype(np.float32)
        return np.einsum("nk,nkc->nc", weight.astype(np.float32), lit[corners])

    def _shadow(self, mesh: Mesh) -> Float[np.ndarray, "S"]:
        """Share of the sun that does not reach each shaded pixel."""
        size = (_SHADOW_CELLS, _SHADOW_CELLS)
        cells = self._shadow_cells(mesh.vertices)
        covered = rasterise(cells, np.ones(len(cells)), mesh.faces, size, np.zeros(_SHADOW_CELLS**2))
        mask = np.zeros(_SHADOW_CELLS**2, np.float32)
        mask[covered.pixel] = 1
        return np.asarray(self._spread @ gaussian_filter(mask.reshape(size), SHADOW_BLUR).ravel())

    def _shadow_cells(self, points: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 2"]:
        """Where points lie seen from the sun [cells]."""
        return ((points - self._middle) @ self._axes + 0.5 * SHADOW_EXTENT) / SHADOW_CELL


def fine_camera(camera: Camera) -> Camera:
    """The same camera with `SUPERSAMPLING` samples along each axis of a pixel."""
    K = camera.K.copy()
    # Pixel centres are at whole numbers: pixel u covers samples around SUPERSAMPLING * (u + 0.5) - 0.5.
    K[:2, 2] += 0.5
    K[:2] *= SUPERSAMPLING
    K[:2, 2] -= 0.5
    height, width = camera.size_hw
    return camera.replace(K=K, size_hw=(SUPERSAMPLING * height, SUPERSAMPLING * width))


def _bilinear(places: Float[np.ndarray, "N 2"], size: int) -> csr_matrix:
    """Matrix that interpolates a square grid of `size` cells a side at places (x, y) inside it."""
    cell = places.astype(np.int64)
    share = places - cell
    rows, columns, weights = [], [], []
    for i, j in np.ndindex(2, 2):
        rows.append(np.arange(len(places)))
        columns.append((cell[:, 1] + i) * size + cell[:, 0] + j)
        weights.append((share[:, 1] if i else 1 - share[:, 1]) * (share[:, 0] if j else 1 - share[:, 0]))
    entries = np.concatenate(weights).astype(np.float32)
    return csr_matrix((entries, (np.concatenate(rows), np.concatenate(columns))), shape=(len(places), size * size))


def _across(towards: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 2"]:
    """Two axes across the light, so that front faces are those that the sun sees."""
    x = np.cross(towards, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(x, towards)], axis=1)
