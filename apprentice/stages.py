"""The stages from a stroke to a judged policy: each calls one function of a room, and keeps the result in the run."""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apprentice.options import Body, Chance, Errors, Judging, Training
from records import Demonstration, Episodes, Interaction, MeasuredForces, Motion, RecordError, Run, RunError, digest

if TYPE_CHECKING:
    from motion.tool import Tool
    from policies.training import Training as Asked
    from policies.trials import Trial
    from sim.conditions import Spread
    from sim.sensing import Sensing


class UsageError(ValueError):
    """Options that contradict each other, or one that is missing."""


def run_folder(given: Path | None, name: str) -> Path:
    """The folder that the user named, else `runs/<name>`."""
    return given if given is not None else Path("runs") / name


def load_stage(run: Run, name: str, kind: type[Any], verb: str) -> Any:
    """The record of an earlier stage.

    Raises:
        RunError: it has not been made; the message names the verb that makes it.
    """
    if not run.has(name):
        raise RunError(f"{run.path} has no {name}: run `apprentice {verb} --run {run.path}` first")
    return run.load(name, kind)


def named_tool(name: str, file: Path | None) -> Tool:
    """The user's own tool where its file is given, else the one of the table."""
    from motion.tool import TOOLS, load_tool

    tool: Tool = load_tool(file) if file is not None else TOOLS.load(name)
    return tool


def stroke_of(interaction: Interaction) -> Motion:
    """The tool's motion of an estimate.

    Raises:
        UsageError: the estimate was made without a tool.
    """
    if interaction.tool is None:
        raise UsageError(
            "the estimate has no tool; run it again with --tool (and clicks on the tool, if it can be seen)"
        )
    return interaction.tool


def stroke_of_run(run: Run) -> Motion:
    """The tool's motion, alone or of the person's estimate."""
    if run.has("stroke") and not run.has("interaction"):
        return run.load("stroke", Motion)
    return stroke_of(load_stage(run, "interaction", Interaction, "estimate"))


def read_stroke_file(path: Path, tool: Tool) -> Motion:
    """A stroke from a file of head positions, or the tool of a saved Interaction, Motion or Demonstration."""
    from motion.tool import read_stroke

    kinds: tuple[type[Motion | Interaction | Demonstration], ...] = (Motion, Interaction, Demonstration)
    for kind in kinds:
        with contextlib.suppress(RecordError):
            record = kind.load(path)
            stroke = record if isinstance(record, Motion) else record.tool
            if stroke is not None:
                return stroke
    return read_stroke(path, tool)


def take_measured(run: Run, path: Path, start: float) -> MeasuredForces:
    """Stage `measured`: forces that instruments measured, in the frames of the run's estimate."""
    from motion.importers.measured import read_measured

    interaction = load_stage(run, "interaction", Interaction, "estimate")
    measured = read_measured(path, num_frames=len(interaction.observed), fps=interaction.person.fps, start=start)
    measured.save(run.file("measured"))
    return measured


def align(run: Run, stroke: Motion, task: str, seed: int) -> Demonstration:
    """Stage `demonstration`: the stroke placed in the scene of the task."""
    from sim.align import align as align_stroke

    def compute() -> Demonstration:
        found = align_stroke(stroke, task, seed=seed)
        run.add_metrics(
            "align",
            {
                "robust_share": found.demonstration.score,
                "replays": found.demonstration.replays,
                "placements_simulated": found.tried,
                "simulations": found.simulations,
                "remarks": list(found.remarks),
                "placement": {name: float(value) for name, value in found.placement._asdict().items()},
            },
        )
        return found.demonstration

    return run.stage("demonstration", digest(stroke, task, seed), Demonstration, compute)


def retarget(run: Run, demonstration: Demonstration, body: Body, seed: int) -> Demonstration:
    """Stage `retargeted`: the robot's base and joint trajectory."""
    from sim.retarget import retarget as retarget_robot

    def compute() -> Demonstration:
        pedestal = None if body.pedestal == "search" else body.pedestal
        found = retarget_robot(demonstration, body.robot, seed=seed, acceleration=body.acceleration, pedestal=pedestal)
        assert found.demonstration.robot is not None
        height = found.demonstration.robot.parameters["base_z"]
        run.add_metrics("retarget", {**found.tracking._asdict(), "remarks": found.remarks, "pedestal": height})
        return found.demonstration

    return run.stage("retargeted", digest(demonstration, body, seed), Demonstration, compute)


def train(
    run: Run, demonstration: Demonstration, training: Training, chance: Chance, errors: Errors, seed: int
) -> Path:
    """Stage `policy/`: residual learning around the demonstration."""
    from policies.train import train as train_policy

    asked, spread = _asked(training, errors), _spread(chance)

    def make(folder: Path) -> None:
        train_policy(demonstration, folder, training=asked, spread=spread, seed=seed)

    return run.folder_stage("policy", _policy_key(demonstration, asked, spread, seed), make)


def train_seeds(
    run: Run,
    demonstration: Demonstration,
    training: Training,
    chance: Chance,
    errors: Errors,
    seeds: range,
    episodes: int,
) -> dict[str, Any]:
    """A policy for each seed in `seeds/seed-K/`, their success in `metrics.json`; the first one is the run's policy.

    Raises:
        UsageError: fewer than one seed or episode.
    """
    from policies.seeds import train_seeds as train_policies

    if not seeds or episodes < 1:
        raise UsageError(f"{len(seeds)} seeds judged in {episodes} episodes each: at least 1 of both is needed")
    folder, asked, spread = run.path / "seeds", _asked(training, errors), _spread(chance)
    if run.force:
        shutil.rmtree(folder, ignore_errors=True)
    found = train_policies(demonstration, folder, seeds, training=asked, spread=spread, episodes=episodes).plain()
    run.add_metrics("seeds", found)

    def copy(policy: Path) -> None:
        judged = shutil.ignore_patterns("judged.json")
        shutil.copytree(folder / f"seed-{seeds[0]}", policy, dirs_exist_ok=True, ignore=judged)

    run.folder_stage("policy", _policy_key(demonstration, asked, spread, seeds[0]), copy)
    return found


def _asked(training: Training, errors: Errors) -> Asked:
    """The training that options ask for."""
    from policies.training import Training as Asked
    from policies.trials import NOISE

    given, sensing = asdict(training), _sensing(errors)
    if given.pop("noisy"):
        sensing = sensing.at_least(NOISE)
    return Asked(**given, sensing=sensing)


def _policy_key(demonstration: Demonstration, asked: Asked, spread: Spread, seed: int) -> str:
    """Digest of what a policy follows from."""
    bearing = asked._replace(processes=0, start_from=None)._asdict()
    return digest(demonstration, bearing, asked.start_from, spread._asdict(), seed)


def evaluate(
    run: Run, demonstration: Demonstration, judging: Judging, chance: Chance, errors: Errors, seed: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Success of the policy, where there is one, and of the costless agents, by trial and agent.

    It goes into `metrics.json`; episodes of the first trial into `episodes/`, those of others into `episodes/TRIAL`.
    """
    from policies.evaluate import evaluate as evaluate_agents
    from policies.trials import trial

    policy = run.path / "policy" if (run.path / "policy").is_dir() else None
    trials = {name: trial(name, _spread(chance), _sensing(errors)) for name in judging.trials}
    settings = {name: under.plain() for name, under in trials.items()}
    key = digest(demonstration, policy, settings, judging.episodes, seed)
    known = run.metrics().get("evaluate", {})
    if known.get("key") == key and not run.force:
        return dict(known["trials"])
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, under in trials.items():
        result = evaluate_agents(demonstration, policy=policy, episodes=judging.episodes, under=under, seed=seed)
        folder = run.path / "episodes" / ("" if not found else name)
        for agent, episodes in result.episodes.items():
            episodes.save(folder / f"{agent}.npz")
        found[name] = {agent: outcome._asdict() for agent, outcome in result.outcomes.items()}
    first = next(iter(trials))
    judged = {"key": key, "noise": chance.noise, "setting": settings[first], "agents": found[first], "trials": found}
    run.add_metrics("evaluate", judged)
    return found


def judged_under(metrics: Mapping[str, Any]) -> Trial | None:
    """What the episodes of a run were judged under; None where they were not, or by a version that did not say."""
    from policies.trials import Trial

    setting = metrics.get("evaluate", {}).get("setting")
    return None if setting is None else Trial.of(setting)


def _spread(chance: Chance) -> Spread:
    """How conditions are drawn."""
    from sim.conditions import Spread

    return Spread(chance.noise, math.radians(chance.turn), chance.mass_spread, chance.friction_spread)


def _sensing(errors: Errors) -> Sensing:
    """How sensors and actions err."""
    from sim.sensing import Sensing

    sensing = Sensing(
        place=errors.place,
        jitter=errors.jitter,
        turn=math.radians(errors.seen_turn),
        delay=errors.delay,
        action=errors.missed,
        calibration=errors.calibration,
    )
    sensing.check()
    return sensing


def export_episodes(run: Run, agent: str, format: str, out: Path, *, pictures: bool = False) -> list[Path]:
    """Write the judged episodes of an agent as a dataset, with pictures of the scene where they are wanted.

    Raises:
        UsageError: the agent has not been judged in this run.
        UnknownName: no such dataset format.
        DatasetError: the episodes do not fit the format.
    """
    from policies.agents import AGENTS
    from policies.datasets import write_dataset
    from policies.datasets.replayed import Replayed
    from sim.actions import model_of

    demonstration = load_stage(run, "retargeted", Demonstration, "retarget")
    if not run.has(f"episodes/{agent}"):
        judged = sorted(path.stem for path in (run.path / "episodes").glob("*.npz"))
        raise UsageError(f"no episodes of {agent!r} in {run.path}; there are: {', '.join(judged) or 'none'}")
    episodes = run.load(f"episodes/{agent}", Episodes)
    under = judged_under(run.metrics())
    if under is None:
        raise UsageError(f"{run.path} does not say what its episodes were judged under; run apprentice evaluate again")
    if not pictures:
        return write_dataset(episodes, demonstration, format, out, under=under)
    follows = AGENTS.load(agent).follows if agent in AGENTS else True
    with Replayed(demonstration, under, follows=follows, action=model_of(episodes.action_names)) as film:
        return write_dataset(episodes, demonstration, format, out, under=under, pictures=film)
