"""Markers: the ways that laboratories name and keep them, and our own export."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import bending
from published_markers import c3d, laboratory, trc

from motion.body import body_of, build_body
from motion.exporters.trc import export_trc
from motion.importers import MotionFileError, Track, import_motion
from motion.importers.interaction import interaction_of
from motion.importers.marker_sets import body_points
from motion.importers.opensim_table import parse_columns, parse_trc
from motion.local_derivative import differentiate
from motion.markers import MARKERS, marker_positions
from records import Motion

FPS = 50.0
LIMBS = [f"{side}_{joint}" for side in "lr" for joint in ("hip", "knee", "ankle", "toes", "shoulder", "elbow", "wrist")]
Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""From our world to OpenSim's."""


def person():
    one = bending()
    body = build_body(height=1.80, mass=70.0)
    q = one.q.copy()
    q[:, 2] -= body.site_positions(q, ["l_heel"])[0, 0, 2]
    v, a = differentiate(q, FPS, 0.04)
    motion = Motion(model="smpl_tree", parameters=body.parameters(), fps=FPS, q=q, v=v, a=a)
    return Track(name="0", motion=motion, observed=np.ones(len(q), bool))


def sites(track, names=LIMBS):
    return body_of(track.motion).site_positions(track.motion.q, names)


def test_own_trc_export_comes_back_by_inverse_kinematics(tmp_path):
    first = person()
    export_trc(interaction_of(first), tmp_path)
    (again,) = import_motion(tmp_path / "joints.trc", mass=70)
    body = body_of(again.motion)
    assert again.motion.fps == FPS
    assert again.observed.all()
    assert body.mass == 70
    for bone, length in body_of(first.motion).bones.items():
        assert body.bones[bone] == pytest.approx(length, abs=0.025), bone
    error = np.linalg.norm(sites(again) - sites(first), axis=-1)
    assert error.mean() < 0.006
    assert error.max() < 0.02
    shown = marker_positions(body, again.motion.q) - marker_positions(body_of(first.motion), first.motion.q)
    assert np.linalg.norm(shown, axis=-1).mean() < 0.004


@pytest.mark.parametrize("units", ["m", "mm"])
def test_a_laboratory_s_markers(tmp_path, units):
    first = person()
    names, points = laboratory(first)
    (track,) = import_motion(trc(names, points @ Y_UP.T, tmp_path / "lab.trc", units))
    error = dict(zip(LIMBS, np.linalg.norm(sites(track) - sites(first), axis=-1).mean(axis=0), strict=True))
    # Hips are told from the pelvis by a regression over people.
    assert max(error[f"{side}_hip"] for side in "lr") < 0.05, error
    assert max(value for name, value in error.items() if not name.endswith("hip")) < 0.03, error


@pytest.mark.parametrize("R", [np.eye(3), Y_UP, np.diag([1.0, -1, -1]), np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])])
def test_the_vertical_is_found_whatever_the_axes(tmp_path, R):
    first = person()
    names, points = laboratory(first)
    (track,) = import_motion(trc(names, points @ R.T, tmp_path / "turned.trc"))
    height = sites(track)[..., 2]
    np.testing.assert_allclose(height, sites(first)[..., 2], atol=0.06)


def test_gaps_are_bridged_and_edges_without_a_person_left_out(tmp_path):
    first = person()
    names, points = laboratory(first)
    points = np.repeat(points, 5, axis=0)
    points[:4] = np.nan
    points[20:24, names.index("L.wrist")] = np.nan
    points[30:33, names.index("R.ASIS")] = np.nan
    (track,) = import_motion(trc(names, points @ Y_UP.T, tmp_path / "gaps.trc"))
    assert track.first_frame == 4
    assert track.motion.num_frames == len(points) - 4
    expected = np.repeat(sites(first), 5, axis=0)[4:]
    assert np.linalg.norm(sites(track) - expected, axis=-1)[16:20, LIMBS.index("l_wrist")].max() < 0.04


def test_a_long_gap_of_the_hips_is_marked(tmp_path):
    first = person()
    names, points = laboratory(first)
    points = np.repeat(points, 5, axis=0)
    points[10:45, names.index("R.ASIS")] = np.nan
    (track,) = import_motion(trc(names, points @ Y_UP.T, tmp_path / "gaps.trc"))
    np.testing.assert_array_equal(np.flatnonzero(~track.observed), np.arange(10, 45))


def test_c3d_of_millimetres_with_z_up(tmp_path):
    pytest.importorskip("ezc3d")
    first = person()
    names, points = laboratory(first)
    points[3, names.index("L.wrist")] = np.nan
    path = c3d(names, points, tmp_path / "trial.c3d", FPS)
    (track,) = import_motion(path)
    assert track.motion.fps == FPS
    error = np.linalg.norm(sites(track) - sites(first), axis=-1).mean(axis=0)
    assert error.max() < 0.05
    short = tmp_path / "short.c3d"
    short.write_bytes(path.read_bytes()[:700])
    with pytest.raises(MotionFileError, match=r"short\.c3d: ") as raised:
        import_motion(short)
    assert "\n" not in str(raised.value)


def test_names_of_a_marker_that_surround_a_joint_are_averaged():
    points = np.zeros((1, 8, 3))
    points[0, :, 0] = [1, -1, 0.2, 0.4, -0.3, -0.1, 1, -1]
    names = ("s:LHJC", "s:RHJC", "s:LKNE", "s:LKNE", "R_Knee", "R.mknee", "LSHO", "RSHO")
    found = body_points(names, points)
    x = dict(zip(found.names, found.points[0, :, 0], strict=True))
    assert x["l_knee"] == pytest.approx(0.3)
    assert x["r_knee"] == pytest.approx(-0.2)
    assert not found.surface


def test_a_lone_lateral_marker_is_moved_inwards():
    points = np.array([[[0.1, 0, 0], [-0.1, 0, 0], [0.15, 0, -0.4], [0, 0, 0.5]]])
    found = body_points(("LHJC", "RHJC", "LKNE", "C7"), points)
    assert found.points[0, found.names.index("l_knee")].tolist() == pytest.approx([0.095, 0, -0.4])


def test_a_lone_marker_on_the_back_of_the_neck_is_moved_forwards():
    points = np.array([[[0, 0.1, 1.0], [0, -0.1, 1.0], [0, 0, 1.5]]])
    found = body_points(("LHJC", "RHJC", "C7"), points)
    assert found.points[0, found.names.index("neck")].tolist() == pytest.approx([0.06, 0, 1.5])


def test_our_own_names_are_surface_markers_and_video_names_are_joint_centres():
    own = body_points(MARKERS, np.random.default_rng(0).standard_normal((2, len(MARKERS), 3)))
    assert own.surface
    assert own.names == MARKERS
    names = ("LHip", "RHip", "LKnee", "RKnee", "LShoulder", "RShoulder")
    points = np.random.default_rng(1).standard_normal((2, 6, 3))
    video = body_points(names, points)
    np.testing.assert_array_equal(video.points[:, video.names.index("l_shoulder")], points[:, 4])
    np.testing.assert_array_equal(video.points[:, video.names.index("r_knee")], points[:, 3])


def test_markers_that_show_no_body(tmp_path):
    points = np.zeros((3, 2, 3))
    with pytest.raises(MotionFileError, match=r"x\.trc: no hips among the markers ball, cube"):
        import_motion(trc(["ball", "cube"], points, tmp_path / "x.trc"))
    with pytest.raises(MotionFileError, match="neither shoulders nor neck"):
        import_motion(trc(["LHJC", "RHJC"], points, tmp_path / "x.trc"))
    with pytest.raises(MotionFileError, match="fewer than two frames"):
        import_motion(
            trc(
                ["LHJC", "RHJC", "C7"],
                np.where(np.arange(3)[:, None, None] == 1, np.ones((3, 3, 3)), np.nan),
                tmp_path / "x.trc",
            )
        )


def test_damaged_tables_give_one_line(tmp_path):
    first = person()
    names, points = laboratory(first)
    path = trc(names, points @ Y_UP.T, tmp_path / "t.trc")
    lines = path.read_text().splitlines()
    for wrong, message in (
        (lines[:2], "no header"),
        (lines[:6], "without rows"),
        (lines[:9], "cut short"),
        ([*lines[:6], lines[6].replace("\t", "\tx", 3), *lines[7:]], "no number"),
    ):
        with pytest.raises(MotionFileError, match=message):
            parse_trc(wrong)
    head = ["motion", "nRows=2", "endheader", "time\tpelvis_tilt"]
    for rows, message in ((["0\t1"], "cut short"), (["0\t1", "0.1\tx"], "no number"), (["0\t1", "0.1"], "cut short")):
        with pytest.raises(MotionFileError, match=message):
            parse_columns([*head, *rows])
    with pytest.raises(MotionFileError, match="no 'endheader'"):
        parse_columns(head[:2])
    assert parse_columns([*head, "0\t1", "0.1\t2"]).fps == 10


def test_long_motions_are_fitted_in_parts_that_change_nothing(tmp_path, monkeypatch):
    from motion.importers import markers

    first = person()
    names, points = laboratory(first)
    path = trc(names, points @ Y_UP.T, tmp_path / "t.trc")
    (whole,) = import_motion(path)
    monkeypatch.setattr(markers, "AT_ONCE", 5)
    (parts,) = import_motion(path)
    np.testing.assert_allclose(parts.motion.q, whole.motion.q, atol=1e-4)
