"""Meshes, skinning and rasteriser against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motion.body import build_body
from records import Camera
from sim.flesh import Flesh, Limb
from sim.isosurface import surface_nets
from sim.mesh import Mesh, box, joined, rod
from sim.raster import rasterise
from sim.studio_body import draw_look, dress, rest_joints
from sim.studio_painter import fine_camera


def volume(mesh: Mesh) -> float:
    """Signed volume [m^3]: positive where faces run counter-clockwise seen from outside."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6)


def test_surface_nets_of_a_ball_have_its_volume_and_lie_on_it() -> None:
    radius, spacing = 0.5, 0.04
    axis = np.arange(-0.7, 0.7, spacing)
    field = np.sqrt(sum(g**2 for g in np.meshgrid(axis, axis, axis, indexing="ij"))) - radius
    vertices, faces = surface_nets(field, np.full(3, axis[0]), spacing)
    assert volume(Mesh(vertices, vertices, faces, vertices)) == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.02)
    assert np.abs(np.linalg.norm(vertices, axis=1) - radius).max() < 0.1 * spacing
    # Every edge belongs to two faces that run along it in opposite directions: the surface is closed.
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert {tuple(e) for e in edges} == {tuple(e) for e in edges[:, ::-1]}


def test_solids_have_their_volumes() -> None:
    assert volume(box((0.1, 0.2, 0.3), 0.02)) == pytest.approx(0.006, rel=1e-9)
    assert volume(rod(0.4, np.full(2, 0.05), 64)) == pytest.approx(np.pi * 0.05**2 * 0.4, rel=0.01)
    assert volume(joined([box((1, 1, 1), 0.5), rod(1.0, np.ones(2), 64)])) == pytest.approx(1 + np.pi, rel=0.01)


def test_a_limb_is_a_capsule() -> None:
    limb = Limb(0, np.zeros(3), np.array([0.3, 0, 0]), 0.05, 0.05)
    skin = Flesh((limb,), 0.01, 0.01).skin(np.zeros((1, 3)))
    assert volume(skin.mesh) == pytest.approx(np.pi * 0.05**2 * (0.3 + 4 / 3 * 0.05), rel=0.03)
    nearest = np.clip(skin.mesh.vertices @ [1, 0, 0], 0, 0.3)[:, None] * [1, 0, 0]
    outward = skin.mesh.vertices - nearest
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    assert np.einsum("vi,vi->v", outward, skin.mesh.normals).min() > 0.99


def test_a_dressed_body_moves_rigidly_with_its_root_and_keeps_its_size() -> None:
    body = build_body(height=1.8, mass=75.0)
    person = dress(body, draw_look(np.random.default_rng(0), body), "r")
    assert person.weights.sum(axis=1) == pytest.approx(1)
    turn = Rotation.from_rotvec([0.3, -0.5, 1.0]).as_matrix()
    rest = rest_joints(body)
    posed = person.posed(np.broadcast_to(turn, (24, 3, 3)), rest @ turn.T + [1.0, 2.0, 3.0])
    assert posed.vertices == pytest.approx(person.mesh.vertices @ turn.T + [1.0, 2.0, 3.0])
    assert np.ptp(person.mesh.vertices[:, 1]) == pytest.approx(1.8, abs=0.06)
    # Clothes and shoes add to the 75 l of the body, and parts overlap under the clothes.
    assert 0.065 < volume(person.mesh) < 0.115


def test_rasteriser_shows_the_nearer_face_once_per_pixel_with_perspective() -> None:
    K = np.array([[100.0, 0, 50], [0, 100.0, 40], [0, 0, 1]])
    camera = Camera(K=K, T_world_camera=np.eye(4)[None], size_hw=(80, 100))
    corners = np.array([[-1.0, -1, 2], [1, -1, 4], [1, 1, 4], [-1, 1, 2]])
    vertices = np.concatenate([corners, corners * 1.5])
    quad = np.array([[0, 2, 1], [0, 3, 2]])
    faces = np.concatenate([quad, quad + 4])
    uv, depth = camera.project(vertices[None])[0], camera.depth(vertices[None])[0]
    seen = rasterise(uv, depth, faces, (80, 100), np.zeros(8000))
    assert len(np.unique(seen.pixel)) == len(seen.pixel)
    assert seen.face.max() < 2
    assert seen.weight.sum(axis=1) == pytest.approx(1, abs=1e-5)
    point = np.einsum("nk,nkc->nc", seen.weight, vertices[faces[seen.face]])
    assert camera.project(point[None])[0] == pytest.approx(np.stack([seen.pixel % 100, seen.pixel // 100], 1), abs=0.01)
    assert not len(rasterise(uv, depth, faces[:, ::-1], (80, 100), np.zeros(8000)).pixel)
    assert not len(rasterise(uv, depth, faces, (80, 100), np.full(8000, 1.0)).pixel)


def test_fine_camera_has_its_samples_inside_the_pixels() -> None:
    K = np.array([[100.0, 0, 50], [0, 110.0, 40], [0, 0, 1]])
    camera = Camera(K=K, T_world_camera=np.eye(4)[None], size_hw=(80, 100))
    points = np.random.default_rng(0).uniform([-1, -1, 3], [1, 1, 4], (1, 20, 3))
    fine = fine_camera(camera).project(points)
    assert fine == pytest.approx(2 * camera.project(points) + 0.5)
