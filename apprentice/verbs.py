"""What each verb of the command line does: open the run, call stages, show and report the outcome."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from apprentice import close_up, stages, watching
from apprentice.showing import console, log_to
from apprentice.stages import UsageError
from records import Demonstration, Interaction, Motion, Run, RunError

if TYPE_CHECKING:
    from apprentice import commands

_log = logging.getLogger("apprentice")

EPISODE_FORMATS = ("robomimic", "minari")
"""Formats that hold nothing but episodes."""


def track(verb: commands.Track) -> None:
    """Observations of a clip."""
    run = _open(verb, stages.run_folder(verb.common.run, watching.name_of(verb.source)))
    seen = watching.observe(run, verb.source, verb.seeing, verb.subject)
    frames = int(seen.person.seen.any(axis=1).sum())
    _done(run, f"person seen in {frames} of {seen.person.num_frames} frames")


def estimate(verb: commands.Estimate) -> None:
    """Motion and forces."""
    foreign = verb.foreign.motion
    name = watching.name_of(verb.source) if foreign is None else foreign.stem
    run = _open(verb, stages.run_folder(verb.common.run, name))
    if foreign is None:
        seen = watching.observe(run, verb.source, verb.seeing, verb.subject)
        interaction = watching.estimate(run, seen, verb.seeing, verb.subject, verb.surroundings)
    else:
        interaction = watching.bring_in(run, verb.foreign, verb.source, verb.seeing, verb.subject, verb.surroundings)
    _warn(interaction)
    _report(run)
    _done(run, f"motion and forces of {len(interaction.observed)} frames ({interaction.status})")


def stroke(verb: commands.Stroke) -> None:
    """A tool alone."""
    run = _open(verb, stages.run_folder(verb.common.run, watching.name_of(verb.source)))
    motion = close_up.stroke(run, verb.source, verb.marks)
    _done(run, f"motion of the {motion.model} in {motion.num_frames} frames; {run.path / 'stroke.png'} shows it")


def learn(verb: commands.Learn) -> None:
    """The whole way."""
    run = _open(verb, stages.run_folder(verb.common.run, watching.name_of(verb.source)))
    subject = verb.subject
    if subject.tool is None and subject.tool_file is None:
        raise UsageError("say which tool the person uses with --tool; `apprentice list` names them")
    seen = watching.observe(run, verb.source, verb.seeing, subject)
    interaction = watching.estimate(run, seen, verb.seeing, subject)
    _warn(interaction)
    _learn_from(run, stages.stroke_of(interaction), verb.scene.task, verb)


def demo(verb: commands.Demo) -> None:
    """The whole way on a rendered clip whose truth is known."""
    from apprentice.demo import TASK, studio_source

    run = _open(verb, stages.run_folder(verb.common.run, "demo"))
    source, seeing, subject = studio_source(run, verb.common.seed)
    seen = watching.observe(run, source, seeing, subject)
    interaction = watching.estimate(run, seen, seeing, subject)
    _warn(interaction)
    _learn_from(run, stages.stroke_of(interaction), TASK, verb)


def align(verb: commands.Align) -> None:
    """The stroke in its scene."""
    if verb.stroke is None and verb.common.run is None:
        raise UsageError("nothing to align: give a STROKE file, or --run DIR with an estimate")
    run = _open(verb, stages.run_folder(verb.common.run, verb.stroke.stem if verb.stroke else ""))
    if verb.stroke is not None:
        stroke = stages.read_stroke_file(verb.stroke, stages.named_tool(verb.tool, verb.tool_file))
    else:
        stroke = stages.stroke_of_run(run)
    demonstration = stages.align(run, stroke, verb.scene.task, verb.common.seed)
    metrics = run.metrics()["align"]
    _done(
        run,
        f"robust placement after {metrics['placements_simulated']} simulated;"
        f" solves {demonstration.score:.0%} of {demonstration.replays} perturbed replays",
    )


def retarget(verb: commands.Retarget) -> None:
    """The robot's motion."""
    run = _later(verb)
    demonstration = stages.load_stage(run, "demonstration", Demonstration, "align")
    stages.retarget(run, demonstration, verb.body, verb.common.seed)
    found = run.metrics()["retarget"]
    _done(
        run,
        f"{verb.body.robot} follows within {found['mean_mm']:.1f} mm (at most {found['max_mm']:.1f}),"
        f" {found['velocity']:.2f} of its velocity limits, stroke {found['slowdown']:.2f} times slower",
    )


def train(verb: commands.Train) -> None:
    """The policy."""
    run = _later(verb)
    demonstration = stages.load_stage(run, "retargeted", Demonstration, "retarget")
    if verb.seeds == 1:
        folder = stages.train(run, demonstration, verb.training, verb.chance, verb.errors, verb.common.seed)
        _done(run, f"policy in {folder}")
        return
    seeds = range(verb.common.seed, verb.common.seed + verb.seeds)
    found = stages.train_seeds(run, demonstration, verb.training, verb.chance, verb.errors, seeds, verb.fresh)
    rows = {
        f"seed {seed}": {"policy": found["seeds"][seed], "zero residual": found["base"][seed]}
        for seed in found["seeds"]
    }
    _table({**rows, "all": {"policy": found["all"], "zero residual": found["base all"]}}, verb.chance.noise, "seed")
    _done(run, f"policies of {verb.seeds} seeds in {run.path / 'seeds'}; the first one is the run's")


def evaluate(verb: commands.Evaluate) -> None:
    """The success table."""
    run = _later(verb)
    demonstration = stages.load_stage(run, "retargeted", Demonstration, "retarget")
    trials = stages.evaluate(run, demonstration, verb.judging, verb.chance, verb.errors, verb.common.seed)
    _table(trials, verb.chance.noise)
    _report(run)
    _done(run, "evaluated")


def fetch(verb: commands.Fetch) -> None:
    """A clip from the network."""
    from perception.fetch import fetch as fetch_clip

    clip = fetch_clip(verb.url, verb.common.run or Path("clips"), start=verb.start, end=verb.end)
    console.print(f"{clip.path}: {clip.num_frames} frames at {clip.fps:.2f} fps")


def view(verb: commands.View) -> None:
    """The 3D scene."""
    from apprentice.view import write_scene

    path = write_scene(_existing(verb))
    console.print(f"{path}\nopen it with: rerun {path}", soft_wrap=True)


def report(verb: commands.Report) -> None:
    """The report."""
    from apprentice.report import write_report

    run = _existing(verb)
    if verb.measured is not None:
        stages.take_measured(run, verb.measured, verb.measured_start)
    console.print(str(write_report(run)), soft_wrap=True)


def export(verb: commands.Export) -> None:
    """Other programs' formats."""
    from motion.exporters import export as export_files

    run = _existing(verb)
    out = verb.out or run.path / "export"
    if verb.agent is not None or verb.to in EPISODE_FORMATS:
        files = stages.export_episodes(run, verb.agent or "policy", verb.to, out, pictures=verb.pictures)
    elif verb.pictures:
        raise UsageError("--pictures films episodes: say whose with --agent")
    elif verb.to == "lerobot" and run.has("retargeted"):
        from motion.exporters.lerobot import export_lerobot

        files = export_lerobot(run.load("retargeted", Demonstration), out)
    else:
        interaction = stages.load_stage(run, "interaction", Interaction, "estimate")
        files = export_files(interaction, verb.to, out, body_model=verb.body_model)
    console.print("\n".join(str(file) for file in files), soft_wrap=True)


def show_list(_: commands.List) -> None:
    """Every pluggable part."""
    from apprentice.tables import tables

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("kind", "name", "what it is"):
        table.add_column(heading, overflow="fold")
    for registry in tables():
        for name, entry in registry.items():
            table.add_row(registry.kind, name, entry.summary)
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)


def _learn_from(run: Run, stroke: Motion, task: str, verb: commands.Learn | commands.Demo) -> None:
    seed = verb.common.seed
    demonstration = stages.align(run, stroke, task, seed)
    moving = stages.retarget(run, demonstration, verb.body, seed)
    stages.train(run, moving, verb.training, verb.chance, verb.errors, seed)
    trials = stages.evaluate(run, moving, verb.judging, verb.chance, verb.errors, seed)
    _table(trials, verb.chance.noise)
    _report(run)
    name, agents = next(iter(trials.items()))
    _done(run, f"policy solves {agents['policy']['success']:.0%} of fresh episodes ({name})")


def _open(verb: Any, path: Path) -> Run:
    """Open the run folder and its log, and keep what was asked for."""
    asked = _asked(path / "config.json") | {type(verb).__name__.lower(): _plain(asdict(verb))}
    run = Run(path, config=asked, force=verb.common.force)
    log_to(run.path / "log.txt")
    return run


def _later(verb: Any) -> Run:
    """Open the folder of a run that an earlier verb has made, to add to it."""
    return _open(verb, _existing(verb).path)


def _existing(verb: Any) -> Run:
    path = verb.folder or verb.common.run
    if path is None:
        raise UsageError("say which run: its folder, or --run DIR")
    if not path.is_dir():
        raise RunError(f"{path}: not a run folder; runs are made by estimate, align, learn or demo")
    return Run(path)


def _asked(path: Path) -> dict[str, Any]:
    """What earlier verbs were asked for in this run."""
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(asked) if isinstance(asked, dict) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _warn(interaction: Interaction) -> None:
    bridged = int((~interaction.observed).sum())
    if bridged:
        _log.warning("%d of %d frames show nothing usable and were bridged", bridged, len(interaction.observed))
    if interaction.assumed:
        _log.info("assumed: %s", ", ".join(f"{name} {value:.4g}" for name, value in interaction.assumed.items()))


def _report(run: Run) -> None:
    from apprentice.report import write_report
    from apprentice.view import write_scene

    write_scene(run)
    write_report(run)


def _table(trials: dict[str, dict[str, dict[str, float]]], noise: float, rows: str = "trial") -> None:
    table = Table(
        title=f"success with objects moved by {100 * noise:.0f} cm (standard deviation)", title_justify="left"
    )
    for heading in (rows, "agent", "success", "95 % interval", "episodes"):
        table.add_column(heading)
    for trial, agents in trials.items():
        for name, outcome in agents.items():
            interval = f"{outcome['low']:.2f} to {outcome['high']:.2f}"
            table.add_row(trial, name, f"{outcome['success']:.2f}", interval, f"{outcome['episodes']:.0f}")
    Console(highlight=False).print(table)


def _done(run: Run, outcome: str) -> None:
    report = run.path / "report.html"
    console.print(f"{run.path}: {outcome}", soft_wrap=True)
    if report.is_file():
        console.print(f"report: {report}", soft_wrap=True)
