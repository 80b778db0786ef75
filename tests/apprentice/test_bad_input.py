"""What cannot be done is said in one line, and what was there before is intact."""

from __future__ import annotations

import errno

import numpy as np
import pytest
from examples import example
from strokes import hammer_stroke

from apprentice.cli import main
from records import Keypoints, Motion
from sim.align import align


def refused(capsys, *arguments):
    """The one line that a verb is answered with."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    last = capsys.readouterr().err.splitlines()[-1]
    assert end.value.code == 2
    assert last.startswith("error: ")
    assert "defect" not in last
    return last.removeprefix("error: ")


def keypoints(hammering, folder, frames=slice(None), confidence=None):
    """The hammering person, cut short or seen less well."""
    person = Keypoints.load(hammering.keypoints)
    seen = person.confidence[frames]
    part = person.replace(
        uv=person.uv[frames], confidence=seen if confidence is None else np.full(seen.shape, confidence)
    )
    return part.save(folder / "person.npz")


def test_one_frame(hammering, capsys, tmp_path):
    file = keypoints(hammering, tmp_path, slice(0, 1))
    assert "1 frame; motion needs at least 3" in refused(
        capsys, "estimate", "--keypoints", file, "--run", tmp_path / "r"
    )


def test_nobody_in_the_keypoints(hammering, capsys, tmp_path):
    file = keypoints(hammering, tmp_path, confidence=0.0)
    assert "no person" in refused(capsys, "estimate", "--keypoints", file, "--run", tmp_path / "r")


def test_a_tool_without_its_name(hammering, capsys, tmp_path):
    said = refused(
        capsys, "estimate", "--keypoints", hammering.keypoints, "--tool-csv", hammering.tool, "--run", tmp_path / "r"
    )
    assert said == "the tool's endpoints are given but not which tool it is; name it with --tool"


def test_a_tool_of_ones_own_that_makes_no_sense(hammering, capsys, tmp_path):
    (tmp_path / "axe.yaml").write_text("name: axe\nlength: -1\n")
    tool = ["--tool-file", tmp_path / "axe.yaml"]
    said = refused(capsys, "estimate", "--keypoints", hammering.keypoints, *tool, "--run", tmp_path / "r")
    assert "axe.yaml" in said


def test_a_table_of_the_tool_that_is_not_there(hammering, capsys, tmp_path):
    tool = ["--tool-csv", tmp_path / "no.csv", "--tool", "hammer"]
    said = refused(capsys, "estimate", "--keypoints", hammering.keypoints, *tool, "--run", tmp_path / "r")
    assert "no.csv" in said


def test_a_stroke_that_cannot_solve_the_task(capsys, tmp_path):
    still = hammer_stroke()
    q = np.tile(still.q[:1], (40, 1))
    resting = still.replace(q=q, v=np.zeros((40, 6)), a=np.zeros((40, 6)))
    said = refused(capsys, "align", resting.save(tmp_path / "still.npz"), "--run", tmp_path / "r")
    assert "the tool never strikes" in said
    assert not (tmp_path / "r/demonstration.npz").exists()


def test_a_stroke_that_the_robot_cannot_reach(capsys, tmp_path):
    found = align(hammer_stroke(), seed=0).demonstration
    far = found.tool.q.copy()
    far[:, 2] += 3.0
    found.replace(tool=found.tool.replace(q=far)).save(tmp_path / "demonstration.npz")
    said = refused(capsys, "retarget", tmp_path)
    assert said.startswith("panda cannot reach the stroke")
    assert not (tmp_path / "retargeted.npz").exists()


def test_a_robot_and_a_task_that_do_not_exist(capsys, tmp_path):
    stroke = hammer_stroke().save(tmp_path / "stroke.npz")
    assert refused(capsys, "align", stroke, "--task", "sweep", "--run", tmp_path / "r") == (
        "unknown task 'sweep'; choose from: hammer, scythe, spade, pour"
    )
    align(Motion.load(stroke), seed=0).demonstration.save(tmp_path / "demonstration.npz")
    assert refused(capsys, "retarget", tmp_path, "--robot", "ur5").startswith("unknown robot 'ur5'; choose from: panda")


def test_a_full_disk_leaves_the_old_result(hammering, capsys, tmp_path, monkeypatch):
    run = tmp_path / "r"
    main(["track", "--keypoints", str(hammering.keypoints), "--run", str(run)])
    before = {path.name: path.read_bytes() for path in run.glob("*.npz")}

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    said = refused(capsys, "track", "--keypoints", hammering.keypoints, "--run", run, "--force")
    assert said == f"cannot write {run / 'person.npz'}: No space left on device; what was there is intact"
    assert {path.name: path.read_bytes() for path in run.glob("*.npz")} == before
    assert not list(run.glob(".*"))


def test_a_damaged_result_is_made_again(hammering, tmp_path):
    run = tmp_path / "r"
    main(["track", "--keypoints", str(hammering.keypoints), "--run", str(run)])
    before = (run / "camera.npz").read_bytes()
    (run / "camera.npz").write_bytes(before[:100])
    main(["track", "--keypoints", str(hammering.keypoints), "--run", str(run)])
    assert (run / "camera.npz").read_bytes() == before


def test_a_run_of_something_else_is_no_estimate(capsys, tmp_path):
    example("Motion").save(tmp_path / "interaction.npz")
    assert "holds a Motion, expected a Interaction" in refused(capsys, "export", tmp_path)


def test_foreign_motion_that_is_none(capsys, tmp_path):
    run = ["--run", tmp_path / "r"]
    assert refused(capsys, "estimate", "--motion", tmp_path / "no.pkl", *run) == f"{tmp_path / 'no.pkl'}: no such file"
    (tmp_path / "text.trc").write_text("hello")
    assert "text.trc" in refused(capsys, "estimate", "--motion", tmp_path / "text.trc", *run)
    said = refused(capsys, "estimate", "--motion", tmp_path / "text.trc", "--tool", "hammer", *run)
    assert said == "a tool cannot be added to --motion; estimate it from the clip or from keypoints"
