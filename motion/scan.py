"""Scanned surroundings: meshes and point clouds of files, by open3d.

Distances from a mesh are those of `open3d.t.geometry.RaycastingScene`: signed by its inside where it is closed, else by
the side of the nearest face. A point of a cloud stands for a small disc across its normal.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import KDTree

from motion.scene import Nearest, Scene

MESHES = (".ply", ".obj", ".stl", ".off", ".gltf", ".glb")
CLOUDS = (".ply", ".pcd", ".xyz", ".xyzn", ".pts")
"""Kinds of files; a .ply without faces is a cloud."""

FLAT = 1e-4
"""Distance below which the direction to the nearest point is noise in single precision [m]: the normal counts."""

FACING = 0.7
"""Cosine between a face's normal and the direction to a point behind it from which the point is inside: others are
beside the edge of an open surface."""

NEIGHBOURS = 16
"""Points that a normal is fitted to."""

GAPS = 4.0
"""Radius of the disc of a point over the median distance between neighbours: of points strewn at random over a surface
such discs leave 1 in 50,000 places uncovered (a Poisson process: exp(-pi (4 x 0.47)^2))."""

LARGEST = 100.0
"""Extent from which a scene is taken not to be in metres [m]."""


class SceneError(ValueError):
    """A scene cannot be read, or is of no use."""


Up = Literal["z", "y", "-y"]
R_WORLD_UP: dict[str, Float[np.ndarray, "3 3"]] = {
    "z": np.eye(3),
    "y": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "-y": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
}
"""From the axes of a file, by where up is, to z up: x stays."""


@dataclass(frozen=True)
class Mesh:
    """Triangles, held by open3d."""

    raycasting: Any
    closed: bool
    """Whether it has an inside."""

    def nearest(self, p: Float[np.ndarray, "*S 3"]) -> Nearest:
        """From the nearest point of the nearest triangle."""
        flat = np.ascontiguousarray(p.reshape(-1, 3), dtype=np.float32)
        found = self.raycasting.compute_closest_points(flat)
        apart = p.reshape(-1, 3) - found["points"].numpy().astype(float)
        normal = found["primitive_normals"].numpy().astype(float)
        length = np.linalg.norm(apart, axis=1)
        side = (apart * normal).sum(axis=1)
        inside = self.raycasting.compute_occupancy(flat).numpy() > 0 if self.closed else side < -FACING * length
        sign = np.where(inside, -1.0, 1.0)
        away = sign[:, None] * apart / np.maximum(length, FLAT)[:, None]
        near = length < FLAT
        distance = np.where(near, side, sign * length)
        gradient = np.where(near[:, None], normal, away)
        return Nearest(distance.reshape(p.shape[:-1]), gradient.reshape(p.shape))


@dataclass(frozen=True)
class Cloud:
    """Points with normals."""

    points: Float[np.ndarray, "M 3"]
    normals: Float[np.ndarray, "M 3"]
    signed: bool
    """Whether the normals point into free space; else every place is free."""
    radius: float
    """Of the disc that each point stands for [m]."""
    tree: KDTree = field(repr=False)

    def nearest(self, p: Float[np.ndarray, "*S 3"]) -> Nearest:
        """From the disc of the nearest point: over it the height, beside it the distance from its rim."""
        flat = p.reshape(-1, 3)
        _, index = self.tree.query(flat)
        apart, normal = flat - self.points[index], self.normals[index]
        height = (apart * normal).sum(axis=1)
        level = apart - height[:, None] * normal
        reach = np.linalg.norm(level, axis=1)
        beyond = np.maximum(reach - self.radius, 0.0)
        if not self.signed:
            normal = np.where(height < 0, -1.0, 1.0)[:, None] * normal
            height = np.abs(height)
        beside = beyond > 0
        away = height[:, None] * normal + (beyond / np.maximum(reach, 1e-12))[:, None] * level
        length = np.hypot(height, beyond)
        gradient = np.where(beside[:, None], away / np.maximum(length, 1e-12)[:, None], normal)
        distance = np.where(beside, length, height)
        return Nearest(distance.reshape(p.shape[:-1]), gradient.reshape(p.shape))


class Shape(NamedTuple):
    """What a file holds, in the world."""

    points: Float[np.ndarray, "M 3"]
    """Corners of the mesh, or points of the cloud [m]."""
    faces: Int[np.ndarray, "F 3"]
    """Triangles; none of a cloud."""


def load_scene(
    path: Path | str,
    *,
    up: Up = "z",
    T_world_scene: Float[np.ndarray, "4 4"] | None = None,
    seen_from: Float[np.ndarray, "3"] | None = None,
) -> Scene:
    """Read a mesh or a point cloud in metres.

    Args:
        path: .ply, .obj, .stl, .off, .gltf, .glb with faces, or a cloud: .ply, .pcd, .xyz, .xyzn, .pts. The corners of
            the faces of an open mesh go counter-clockwise as seen from free space.
        up: the axis of the file that points up; it is turned to z first.
        T_world_scene: then moves it into the world; a uniform scale is allowed, for files in other units.
        seen_from: the place that all points of a cloud were seen from [m], world: it tells which side of them is free
            where the file has no normals. Without either, a cloud has no inside.

    Raises:
        SceneError: open3d is not installed, no such file, not a mesh or cloud, empty, or not a similarity.
    """
    o3d, held = _read(Path(path), up, T_world_scene)
    return _mesh(o3d, held) if hasattr(held, "triangles") else _cloud(o3d, Path(path), held, seen_from)


def read_shape(path: Path | str, *, up: Up = "z", T_world_scene: Float[np.ndarray, "4 4"] | None = None) -> Shape:
    """Read the same to look at it; arguments and errors as of `load_scene`."""
    _, held = _read(Path(path), up, T_world_scene)
    if hasattr(held, "triangles"):
        return Shape(np.array(held.vertices), np.array(held.triangles, dtype=int))
    return Shape(np.array(held.points), np.zeros((0, 3), int))


def _read(path: Path, up: Up, T_world_scene: np.ndarray | None) -> tuple[Any, Any]:
    """The package open3d, and its mesh or cloud in the world."""
    if not path.is_file():
        raise SceneError(f"{path}: no such file; expected a mesh or a point cloud")
    if path.suffix.lower() not in (*MESHES, *CLOUDS):
        known = ", ".join(dict.fromkeys((*MESHES, *CLOUDS)))
        raise SceneError(f"{path}: not a scene file; expected one of {known}")
    o3d = _open3d()
    T = np.eye(4)
    T[:3, :3] = R_WORLD_UP[up]
    if T_world_scene is not None:
        _check_similarity(T_world_scene)
        T = np.asarray(T_world_scene, float) @ T
    with o3d.utility.VerbosityContextManager(o3d.utility.VerbosityLevel.Error):
        held = o3d.io.read_triangle_mesh(str(path)) if path.suffix.lower() in MESHES else None
        if held is None or not len(held.triangles):
            held = o3d.io.read_point_cloud(str(path)) if path.suffix.lower() in CLOUDS else None
    points = np.asarray(getattr(held, "vertices", getattr(held, "points", ())))
    if held is None or not len(points):
        raise SceneError(f"{path}: neither faces nor points; make the file again")
    held.transform(T)
    _check_size(path, points)
    return o3d, held


def read_transform(path: Path | str) -> Float[np.ndarray, "4 4"]:
    """Read a 4 x 4 matrix of 16 numbers in text, row by row, T_world_scene.

    Raises:
        SceneError: missing, or not that.
    """
    try:
        T = np.array(Path(path).read_text().replace(",", " ").split(), float).reshape(4, 4)
    except (OSError, ValueError) as error:
        raise SceneError(f"{path}: expected 16 numbers, a 4 x 4 matrix row by row ({error})") from error
    _check_similarity(T)
    return T


def _open3d() -> Any:
    try:
        _bring_libusb()
        import open3d
    except (ImportError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SceneError(f"scenes are read by open3d: pip install 'apprentice[scene]' ({reason})") from error
    return open3d


def _bring_libusb() -> None:
    """Load libusb, which open3d is linked to for cameras that nobody here has, from its own package.

    Small machines do not have the library; where it is loaded already the linker looks no further.
    """
    import libusb_package

    ctypes.CDLL(str(libusb_package.get_library_path()), mode=ctypes.RTLD_GLOBAL)


def _mesh(o3d: Any, mesh: Any) -> Mesh:
    # Scans and STL files repeat their corners; without one corner for all faces no mesh is closed.
    mesh.remove_duplicated_vertices()
    raycasting = o3d.t.geometry.RaycastingScene()
    raycasting.add_triangles(o3d.t.geometry.TriangleMesh.from_legacy(mesh))
    return Mesh(raycasting, bool(mesh.is_watertight()))


def _cloud(o3d: Any, path: Path, cloud: Any, seen_from: np.ndarray | None) -> Cloud:
    points = np.asarray(cloud.points)
    if len(points) < NEIGHBOURS or not np.isfinite(points).all():
        raise SceneError(f"{path}: {len(points)} points, not all of them finite or too few; at least {NEIGHBOURS}")
    signed = cloud.has_normals() or seen_from is not None
    if not cloud.has_normals():
        cloud.estimate_normals(o3d.geometry.KDTreeSearchParamKNN(NEIGHBOURS))
        if seen_from is not None:
            cloud.orient_normals_towards_camera_location(np.asarray(seen_from, float))
    cloud.normalize_normals()
    tree = KDTree(points)
    apart, _ = tree.query(points[:: max(1, len(points) // 1000)], k=2)
    radius = float(GAPS * np.median(apart[:, 1]))
    return Cloud(points.copy(), np.asarray(cloud.normals).copy(), signed, radius, tree)


def _check_similarity(T: np.ndarray) -> None:
    T = np.asarray(T, float)
    fine = T.shape == (4, 4) and bool(np.isfinite(T).all()) and np.allclose(T[3], [0, 0, 0, 1])
    scale = np.cbrt(np.linalg.det(T[:3, :3])) if fine else 0.0
    if not scale > 0 or not np.allclose(T[:3, :3] @ T[:3, :3].T, scale**2 * np.eye(3), atol=1e-4 * scale**2):
        raise SceneError("T_world_scene is not a rotation, a uniform scale and a translation with last row 0 0 0 1")


def _check_size(path: Path, p: np.ndarray) -> None:
    extent = float(np.ptp(p, axis=0).max()) if np.isfinite(p).all() else np.inf
    if extent > LARGEST:
        raise SceneError(f"{path}: {extent:.0f} m across; scale it to metres with a 4 x 4 transform")
