"""Distances from surroundings: simple shapes in closed form, scans against the same shapes, and what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motion.scan import SceneError, load_scene, read_transform
from motion.scene import Box, Moved, Plane, Together, clearance, lowered
from motion.skeleton import SITES

BOX = Box(lower=(-0.2, 0.1, 0.0), upper=(0.6, 1.3, 0.4))
CORNERS = np.array([[x, y, z] for x in (-0.2, 0.6) for y in (0.1, 1.3) for z in (0.0, 0.4)])
FACES = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
         [1, 5, 7], [1, 7, 3]]  # fmt: skip
"""Triangles of the box, counter-clockwise from outside; the last two are its top."""


def points(count=400, seed=0):
    return np.random.default_rng(seed).uniform([-1, -1, -0.6], [1.5, 2, 1.2], (count, 3))


def off(path, corners, faces):
    rows = [f"{len(corners)} {len(faces)} 0", *(" ".join(map(str, c)) for c in corners)]
    path.write_text("\n".join(["OFF", *rows, *(f"3 {a} {b} {c}" for a, b, c in faces)]) + "\n")
    return path


def ply_cloud(path, p, normals=None):
    columns = p if normals is None else np.hstack([p, normals])
    names = ("x", "y", "z", "nx", "ny", "nz")[: columns.shape[1]]
    head = [
        "ply",
        "format ascii 1.0",
        f"element vertex {len(p)}",
        *(f"property double {n}" for n in names),
        "end_header",
    ]
    path.write_text("\n".join([*head, *(" ".join(f"{v:.6f}" for v in row) for row in columns)]) + "\n")
    return path


def test_a_plane_and_a_box_in_closed_form():
    wall = Plane(normal=(0.0, 2.0, 0.0), offset=1.0)
    np.testing.assert_allclose(wall.nearest(np.array([[5.0, 1.5, 0], [0, 0, 9.0]])).distance, [0.5, -1])
    p = np.array([[0.2, 0.7, 0.5], [0.2, 0.7, 0.35], [0.6 + 0.3, 0.7, 0.4 + 0.4], [0.55, 0.7, 0.2]])
    distance, gradient = BOX.nearest(p)
    np.testing.assert_allclose(distance, [0.1, -0.05, 0.5, -0.05], atol=1e-12)
    np.testing.assert_allclose(gradient, [[0, 0, 1], [0, 0, 1], [0.6, 0, 0.8], [1, 0, 0]], atol=1e-12)


@given(st.integers(0, 10_000), st.floats(-3, 3))
def test_gradients_are_derivatives_and_have_unit_length(seed, angle):
    T = np.eye(4)
    T[:2, :2], T[:3, 3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], [0.1, -0.2, 0.3]
    scene = Moved(
        scene=Together((BOX, Plane(offset=-0.3), Plane(normal=(1.0, 1.0, 0.0), offset=-1.0))), T_world_scene=T
    )
    p = points(1, seed)
    found, h = scene.nearest(p), 1e-6
    steps = h * np.eye(3)
    behind, ahead = (np.array([scene.nearest(p + s * e).distance[0] for e in steps]) for s in (-1, 1))
    assert np.linalg.norm(found.gradient) == pytest.approx(1)
    kinked = np.abs(ahead - 2 * found.distance + behind) > 1e-9
    np.testing.assert_allclose(((ahead - behind) / (2 * h))[~kinked], found.gradient[0][~kinked], atol=1e-5)


def test_feet_are_clear_of_the_ground_or_of_the_scene_whichever_is_nearer():
    p = np.array([[0.2, 0.7, 0.45], [3.0, 0.7, 0.45]])
    np.testing.assert_allclose(clearance(None, p), [0.45, 0.45])
    np.testing.assert_allclose(clearance(BOX, p), [0.05, 0.45])
    np.testing.assert_allclose(lowered(BOX, 0.1).nearest(p - [0, 0, 0.1]).distance, BOX.nearest(p).distance)


def test_a_closed_mesh_is_the_box(tmp_path):
    mesh = load_scene(off(tmp_path / "box.off", CORNERS, FACES))
    p = points()
    found, expected = mesh.nearest(p.reshape(20, 20, 3)), BOX.nearest(p)
    np.testing.assert_allclose(found.distance.ravel(), expected.distance, atol=1e-6)
    away = np.abs(expected.distance) > 1e-3
    differ = np.linalg.norm(found.gradient.reshape(-1, 3) - expected.gradient, axis=1)[away]
    assert np.mean(differ < 1e-4) > 0.99, "all but those at equal distances from two faces"
    h = 1e-3
    numeric = np.stack(
        [(mesh.nearest(p + e).distance - mesh.nearest(p - e).distance) / (2 * h) for e in h * np.eye(3)], 1
    )
    error = np.abs(numeric - found.gradient.reshape(-1, 3)).max(axis=1)
    assert np.mean(error < 1e-3) > 0.95, "all but those near a kink"


def test_on_the_surface_itself_the_normal_counts(tmp_path):
    mesh = load_scene(off(tmp_path / "box.off", CORNERS, FACES))
    found = mesh.nearest(np.array([[0.2, 0.7, 0.4], [0.6, 0.5, 0.2]]))
    np.testing.assert_allclose(found.distance, 0, atol=1e-6)
    np.testing.assert_allclose(found.gradient, [[0, 0, 1], [1, 0, 0]], atol=1e-6)


def test_units_and_axes_of_a_file(tmp_path):
    """The same box in millimetres with y up."""
    turned = 1000 * CORNERS @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    transform = tmp_path / "T.txt"
    transform.write_text("\n".join(" ".join(map(str, row)) for row in np.diag([1e-3, 1e-3, 1e-3, 1])))
    path = off(tmp_path / "box.off", turned, FACES)
    mesh = load_scene(path, up="y", T_world_scene=read_transform(transform))
    np.testing.assert_allclose(mesh.nearest(points()).distance, BOX.nearest(points()).distance, atol=1e-6)
    with pytest.raises(SceneError, match=r"1200 m across; scale it to metres with a 4 x 4 transform"):
        load_scene(path, up="y")


def test_an_open_mesh_has_an_inside_behind_its_faces_only(tmp_path):
    table = load_scene(off(tmp_path / "top.off", CORNERS, FACES[-2:]))
    over, under, beside = table.nearest(np.array([[0.2, 0.7, 0.5], [0.2, 0.7, 0.3], [0.9, 0.7, 0.39]])).distance
    assert over == pytest.approx(0.1, abs=1e-6)
    assert under == pytest.approx(-0.1, abs=1e-6)
    assert beside == pytest.approx(np.hypot(0.3, 0.01), abs=1e-6)


@pytest.fixture
def floor():
    rng = np.random.default_rng(3)
    return np.hstack([rng.uniform(-1, 1, (4000, 2)), 0.002 * rng.standard_normal((4000, 1))])


@pytest.mark.parametrize("told", ["by the file", "by the camera", "not"])
def test_a_cloud_is_the_floor_that_it_was_sampled_from(tmp_path, floor, told):
    normals = np.tile([0.0, 0, 1], (len(floor), 1)) if told == "by the file" else None
    seen_from = np.array([0.0, -3.0, 1.5]) if told == "by the camera" else None
    cloud = load_scene(ply_cloud(tmp_path / "floor.ply", floor, normals), seen_from=seen_from)
    p = np.random.default_rng(4).uniform([-0.8, -0.8, -0.3], [0.8, 0.8, 0.5], (500, 3))
    found = cloud.nearest(p)
    expected = p[:, 2] if told != "not" else np.abs(p[:, 2])
    assert np.quantile(np.abs(found.distance - expected), 0.95) < 0.03
    up = np.where((p[:, 2] < 0) & (told == "not"), -1.0, 1.0)
    assert np.quantile(np.abs(found.gradient[:, 2] - up), 0.9) < 0.1
    step = 1e-6 * np.array([0, 0, 1.0])
    slope = (cloud.nearest(p + step).distance - cloud.nearest(p - step).distance) / 2e-6
    assert np.mean(np.abs(slope - found.gradient[:, 2]) < 1e-4) > 0.95
    beside = cloud.nearest(np.array([[1.5, 0.0, 0.0]])).distance[0]
    assert beside == pytest.approx(0.5, abs=0.08)


def test_what_is_no_scene_is_refused_in_one_line(tmp_path, monkeypatch):
    with pytest.raises(SceneError, match=r"gone\.ply: no such file"):
        load_scene(tmp_path / "gone.ply")
    text = tmp_path / "scene.txt"
    text.write_text("nothing")
    with pytest.raises(SceneError, match=r"not a scene file; expected one of \.ply, \.obj"):
        load_scene(text)
    for name in ("empty.ply", "empty.obj", "empty.xyz"):
        (tmp_path / name).write_text("nothing\n")
        with pytest.raises(SceneError, match="neither faces nor points"):
            load_scene(tmp_path / name)
    (tmp_path / "few.xyz").write_text("0 0 0\n1 0 0\n")
    with pytest.raises(SceneError, match="2 points, not all of them finite or too few"):
        load_scene(tmp_path / "few.xyz")
    with pytest.raises(SceneError, match="expected 16 numbers"):
        read_transform(text)
    text.write_text(" ".join(["1"] * 16))
    with pytest.raises(SceneError, match="not a rotation, a uniform scale and a translation"):
        read_transform(text)
    box = off(tmp_path / "box.off", CORNERS, FACES)
    monkeypatch.setitem(sys.modules, "open3d", None)
    with pytest.raises(SceneError, match=r"pip install 'apprentice\[scene\]'"):
        load_scene(box)


def test_points_that_must_be_outside_are_sites():
    from motion.residuals.surface import OUTSIDE

    assert set(OUTSIDE) <= set(SITES)
