"""A report with forces that plates measured, and what each stage leaves."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest
from standing import FPS, FRAMES, standing

from apprentice.cautions import stretches
from apprentice.cli import main
from apprentice.findings import gather
from apprentice.report import write_report
from apprentice.residuals import grasp_distance, person_pixels, residual_rows, sliding_speed, tool_pixels
from motion.body import body_of
from motion.tool import head_positions, tool_of
from records import Interaction, Keypoints, MeasuredForces, Run

NAMES = ("l_knee", "r_wrist")


def seen(interaction: Interaction, away: float) -> Keypoints:
    """Two points, `away` [px] to the right of where the estimate projects them; one unseen in the first frame."""
    points = body_of(interaction.person).site_positions(interaction.person.q, NAMES)
    confidence = np.ones((FRAMES, 2))
    confidence[0, 1] = 0
    uv = interaction.camera.project(points) + np.array([away, 0.0])
    return Keypoints(names=NAMES, uv=uv, confidence=confidence, fps=FPS, size_hw=(480, 640))


def tool_seen(interaction: Interaction, away: float) -> Keypoints:
    head = head_positions(tool_of(interaction.tool), interaction.tool)
    uv = interaction.camera.project(np.stack([head, interaction.tool.q[:, :3]], axis=1)) + np.array([0.0, away])
    confidence = np.ones((FRAMES, 2))
    return Keypoints(names=("tool_head", "tool_handle"), uv=uv, confidence=confidence, fps=FPS, size_hw=(480, 640))


def words(run: Run) -> str:
    body = write_report(run).read_text(encoding="utf-8").split("<main>")[1]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture
def run(tmp_path) -> Run:
    made, estimate = Run(tmp_path / "run"), standing(force=300)
    estimate.save(made.file("interaction"))
    seen(estimate, 3.0).save(made.file("person"))
    tool_seen(estimate, 7.0).save(made.file("tool"))
    return made


def measured(path, force: float) -> str:
    names = ["l_ankle", "r_ankle"]
    forces = np.zeros((FRAMES, 2, 3))
    forces[..., 2] = force
    np.savez(path, forces=forces, contact_names=names, fps=FPS)
    return str(path)


def test_measured_forces_stand_beside_estimated_ones(run, tmp_path, capsys):
    assert "Vertical force, estimated against measured" not in words(run)
    main(["report", str(run.path), "--measured", measured(tmp_path / "plates.npz", 400.0)])
    assert capsys.readouterr().err.strip().endswith("report.html")
    text = words(run)
    assert "left foot 100 400" in text
    assert f"all together 200 800 {abs(standing_weight() - 800):.0f} {FRAMES}" in text
    assert "measured by left foot, right foot" in text
    assert gather(run).measured.force[..., 2] == pytest.approx(400)


def standing_weight() -> float:
    interaction = standing()
    masses = [interaction.person.parameters["mass"], tool_of(interaction.tool).mass]
    return 9.81 * sum(masses)


def test_a_wrong_file_is_one_line(run, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["report", str(run.path), "--measured", str(tmp_path / "nothing.mot")])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert "nothing.mot: no such file" in error
    assert error.count("\n") == 1


def test_forces_of_another_clip_are_not_compared(run):
    other = MeasuredForces(names=("plate 1",), fps=FPS, force=np.zeros((9, 1, 3)), captured=np.ones((9, 1), bool))
    other.save(run.file("measured"))
    text = words(run)
    assert f"The measured forces have 9 frames and the estimate {FRAMES}: they are not compared" in text
    assert "Vertical force, estimated against measured" not in text


def test_what_each_stage_leaves_is_in_units_that_can_be_judged(run):
    findings = gather(run)
    interaction = findings.interaction
    np.testing.assert_allclose(person_pixels(interaction, findings.person), 3.0)
    assert len(person_pixels(interaction, findings.person)) == 2 * FRAMES - 1
    np.testing.assert_allclose(tool_pixels(interaction, findings.tool), 7.0)
    np.testing.assert_allclose(sliding_speed(interaction), 0.3 / (FRAMES - 1) * FPS)
    assert len(sliding_speed(interaction)) == 2 * (FRAMES - 1), "hands hold the tool, which may move"
    assert len(grasp_distance(interaction)) == FRAMES, "one hand is near the handle"
    rows = residual_rows(findings)
    assert [row[0] for row in rows] == ["person", "tool", "grasp", "contact", "forces", "forces"]
    assert rows[0][2] == "3.0 px"
    text = words(run)
    assert "tool seen and estimated ends 7.0 px 7.0 px" in text
    assert "--to csv, trc, mot (OpenSim), amass or lerobot" in text


def test_stretches_are_told_by_frame_and_time():
    frames = np.zeros(50, bool)
    frames[[0, 10, 11, 12, 49]] = True
    assert stretches(frames, 25) == "frame 0 (0.00 s), frames 10 to 12 (0.40 to 0.48 s), frame 49 (1.96 s)"
    frames[::2] = True
    assert stretches(frames, 25, most=1).endswith("more times")
