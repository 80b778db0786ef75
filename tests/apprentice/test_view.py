"""The 3D scene, read back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from rerun.chunk import RrdReader
from standing import FPS, FRAMES, standing

from apprentice.shapes import force_lines, person_lines
from apprentice.view import write_scene
from records import Demonstration, Keypoints, Run


def moving(path: Path) -> Mapping[str, pa.RecordBatch]:
    """By entity, what changes over time."""
    found = {}
    for chunk in RrdReader(str(path)).stream():
        batch = chunk.to_record_batch()
        if "time" in batch.schema.names:
            found[chunk.entity_path] = batch
    return found


def entities(path: Path) -> set[str]:
    reader = RrdReader(str(path))
    return {chunk.entity_path for chunk in reader.stream()} if reader.recordings() else set()


def column(batch: pa.RecordBatch, ending: str) -> list:
    (name,) = [name for name in batch.schema.names if name.endswith(ending)]
    return batch.column(name).to_pylist()


def test_a_whole_run(tmp_path):
    run, interaction = Run(tmp_path / "whole"), standing(force=300)
    interaction.save(run.file("interaction"))
    standing().save(run.file("truth"))
    confidence = np.ones((FRAMES, 2))
    confidence[2] = 0
    uv = np.arange(FRAMES * 4.0).reshape(FRAMES, 2, 2)
    points = Keypoints(names=("nose", "l_hip"), uv=uv, confidence=confidence, fps=FPS, size_hw=(480, 640))
    points.save(run.file("person"))
    Demonstration(task="hammer", scene={"nail_x": 0.5, "nail_y": 0.0, "nail_z": 0.1}, tool=interaction.tool).save(
        run.file("demonstration")
    )
    path = write_scene(run)
    assert path == run.path / "scene.rrd"
    known = {"person", "tool", "forces", "trail", "ground", "camera", "camera/person", "truth/person", "truth/tool"}
    assert entities(path) >= {f"/person/{name}" for name in known} | {"/robot/tool", "/robot/nail", "/robot/ground"}
    batches = moving(path)
    bones = np.array(column(batches["/person/person"], "strips"))
    np.testing.assert_allclose(bones, person_lines(interaction.person).ends, atol=1e-5)
    arrows = np.array(column(batches["/person/forces"], "vectors"))
    expected = force_lines(interaction.forces).ends
    np.testing.assert_allclose(arrows, expected[..., 1, :] - expected[..., 0, :], atol=1e-5)
    seconds = [moment.total_seconds() for moment in column(batches["/person/person"], "time")]
    np.testing.assert_allclose(seconds, np.arange(FRAMES) / FPS, atol=1e-6)
    shown = column(batches["/person/camera/person"], "positions")
    assert [len(points) for points in shown] == [2, 2, 0, 2, 2, 2]
    assert [v for (v,) in column(batches["/forces/l_ankle/estimate"], "scalars")] == [300.0] * FRAMES
    assert [v for (v,) in column(batches["/forces/l_ankle/truth"], "scalars")] == [350.0] * FRAMES


def test_a_camera_that_moves(tmp_path):
    run, interaction = Run(tmp_path / "moving"), standing()
    poses = np.repeat(interaction.camera.T_world_camera, FRAMES, axis=0)
    poses[:, 0, 3] += np.arange(FRAMES)
    interaction.replace(camera=interaction.camera.replace(T_world_camera=poses)).save(run.file("interaction"))
    moved = column(moving(write_scene(run))["/person/camera"], "translation")
    assert [place[0][0] for place in moved] == [4.0 + t for t in range(FRAMES)]


@pytest.mark.parametrize("parts", [(), ("interaction",), ("person",), ("demonstration",)])
def test_parts_that_are_missing_are_left_out(tmp_path, parts):
    run, interaction = Run(tmp_path / "part"), standing().replace(tool=None)
    if "interaction" in parts:
        interaction.save(run.file("interaction"))
    if "person" in parts:
        Keypoints(
            names=("nose",), uv=np.zeros((2, 1, 2)), confidence=np.zeros((2, 1)), fps=FPS, size_hw=(480, 640)
        ).save(run.file("person"))
    if "demonstration" in parts:
        Demonstration(task="hammer", tool=standing().tool).save(run.file("demonstration"))
    path = write_scene(run)
    roots = {entity.split("/")[1] for entity in entities(path) if not entity.startswith("/__")}
    assert roots == {"interaction": {"person", "forces"}, "person": {"person"}, "demonstration": {"robot"}}.get(
        parts[0] if parts else "", set()
    )
    assert [file.name for file in run.path.iterdir() if file.name.startswith(".")] == []
