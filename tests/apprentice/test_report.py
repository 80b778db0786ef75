"""The report: every subset of a run's parts, the figures in it, and text that must stay text."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
from standing import FPS, FRAMES, standing

from apprentice import report as report_module
from apprentice import robot_film
from apprentice.report import curve_points, write_report
from motion.score import score
from perception.video import open_clip, write_video
from policies.trials import Trial
from records import Clip, Demonstration, Episodes, Interaction, Keypoints, Run
from sim.conditions import Spread

ALIGN = {
    "robust_share": 0.85,
    "replays": 20,
    "placements_simulated": 3,
    "simulations": 63,
    "placement": {"strike": 12.5, "along": 0.012, "across": -0.004, "scale": 0.9, "tilt": 0.1, "roll": 0.0},
}
RETARGET = {
    "mean_mm": 1.25,
    "max_mm": 7.5,
    "mean_degrees": 3.0,
    "velocity": 0.91,
    "acceleration": 0.5,
    "clearance_mm": 9.2,
    "slowdown": 1.32,
}
EVALUATE = {
    "noise": 0.05,
    "setting": Trial(Spread(0.05)).plain(),
    "agents": {
        "shifted": {"success": 0.93, "low": 0.86, "high": 0.97, "episodes": 100},
        "policy": {"success": 0.98, "low": 0.93, "high": 0.995, "episodes": 100},
    },
}


def seen(interaction: Interaction) -> Keypoints:
    """The left knee and the nose, the latter missing in the first frame."""
    from motion.body import body_of

    names = ("l_knee", "nose")
    points = body_of(interaction.person).site_positions(interaction.person.q, names)
    confidence = np.ones((FRAMES, 2))
    confidence[0, 1] = 0
    return Keypoints(
        names=names, uv=interaction.camera.project(points), confidence=confidence, fps=FPS, size_hw=(480, 640)
    )


def film(path: Path) -> Clip:
    write_video(path, [np.full((480, 640, 3), 90, np.uint8)] * FRAMES, FPS)
    return open_clip(path)


def filled(folder: Path, *parts: str) -> Run:
    """A run of these parts."""
    run, estimate = Run(folder), standing(force=300)
    records = {
        "interaction": lambda: estimate,
        "truth": lambda: standing(head_shift=0.05),
        "person": lambda: seen(estimate),
        "clip": lambda: film(folder / "filmed.mp4"),
        "demonstration": lambda: Demonstration(task="hammer", tool=estimate.tool),
    }
    figures = {"align": ALIGN, "retarget": RETARGET, "evaluate": EVALUATE}
    for part in parts:
        if part in records:
            records[part]().save(run.file(part))
        elif part in figures:
            run.add_metrics(part, figures[part])
        else:
            (folder / "policy").mkdir()
            (folder / "policy/curve.json").write_text(json.dumps({"steps": [256, 512], "success": [0.5, 0.75]}))
    return run


def words(path: Path) -> str:
    """What a reader reads: text without tags, spaces made equal."""
    body = path.read_text(encoding="utf-8").split("<main>")[1]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def titles(path: Path) -> list[str]:
    return re.findall(r"<h2[^>]*>([^<]*)", path.read_text(encoding="utf-8"))


def test_the_whole_of_a_run(tmp_path, monkeypatch):
    monkeypatch.setattr(robot_film, "SIZE_HW", (48, 64))
    parts = ("clip", "person", "interaction", "truth", "demonstration", "align", "retarget", "evaluate", "curve")
    path = write_report(filled(tmp_path / "whole", *parts))
    assert titles(path) == [
        "What the person did",
        "Contact forces",
        "Estimated against true",
        "Alignment",
        "The robot",
        "The policy",
        "What this rests on",
        "Files",
    ]
    text = words(path)
    true = score(standing(force=300), standing(head_shift=0.05))
    assert f"PA-MPJPE) {true.pa_mpjpe:.1f} mm" in text
    assert "tool head, after turn and shift of the joints 50.0 mm" in text
    assert "force, left foot 50.0 N 350.0 N" in text
    assert "force, mean of the contacts 25.0 N 175.0 N" in text
    assert "perturbed replays that succeed 85 % of 20" in text
    assert "up to 20,000 samples" in text
    assert "nail along the handle 12 mm" in text
    assert "head of the tool off the stroke, mean 1.2 mm" in text
    assert "smallest clearance 9 mm" in text
    assert "learned policy 98 % 93 % to 100 % 100" in text
    assert text.index("learned policy") < text.index("demonstration moved with its object 93 %")
    assert "The placement is fragile: 15 % of replays" in text
    assert "The stroke is 1.32 times slower than the person's" in text


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), []),
        (("person",), ["What the person did", "Files"]),
        (("clip", "person"), ["What the person did", "Files"]),
        (("interaction",), ["What the person did", "Contact forces", "What this rests on", "Files"]),
        (("truth",), []),
        (("align",), ["Alignment", "Files"]),
        (("retarget",), ["The robot", "Files"]),
        (("evaluate", "curve"), ["The policy", "Files"]),
        (("curve",), ["The policy"]),
    ],
)
def test_parts_that_are_missing_are_left_out(tmp_path, parts, expected):
    path = write_report(filled(tmp_path / "part", *parts))
    assert titles(path) == expected
    assert path.read_text().endswith("</html>\n")
    assert not [file for file in path.parent.iterdir() if file.name.startswith(".")]


def test_an_estimate_without_tool_or_contact_names_in_common(tmp_path):
    run = filled(tmp_path / "bare", "interaction")
    standing().replace(tool=None).save(run.file("interaction"))
    text = words(write_report(run))
    assert "path of the right hand" in text
    assert "left foot 350 350 1.00" in text


def test_nothing_is_fetched_and_the_film_inside_is_whole(tmp_path):
    path = write_report(filled(tmp_path / "inside", "clip", "person", "interaction"))
    document = path.read_text()
    addresses = re.findall(r'(?:src|href|poster)="([^"]*)"', document)
    assert all(address.startswith("data:") or (path.parent / address).is_file() for address in addresses)
    assert "http" not in document.replace("http-equiv", "")
    embedded = re.search(r'<video[^>]*src="data:video/mp4;base64,([^"]*)"', document)
    (tmp_path / "again.mp4").write_bytes(base64.b64decode(embedded.group(1)))
    clip = open_clip(tmp_path / "again.mp4")
    assert (clip.num_frames, clip.fps, clip.size_hw) == (FRAMES, FPS, (480, 640))
    assert all(re.search(r'alt="[^"]+"', image) for image in re.findall(r"<img[^>]*>", document))


def test_a_large_film_stays_beside_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(report_module, "EMBEDDED", 0)
    path = write_report(filled(tmp_path / "large", "clip", "person"))
    assert 'src="overlay.mp4"' in path.read_text()


def test_names_stay_text(tmp_path):
    run = filled(tmp_path / "<b>&\"'", "person")
    name = '<img src=x onerror="alert(1)">.mp4'
    film(tmp_path / name).save(run.file("clip"))
    run.add_metrics("evaluate", {"noise": 0.05, "agents": {"<i>a</i>": EVALUATE["agents"]["policy"]}})
    document = write_report(run).read_text()
    assert "<b>" not in document.split("<style>")[0]
    assert "<img src=x" not in document
    assert html.escape(name) in document
    assert "&lt;i&gt;a&lt;/i&gt;" in document


def test_a_damaged_part_is_named_and_the_rest_reported(tmp_path):
    run = filled(tmp_path / "damaged", "interaction", "truth", "align")
    run.file("interaction").write_bytes(b"not a record")
    path = write_report(run)
    assert "The part interaction cannot be read" in words(path)
    assert titles(path) == ["Alignment", "Files"]


def test_a_video_that_has_gone_is_said(tmp_path):
    run = filled(tmp_path / "gone", "clip", "person")
    (run.path / "filmed.mp4").unlink()
    text = words(write_report(run))
    assert "filmed.mp4 is no longer there" in text
    assert "drawn on an empty background" in text


def test_a_film_that_ends_otherwise_than_it_was_judged_is_out_of_date(tmp_path, monkeypatch):
    monkeypatch.setattr(robot_film, "SIZE_HW", (48, 64))
    run = filled(tmp_path / "stale", "demonstration", "evaluate")
    Episodes(
        task="hammer",
        agent="policy",
        fps=FPS,
        obs_names=("phase",),
        action_names=("displace_x", "displace_y", "displace_z"),
        term_names=("driven",),
        length=np.array([2]),
        obs=np.zeros((3, 1)),
        action=np.zeros((2, 3)),
        reward=np.zeros(2),
        reward_terms=np.zeros((2, 1)),
        terminated=np.array([True]),
        success=np.array([True]),
        seed=np.array([1]),
    ).save(run.path / "episodes" / "policy.npz")
    text = words(write_report(run))
    assert "The film is out of date: its episode was solved when it was judged." in text
    assert "The learned policy, by the tool alone in simulation, the objects moved by" in text


def test_truth_of_other_frames_is_not_compared(tmp_path):
    run = filled(tmp_path / "other", "interaction")
    standing(frames=4).save(run.file("truth"))
    assert "The truth has 4 frames and the estimate 6" in words(write_report(run))


def test_what_made_the_run_is_said(tmp_path):
    run = filled(tmp_path / "made", "person")
    asked = {"track": {"common": {"seed": 3}}, "estimate": {"common": {"seed": 5}}}
    text = words(write_report(Run(run.path, config=asked)))
    assert "From keypoints without a video: what was seen. Made by apprentice estimate, track; seed 3, 5." in text


def test_a_failure_leaves_the_old_report(tmp_path, monkeypatch):
    run = filled(tmp_path / "old", "align")
    before = write_report(run).read_text()
    monkeypatch.setattr(report_module.robot_sections, "alignment", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(run)
    assert (run.path / "report.html").read_text() == before


@pytest.mark.parametrize("curve", [None, [], {}, {"steps": [1]}, {"steps": 1, "success": 2}, "text"])
def test_a_curve_that_says_something_else_is_none(curve):
    assert curve_points(curve) == []
