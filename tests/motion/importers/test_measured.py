"""Measured forces from the files that plates leave, in the frames of a clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from standing import FPS, FRAMES, standing

from motion.exporters import export
from motion.importers.measured import read_measured
from motion.importers.motion_file_error import MotionFileError

DATA = Path(__file__).parents[4] / "shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: forces of real plates")


def mot(path: Path, columns: dict[str, np.ndarray], rate: float) -> Path:
    """OpenSim's layout of a table over time."""
    rows = np.stack(list(columns.values()), axis=1)
    lines = ["grf", f"nRows={len(rows)}", f"nColumns={len(columns) + 1}", "inDegrees=yes", "endheader"]
    lines.append("\t".join(("time", *columns)))
    lines += ["\t".join(f"{v:.6f}" for v in (t / rate, *row)) for t, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_opensims_plates_turn_upright_and_are_averaged_over_a_frame(tmp_path):
    time = np.arange(1000) / 1000
    ringing = 700 + 100 * np.sin(2 * np.pi * 250 * time)
    columns = {"ground_force_r_vx": 10 + 0 * time, "ground_force_r_vy": ringing, "ground_force_r_vz": 20 + 0 * time}
    columns |= {f"2_ground_force_v{axis}": value + 0 * time for axis, value in (("x", 0), ("y", 30), ("z", 0))}
    found = read_measured(mot(tmp_path / "grf.mot", columns, 1000), num_frames=20, fps=25)
    assert found.names == ("r_ankle", "plate 2")
    assert found.captured.all()
    np.testing.assert_allclose(found.force[1:-1, 0, :2], np.tile([10, -20], (18, 1)), atol=1e-9)
    np.testing.assert_allclose(found.force[1:-1, 0, 2], 700, atol=1.0)
    np.testing.assert_allclose(found.force[:, 1, 2], 30)


def test_the_clip_begins_when_the_user_says(tmp_path):
    time = np.arange(200) / 100
    columns = {f"ground_force_v{axis}": time if axis == "y" else 0 * time for axis in "xyz"}
    path = mot(tmp_path / "grf.mot", columns, 100)
    late = read_measured(path, num_frames=40, fps=25, start=1.0)
    np.testing.assert_allclose(late.force[:20, 0, 2], 1.0 + np.arange(20) / 25, atol=0.02)
    assert late.captured[:25].all()
    assert not late.captured[26:].any(), "the plates stopped"
    with pytest.raises(MotionFileError, match=r"measured from 0\.00 to 1\.99 s, but the clip lasts from 5\.00"):
        read_measured(path, num_frames=40, fps=25, start=5.0)


@pytest.mark.parametrize("kind", ["csv", "mot"])
def test_our_own_exports_come_back(tmp_path, kind):
    interaction = standing(force=350.0)
    export(interaction, kind, tmp_path)
    found = read_measured(tmp_path / f"forces.{kind}", num_frames=FRAMES, fps=FPS)
    assert found.names == interaction.forces.names
    np.testing.assert_allclose(found.force, interaction.forces.wrench[..., :3], atol=1e-3)


def test_arrays_say_what_was_missed(tmp_path):
    path = tmp_path / "truth.npz"
    forces, missed = np.zeros((10, 2, 6)), np.zeros((10, 2), bool)
    forces[:, 0, 2], missed[4, 1] = 500, True
    np.savez(path, forces=forces, contact_names=["l_ankle", "r_ankle"], fps=25.0, uncaptured=missed)
    found = read_measured(path, num_frames=10, fps=25)
    np.testing.assert_array_equal(found.captured, ~missed)
    np.testing.assert_allclose(found.force[:, 0, 2], 500)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "t,contact,fx\n0,l_ankle,1\n", "expected a table with t, contact, fx, fy, fz"),
        ("a.mot", "x\nendheader\ntime\thip\n0\t1\n0.1\t2\n", "no column like ground_force_vx"),
        ("a.mot", "x\nendheader\ntime\tground_force_vx\n0\t1\n0.1\t2\n", "without the columns of y and z"),
        ("a.csv", "t,contact,fx,fy,fz\n0,l_ankle,1,2,nan\n0.1,l_ankle,1,2,3\n", "values that are not numbers"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(MotionFileError, match=message):
        read_measured(tmp_path / name, num_frames=10, fps=25)


def test_arrays_of_another_layout_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", forces=np.zeros((5, 2, 6)), contact_names=["l_ankle"], fps=25.0)
    with pytest.raises(MotionFileError, match=r"of 1 contacts at 25\.0 fps; expected \(T, C, 3\)"):
        read_measured(tmp_path / "a.npz", num_frames=5, fps=25)


@needs_data
def test_plates_of_two_laboratories_bear_a_person():
    squat = read_measured(DATA / "force_plates/subject4/squats1_grf.mot", num_frames=100, fps=30)
    assert squat.force[..., 2].sum(axis=1).mean() == pytest.approx(590, abs=60)
    walk = read_measured(DATA / "force_plates/opensim_core/grf_walk.mot", num_frames=60, fps=30)
    assert set(walk.names) == {"l_ankle", "r_ankle"}
    assert walk.force[..., 2].max() > 500
