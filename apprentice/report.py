"""The report of a run: one HTML file of whatever the run holds, with its films and pictures inside."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from apprentice import page, robot_sections, sections
from apprentice.cautions import cautions
from apprentice.findings import Findings, gather
from apprentice.overlay import overlay_frames, striking_frame, write_overlay
from apprentice.robot_film import film_of, filmstrip
from motion.score import score
from perception.video import ClipError, write_video
from records import Run
from records.atomic import write_text

EMBEDDED = 16 * 2**20
"""A film up to this size [bytes] is put into the page; a larger one stays beside it."""


def write_report(run: Run) -> Path:
    """Write `report.html`, and beside it `overlay.mp4` and `robot.mp4` where there is something to show.

    A part that the run does not hold is left out; one that cannot be read is named.

    Raises:
        OSError: the folder cannot be written, or the disk is full; the report that was there is intact.
    """
    findings = gather(run)
    interaction, truth = findings.interaction, findings.truth
    known = score(interaction, truth) if interaction is not None and truth is not None else None
    warnings = cautions(findings, known)
    overlay = _overlay(findings, warnings)
    film = _film(findings, warnings)
    document = page.page(
        f"{findings.name}: report",
        page.tag("h1", findings.name),
        page.tag("p", _lead(findings), class_="lead"),
        sections.glance(findings, known),
        page.bullets(warnings, class_="cautions") if warnings else None,
        sections.watching(findings, overlay),
        sections.forces(findings),
        sections.against_truth(findings, known),
        robot_sections.alignment(findings),
        robot_sections.robot(findings, film),
        robot_sections.policy(findings, curve_points(findings.curve)),
        sections.grounds(findings),
        sections.files(findings),
    )
    path = run.path / "report.html"
    write_text(path, document)
    return path


def curve_points(curve: Any) -> list[tuple[float, float]]:
    """Environment steps and success of a learning curve; empty where there is none, or the file says something else."""
    columns = [curve.get(name) for name in ("steps", "success")] if isinstance(curve, Mapping) else []
    if len(columns) < 2 or not all(isinstance(column, list) for column in columns):
        return []
    return [(float(steps), float(success)) for steps, success in zip(*columns, strict=False)]


def _lead(findings: Findings) -> str:
    if findings.video:
        source = f"From the clip {findings.video}"
    elif findings.person is not None:
        source = "From keypoints without a video"
    elif findings.demonstration is not None:
        source = "From a recorded stroke of a tool"
    else:
        return "This run holds nothing yet."
    made = [
        (findings.interaction is not None, "3D motion and contact forces"),
        ("align" in findings.metrics, "a simulated scene"),
        ("retarget" in findings.metrics, "a robot's motion"),
        ("evaluate" in findings.metrics, "a policy and what it is worth"),
    ]
    outcome = [what for there, what in made if there]
    return f"{source}: {', '.join(outcome) or 'what was seen'}.{_asked(findings.config)}"


def _asked(config: Mapping[str, Any]) -> str:
    """The verbs that made the run, and their seed."""
    common = {
        verb: asked["common"] for verb, asked in config.items() if isinstance(asked, Mapping) and "common" in asked
    }
    if not common:
        return ""
    seeds = sorted({str(options.get("seed", 0)) for options in common.values()})
    return f" Made by apprentice {', '.join(common)}; seed {', '.join(seeds)}."


def _overlay(findings: Findings, warnings: list[str]) -> tuple[str, str] | None:
    """Address of the overlay film and of its poster."""
    path = findings.path / "overlay.mp4"
    try:
        if write_overlay(findings, path) is None:
            return None
    except ClipError as error:
        warnings.append(f"The overlay could not be drawn: {error}.")
        return None
    frame = striking_frame(findings.interaction) if findings.interaction is not None else 0
    poster = next(islice(overlay_frames(findings), frame, None))
    return _address(path), page.image_uri(poster, photo=True)


def _film(findings: Findings, warnings: list[str]) -> tuple[str, list[str], str] | None:
    """Address of the robot's film, its pictures, and what happens in it."""
    if findings.demonstration is None:
        return None
    try:
        film = film_of(findings)
    except ImportError as error:
        warnings.append(f"The simulation could not be filmed, as {error.name} is not installed.")
        return None
    if findings.episodes is not None and film.agent == findings.episodes.agent:
        judged = bool(findings.episodes.success[0])
        if film.success != judged:
            warnings.append(
                f"The film is out of date: its episode was {'solved' if judged else 'not solved'} when it was judged."
                " The demonstration or the simulation has changed since; run `apprentice evaluate` again."
            )
    path = write_video(findings.path / "robot.mp4", film.frames, film.fps)
    who = {"policy": "The learned policy", "replay": "The demonstration, replayed"}.get(film.agent, film.agent)
    body = "by the robot" if findings.demonstration.robot is not None else "by the tool alone"
    x, y = 100 * film.offset
    where = f", the objects moved by {x:+.1f} and {y:+.1f} cm" if film.agent != "replay" else ""
    caption = f"{who}, {body} in simulation{where}: {'solved' if film.success else 'not solved'}."
    return _address(path), [page.image_uri(image, photo=True) for image in filmstrip(film)], caption


def _address(film: Path) -> str:
    """The film itself where it is small, else its name."""
    if film.stat().st_size <= EMBEDDED:
        return page.data_uri(film.read_bytes(), "video/mp4")
    return film.name
