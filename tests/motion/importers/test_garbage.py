"""Files of the right layout with wrong values: whatever stands in a place, the answer is one line."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from layouts import FRAMES, Y_UP, rotvec

from motion.importers import MotionFileError, import_motion

GARBAGE = {
    "text": "text",
    "nothing": None,
    "number": 3.0,
    "short": np.zeros(3),
    "deep": np.zeros((2, 2, 2, 2, 2)),
    "empty": np.zeros((0, 3)),
    "nan": np.full((FRAMES, 3), np.nan),
    "dict": {},
    "list": [[], None],
}


def wham(person):
    turns, trans = person.smpl(Y_UP)
    values = {"pose_world": rotvec(turns), "trans_world": trans, "pose": rotvec(turns), "trans": trans}
    return {0: {**values, "betas": np.zeros((FRAMES, 10)), "frame_ids": np.arange(FRAMES)}}


def prompthmr(person):
    turns, trans = person.smpl(Y_UP)
    camera = {
        "pred_cam_R": np.tile(np.eye(3), (FRAMES, 1, 1)),
        "pred_cam_T": np.zeros((FRAMES, 3)),
        "img_focal": 900.0,
        "img_center": np.array([480.0, 270]),
    }
    world = {"pose": rotvec(turns), "trans": trans, "shape": np.zeros((FRAMES, 10))}
    return {"people": {1: {"frames": np.arange(FRAMES), "smplx_world": world}}, "camera_world": camera}


def phalp(person):
    turns, trans = person.smpl(Y_UP)
    return {
        n: {
            "time": n,
            "tid": [1],
            "tracked_time": [0],
            "smpl": [{"global_orient": turns[n, :1], "body_pose": turns[n, 1:], "betas": np.zeros(10)}],
            "camera": [trans[n]],
            "size": [[540, 960]],
        }
        for n in range(3)
    }


def places(value, at=()):
    """Where a value can be replaced: paths of keys through dicts, and through lists of one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*at, key)
            yield from places(item, (*at, key))
    elif isinstance(value, list) and len(value) == 1:
        yield (*at, 0)
        yield from places(value[0], (*at, 0))


def put(value, path, item):
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = item


def outcome(file):
    """The message that a file is refused with, or its people; any other exception is a failure."""
    try:
        return "", import_motion(file, fps=25, size_hw=(540, 960))
    except MotionFileError as error:
        return str(error), []


@pytest.mark.parametrize("make", [wham, prompthmr, phalp])
def test_wrong_values_in_any_place(person, joblib_dump, tmp_path, make):
    refused = 0
    for path in places(make(person)):
        for name, garbage in GARBAGE.items():
            value = make(person)
            put(value, path, garbage)
            file = joblib_dump(value, tmp_path / "x.pkl")
            message, tracks = outcome(file)
            refused += bool(message)
            assert not message or (message.startswith(str(file)) and "\n" not in message), (path, name)
            assert all(np.isfinite(track.motion.q).all() for track in tracks), (path, name)
    assert refused > 20


@pytest.mark.parametrize("header", ["NumFrames", "NumMarkers", "Units", "DataRate"])
def test_headers_of_marker_files(tmp_path, header):
    lines = [
        "PathFileType\t4\t(X/Y/Z)\tx.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits",
        "100\t100\t2\t3\tm",
        "Frame#\tTime\tLHJC\t\t\tRHJC\t\t\tC7\t\t",
        "\t\tX1\tY1\tZ1\tX2\tY2\tZ2\tX3\tY3\tZ3",
        "",
        *(f"{t}\t{t / 100}\t0\t1\t-0.1\t0\t1\t0.1\t0\t1.5\t0" for t in (1, 2)),
    ]
    path = tmp_path / "x.trc"
    path.write_text("\n".join(lines) + "\n")
    assert len(import_motion(path)) == 1
    column = lines[1].split("\t").index(header)
    values = lines[2].split("\t")
    values[column] = "x"
    path.write_text("\n".join([*lines[:2], "\t".join(values), *lines[3:]]) + "\n")
    if header == "NumMarkers":  # the names say how many there are
        assert len(import_motion(path)) == 1
        return
    with pytest.raises(MotionFileError, match=r"x\.trc: ") as error:
        import_motion(path)
    assert "\n" not in str(error.value)


def test_the_table_of_formats_is_read_without_the_body_model():
    code = (
        "import sys; from motion.importers import IMPORTERS; print(*(m in sys.modules for m in ('pinocchio', 'scipy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
