"""What stands in the studio: floor and wall as a lit backdrop, the block with its nail, and the visible tool."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates, zoom

from motion.tool import Tool
from records import Camera
from sim.mesh import Mesh, box, joined, rod

BLOCK = 0.24
"""Width and depth of the block [m]."""
NAIL_LENGTH, NAIL_RADIUS = 0.09, 0.004
"""Of the nail above the block at first [m]; the shaft's radius, its head has three times as much."""
FLOORS = ((0.30, 0.29, 0.27), (0.24, 0.17, 0.11), (0.20, 0.22, 0.23))
WALLS = ((0.50, 0.47, 0.41), (0.34, 0.40, 0.42), (0.46, 0.38, 0.31), (0.55, 0.55, 0.54))
POMMEL = 0.076
"""Diameter of the knob at the end of the handle [m]."""
WOOD = (0.30, 0.19, 0.10)
STEEL, BRIGHT = (0.30, 0.31, 0.33), (0.5, 0.5, 0.5)
DARK, LIGHT = (0.16, 0.010, 0.012), (0.85, 0.72, 0.10)
"""Reflectances, linear RGB."""


class Light(NamedTuple):
    """A sun and a sky."""

    towards: Float[np.ndarray, "3"]
    """Unit vector to the sun."""
    sun: float
    sky: float
    """Brightness of either on a white surface that faces it."""

    def on(self, normals: Float[np.ndarray, "N 3"], sunlit: Float[np.ndarray, "N"]) -> Float[np.ndarray, "N"]:
        """Light on surfaces that the sun reaches by a share."""
        above = 0.5 + 0.5 * normals[:, 2]
        return self.sky * (0.55 + 0.45 * above) + self.sun * sunlit * np.maximum(normals @ self.towards, 0)


class Backdrop(NamedTuple):
    """What is behind everything, for each pixel of an image."""

    colour: Float[np.ndarray, "P 3"]
    """Reflectance."""
    normals: Float[np.ndarray, "P 3"]
    points: Float[np.ndarray, "P 3"]
    """In the world [m]."""
    inverse_depth: Float[np.ndarray, "P"]
    """[1/m]."""


class Setting(NamedTuple):
    """Everything that does not move."""

    light: Light
    backdrop: Backdrop
    block: Mesh


def draw_setting(rng: np.random.Generator, camera: Camera, nail: Float[np.ndarray, "3"]) -> Setting:
    """Draw light, room and block; `camera` is the one that the picture is painted with."""
    block = box((BLOCK, BLOCK, nail[2] - NAIL_LENGTH), 0.02)
    block = block.moved(np.eye(3), np.array([nail[0], nail[1], 0.5 * (nail[2] - NAIL_LENGTH)]))
    grain = 0.85 + 0.3 * _noise(rng, block.vertices[:, [0, 2]] + block.vertices[:, [1, 1]], (0.02, 0.25))
    block.colours[:] = np.array(WOOD) * grain[:, None]
    view = camera.T_world_camera[0, :3, 2]
    azimuth = np.arctan2(-view[1], -view[0]) + rng.uniform(-1.0, 1.0)
    height = np.deg2rad(rng.uniform(40, 65))
    towards = np.array([np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height)])
    light = Light(towards, float(rng.uniform(0.75, 1.0)), float(rng.uniform(0.5, 0.7)))
    return Setting(light, _backdrop(rng, camera), block)


def nail_mesh() -> Mesh:
    """The nail, its top at the origin."""
    shaft = rod(NAIL_LENGTH, np.full(2, NAIL_RADIUS), 8)
    head = rod(0.006, np.full(2, 3 * NAIL_RADIUS), 12)
    mesh = joined([shaft, head])
    mesh.colours[:] = 0.35
    return mesh.moved(np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]), np.zeros(3))


def tool_mesh(tool: Tool) -> Mesh:
    """The tool in its own frame: a wooden handle that ends in a knob, and a head; targets mark its endpoints."""
    handle = rod(tool.length, np.full(40, tool.handle_radius))
    handle.colours[:] = WOOD
    pommel = rod(POMMEL, 0.5 * POMMEL * np.sin(np.linspace(0, np.pi, 15)))
    pommel = pommel.moved(np.eye(3), np.array([-0.5 * POMMEL, 0, 0]))
    head = box(tool.head_size, 0.006)
    head.colours[:] = STEEL
    head.colours[np.abs(head.vertices[:, 2]) > 0.38 * tool.head_size[2]] = BRIGHT
    _mark(pommel, 0.5 * POMMEL, inner=LIGHT, outer=DARK)
    _mark(head, 0.42 * tool.head_size[0], inner=DARK, outer=LIGHT)
    return joined([handle, pommel, head.moved(np.eye(3), tool.p_head)])


def _mark(part: Mesh, radius: float, *, inner: tuple[float, ...], outer: tuple[float, ...]) -> None:
    """Paint a target on both sides: as the tool swings about its y axis, it looks the same."""
    away = np.hypot(part.vertices[:, 0], part.vertices[:, 2]) / radius
    part.colours[away < 1.05] = outer
    part.colours[away < 0.55] = inner


def _backdrop(rng: np.random.Generator, camera: Camera) -> Backdrop:
    """A floor and a wall behind the person, roughly across the view."""
    height, width = camera.size_hw
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(1, -1, 2).astype(float)
    rays, eye = camera.rays(pixels)[0], camera.T_world_camera[0, :3, 3]
    view = camera.T_world_camera[0, :3, 2]
    turn = np.arctan2(-view[1], -view[0]) + rng.uniform(-0.25, 0.25)
    normal = np.array([np.cos(turn), np.sin(turn), 0.0])
    offset = -float(rng.uniform(1.3, 2.4))
    to_wall = (offset - eye @ normal) / np.minimum(rays @ normal, -1e-6)
    to_floor = np.where(rays[:, 2] < -1e-6, -eye[2] / np.minimum(rays[:, 2], -1e-6), np.inf)
    on_floor = to_floor < to_wall
    reach = np.where(on_floor, to_floor, to_wall)
    points = eye + reach[:, None] * rays
    normals = np.where(on_floor[:, None], [0.0, 0.0, 1.0], normal)
    along = points @ np.array([-normal[1], normal[0], 0.0])
    colour = np.empty_like(points)
    colour[~on_floor] = _wall(rng, np.stack([along, points[:, 2]], axis=1)[~on_floor])
    colour[on_floor] = _floor(rng, points[on_floor, :2])
    return Backdrop(colour, normals, points, 1 / (reach * (rays @ view)))


def _floor(rng: np.random.Generator, p: Float[np.ndarray, "P 2"]) -> Float[np.ndarray, "P 3"]:
    """Worn slabs."""
    base = np.array(FLOORS[int(rng.integers(len(FLOORS)))])
    slab = float(rng.uniform(0.5, 0.9))
    joint = np.minimum(*(np.abs((p[:, k] / slab + 0.3) % 1 - 0.5) for k in (0, 1))) * slab
    worn = 0.75 + 0.5 * (0.6 * _noise(rng, p, (0.5, 0.5)) + 0.4 * _noise(rng, p, (0.06, 0.06)))
    return base * (worn * np.where(joint < 0.006, 0.55, 1.0))[:, None]


def _wall(rng: np.random.Generator, p: Float[np.ndarray, "P 2"]) -> Float[np.ndarray, "P 3"]:
    """Plaster over a skirting board, with a few pictures and shelves."""
    base = np.array(WALLS[int(rng.integers(len(WALLS)))])
    stains = 0.88 + 0.24 * (0.7 * _noise(rng, p, (0.9, 0.9)) + 0.3 * _noise(rng, p, (0.08, 0.08)))
    colour = base * stains[:, None]
    for _ in range(3):
        centre = np.array([rng.uniform(-2.5, 2.5), rng.uniform(1.0, 2.0)])
        half = rng.uniform(0.15, 0.45, 2)
        inside = (np.abs(p - centre) < half).all(axis=1)
        frame = inside & (np.abs(p - centre) > half - 0.03).any(axis=1)
        colour[inside] = rng.uniform(0.08, 0.5, 3) * (0.6 + 0.8 * _noise(rng, p[inside], (0.15, 0.15)))[:, None]
        colour[frame] = 0.08
    colour[p[:, 1] < 0.10] = 0.6 * base
    return colour


def _noise(rng: np.random.Generator, p: Float[np.ndarray, "P 2"], scale: tuple[float, float]) -> Float[np.ndarray, "P"]:
    """Smooth noise in [0, 1] with features of the given size [m] along both axes."""
    grid = zoom(rng.uniform(0, 1, (32, 32)), 2, order=1, mode="grid-wrap", grid_mode=True)
    return np.asarray(map_coordinates(grid, 2 * (p / scale).T, order=1, mode="grid-wrap"))
