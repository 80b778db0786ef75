"""`apprentice estimate --motion FILE`: every format from its published layout to ground, contacts and forces."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import CAMERA_AXES, bending, joblib_dumper
from published import amass, gvhmr, phalp, prompthmr, tram, wham
from published_markers import c3d, laboratory, mot, trc
from rerun.chunk import RrdReader

from apprentice.cli import main
from apprentice.findings import gather
from apprentice.surroundings import of_run
from apprentice.view import write_scene
from motion.body import body_of
from motion.importers import IMPORTERS, Track, import_motion
from motion.skeleton import SOLE_SITES
from records import Interaction, Keypoints, Run

Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""From our world to OpenSim's."""
MASS = 64.0


def markers(folder):
    """Names and places of a laboratory's markers on the same person."""
    (track,) = import_motion(amass(bending(), folder / "person.npz"), height=1.70)
    assert isinstance(track, Track)
    return laboratory(track)


def write(name, folder, dump):
    """A small file of a format, and what the command line must be told of it."""
    person = bending()
    if name in ("trc", "c3d"):
        names, points = markers(folder)
        return (
            trc(names, points @ Y_UP.T, folder / "m.trc") if name == "trc" else c3d(names, points, folder / "m.c3d")
        ), []
    files = {
        "amass": lambda: (amass(person, folder / "m.npz"), ["--fps", "25"]),
        "wham": lambda: (wham(person, dump, folder / "m.pkl"), ["--fps", "25", "--size", "540", "960"]),
        "gvhmr": lambda: (gvhmr(person, folder / "m.pt"), []),
        "tram": lambda: (tram(person, folder), ["--fps", "30"]),
        "prompthmr": lambda: (prompthmr(person, dump, folder / "m.pkl"), ["--fps", "30"]),
        "phalp": lambda: (phalp(person, dump, folder / "m.pkl", focal=900), ["--fps", "30", "--focal", "900"]),
        "mot": lambda: (mot(folder / "m.mot", frames=30), []),
    }
    return files[name]()


@pytest.mark.parametrize("name", list(IMPORTERS))
def test_a_standing_person_is_carried_by_the_ground(name, tmp_path, monkeypatch):
    if name in ("gvhmr", "tram"):
        pytest.importorskip("torch")
    if name == "c3d":
        pytest.importorskip("ezc3d")
    path, told = write(name, tmp_path, joblib_dumper(monkeypatch))
    monkeypatch.setattr("apprentice.verbs._report", lambda run: None)
    run = tmp_path / "run"
    main(["estimate", "--motion", str(path), "--mass", str(MASS), "--run", str(run), *told])
    found = Interaction.load(run / "interaction.npz")
    soles = body_of(found.person).site_positions(found.person.q, [s for sites in SOLE_SITES.values() for s in sites])
    assert np.abs(soles[..., 2].min(axis=1)).max() < 0.02, "the ground is where the soles rest"
    assert found.contacts.probability[:, :2].max(axis=1).min() > 0.8
    force = found.forces.wrench[..., :3].sum(axis=1)
    assert force[:, 2].mean() == pytest.approx(9.81 * MASS, rel=0.15)
    assert np.all(found.forces.wrench[:, :2, 2] >= -1e-6), "the ground does not pull"
    assert found.status == "converged"


def off(path, corners, faces):
    """A mesh in the OFF format."""
    rows = [f"{len(corners)} {len(faces)} 0", *(" ".join(map(str, corner)) for corner in corners)]
    path.write_text("\n".join(["OFF", *rows, *(f"3 {a} {b} {c}" for a, b, c in faces)]) + "\n")
    return path


def floor(path, height=0.0, R=None):
    """A square floor of 20 m, seen from above; in the axes that `R` takes the world to."""
    corners = np.array([[x, y, height] for x in (-10.0, 10.0) for y in (-10.0, 10.0)])
    return off(path, corners if R is None else corners @ R.T, [[0, 2, 3], [0, 3, 1]])


def test_an_imported_person_rests_on_the_scene(tmp_path, monkeypatch):
    """Half a metre up, nothing carries the person but a platform of the scene."""
    person = bending()
    path = amass(person, tmp_path / "m.npz")
    monkeypatch.setattr("apprentice.verbs._report", lambda run: None)
    monkeypatch.setattr("motion.importers.smpl.ground_height", lambda body, q, fps: -0.5)
    found = {}
    for name, scene in (("air", []), ("platform", ["--scene", str(floor(tmp_path / "floor.off", 0.5))])):
        told = ["--motion", str(path), "--fps", "25", "--mass", str(MASS), "--run", str(tmp_path / name)]
        main(["estimate", *told, *scene])
        found[name] = Interaction.load(tmp_path / name / "interaction.npz").contacts.probability[:, :2]
    assert found["platform"].min() > 0.9
    assert np.all(found["platform"] > found["air"])


@pytest.fixture(scope="module")
def keypoints(hammering, tmp_path_factory):
    """The first frames of a person, without the tool."""
    person = Keypoints.load(hammering.keypoints)
    path = tmp_path_factory.mktemp("short") / "person.npz"
    person.replace(uv=person.uv[:16], confidence=person.confidence[:16]).save(path)
    return path


def estimate(keypoints, folder, *more):
    main(["estimate", "--keypoints", str(keypoints), "--run", str(folder), *more])
    return Interaction.load(folder / "interaction.npz")


def test_a_scene_beside_keypoints_and_a_scene_that_changes(keypoints, tmp_path, monkeypatch):
    monkeypatch.setattr("apprentice.verbs._report", lambda run: None)
    low, high = floor(tmp_path / "low.off"), floor(tmp_path / "high.off", 0.15)
    first = estimate(keypoints, tmp_path / "run", "--scene", str(low))
    assert {"surface", "clear"} <= set(first.cost)
    second = estimate(keypoints, tmp_path / "run", "--scene", str(high))
    rise = [
        body_of(one.person).site_positions(one.person.q, ["l_ball", "r_ball"])[..., 2].mean() for one in (first, second)
    ]
    assert abs(rise[0]) < 0.05
    assert rise[1] > rise[0] + 0.05


def test_a_scene_in_the_camera_s_axes_and_one_by_a_matrix_are_where_the_world_s_is(keypoints, tmp_path, monkeypatch):
    monkeypatch.setattr("apprentice.verbs._report", lambda run: None)
    world = estimate(keypoints, tmp_path / "world", "--scene", str(floor(tmp_path / "floor.off", 0.1)))
    findings = gather(Run(tmp_path / "world"))
    T = findings.camera.T_world_camera[0]
    corners = np.array([[x, y, 0.1] for x in (-10.0, 10.0) for y in (-10.0, 10.0)])
    seen = off(tmp_path / "seen.off", (corners - T[:3, 3]) @ T[:3, :3], [[0, 2, 3], [0, 3, 1]])
    matrix = tmp_path / "T.txt"
    matrix.write_text("\n".join(" ".join(map(str, row)) for row in T))
    held = of_run(findings.config, findings.camera, world.camera)
    assert held.faces.shape == (2, 3)
    feet = body_of(world.person).site_positions(world.person.q, ["l_ball", "r_ball"])[..., 2]
    np.testing.assert_allclose(held.points[:, 2], np.median(feet), atol=0.04)
    shown = RrdReader(str(write_scene(Run(tmp_path / "world")))).stream()
    assert "/person/surroundings" in {chunk.entity_path for chunk in shown}
    for name, told in (("camera", "camera"), ("matrix", str(matrix))):
        same = estimate(keypoints, tmp_path / name, "--scene", str(seen), "--scene-frame", told)
        np.testing.assert_allclose(same.person.q, world.person.q, atol=2e-3)


def test_scenes_that_are_none_give_one_line(tmp_path, capsys):
    text = tmp_path / "scene.txt"
    text.write_text("nothing")
    path = amass(bending(), tmp_path / "m.npz")
    seen = floor(tmp_path / "floor.off", R=CAMERA_AXES)
    for arguments, message in (
        (["--scene", str(tmp_path / "gone.ply")], "gone.ply: no such file; expected a mesh or a point cloud"),
        (["--scene", str(text)], "not a scene file; expected one of"),
        (["--scene", str(seen), "--scene-frame", str(text)], "expected 16 numbers"),
        (["--scene", str(seen), "--scene-frame", "camera"], "--scene-frame camera needs a camera that is known"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(["estimate", "--motion", str(path), "--run", str(tmp_path / "run"), *arguments])
        said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert stopped.value.code == 2
        assert len(said) == 1
        assert message in said[0]
