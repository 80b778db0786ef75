"""What the verbs of `apprentice rewards` do with finished rewards: judge them, and write the progress of frames."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.table import Table

from apprentice.reward_data import demonstration_of, seen_by, under_of
from apprentice.reward_training import has_seen
from apprentice.showing import console, log_to
from apprentice.stages import UsageError
from records import Demonstration
from records.atomic import write_json, write_text

if TYPE_CHECKING:
    from apprentice import commands
    from policies.rewards.evaluation.canonical.dard import Dynamics
    from policies.rewards.evaluation.canonical.epic import TransitionReward
    from policies.rewards.evaluation.data.reading import Dataset
    from policies.rewards.evaluation.hacking import Hacking
    from policies.rewards.evaluation.judgement import Judgement
    from policies.rewards.evaluation.trained import Trained
    from policies.rewards.reward import Reward
    from policies.trials import Trial


class _Scene(NamedTuple):
    """The environment that the data come from."""

    demonstration: Demonstration
    under: Trial
    """How it varied when they were recorded, as far as they tell."""


def evaluate(verb: commands.RewardsEvaluate) -> None:
    """One page and one JSON file for each reward, and a table of all."""
    from policies.rewards.evaluation.loading import named_reward

    specs = _titles(verb.reward)
    _check(verb)
    data = _data(verb)
    rewards = {name: named_reward(spec) for name, spec in specs.items()}
    scene = _scene(verb, data)
    found, scales = _judged(verb, data, rewards, specs, scene)
    verb.out.mkdir(parents=True, exist_ok=True)
    log_to(verb.out / "log.txt")
    hacked: dict[str, Hacking] = {}
    if verb.hack and scene is not None:
        hacked = {name: _hacked(verb, name, spec, scene) for name, spec in specs.items()}
    trained = _trained(verb, specs, scales, scene) if verb.train and scene is not None else None
    _write(verb, data, found, specs, hacked, trained)
    for one in found:
        for caution in one.cautions:
            console.print(f"{one.name}: {caution}", soft_wrap=True, style="yellow")
    pages = f"{verb.out / 'ranking.html'}, and a page and a JSON file for each reward beside it"
    console.print(f"{len(data.episodes)} episodes ({data.format}); {pages}", soft_wrap=True)


def _check(verb: commands.RewardsEvaluate) -> None:
    counted = min(verb.seeds, verb.episodes, verb.hack_steps) >= 1 and min(verb.hack, verb.stray, verb.train) >= 0
    if verb.transitions < 2 or not 0 <= verb.gamma <= 1 or not counted:
        raise UsageError(
            "--transitions at least 2, --gamma from 0 to 1, --seeds, --episodes and --hack-steps at least 1, --hack,"
            " --stray and --train 0"
        )


def _scene(verb: commands.RewardsEvaluate, data: Dataset) -> _Scene | None:
    """Where something is acted out; None where nothing asks for it.

    Raises:
        UsageError: it is needed and not named, or another one than that of the data.
    """
    from policies.rewards.evaluation.repeated import recorded_under
    from policies.trials import NOMINAL

    if verb.demonstration is None:
        if verb.hack or verb.train or verb.stray or verb.dynamics == "simulated":
            raise UsageError(
                "--hack, --stray, --train and --dynamics simulated need the environment: name its --demonstration"
                " (record or run folder)"
            )
        return None
    under = under_of(data) or recorded_under(data) or NOMINAL
    return _Scene(demonstration_of(verb.demonstration, data), under)


def _judged(
    verb: commands.RewardsEvaluate,
    data: Dataset,
    rewards: Mapping[str, Reward],
    specs: Mapping[str, str],
    scene: _Scene | None,
) -> tuple[list[Judgement], dict[str, float]]:
    """What each reward is worth by the data, and the factors by which learners are paid, where policies learn."""
    from policies.rewards.evaluation.astray import astray
    from policies.rewards.evaluation.judgement import Asked, judge_reward
    from policies.rewards.evaluation.trained import scale_of

    dynamics = _dynamics(verb, data, scene)
    asked = Asked(_truth(verb, data), verb.gamma, verb.transitions, verb.common.seed, dynamics)
    found, scales = [], {}
    for name, reward in rewards.items():
        seen = seen_by(reward, reward.name, data, None if scene is None else scene.demonstration)
        one = _flattered(judge_reward(name, reward, seen, asked), specs[name], verb)
        if verb.stray and scene is not None:
            misses = astray(reward, scene.demonstration, under=scene.under, episodes=verb.stray, seed=verb.common.seed)
            one = one.with_strayed(misses)
        if verb.train:
            scales[name] = scale_of(reward, seen.episodes)
        found.append(one)
    return found, scales


def _truth(verb: commands.RewardsEvaluate, data: Dataset) -> TransitionReward | None:
    """The true reward that the user names, tried on an episode: here it fails at once, not in each of the distances."""
    from policies.rewards.evaluation.loading import named_reward
    from policies.rewards.evaluation.transitions import of_transitions
    from policies.rewards.reward import judge

    if verb.truth is None:
        return None
    true = named_reward(verb.truth)
    judge(true, data.episodes[0])
    return of_transitions(true, list(data.episodes))


def _trained(
    verb: commands.RewardsEvaluate, specs: Mapping[str, str], scales: Mapping[str, float], scene: _Scene
) -> Trained:
    """True success of policies that learn from the rewards."""
    from policies.rewards.evaluation.trained import train_on
    from policies.rewards.online import Paying
    from policies.training import Training

    return train_on(
        {name: Paying(spec, scales[name]) for name, spec in specs.items()},
        scene.demonstration,
        verb.out / "policies",
        training=Training(steps=verb.train, sensing=scene.under.sensing),
        spread=scene.under.spread,
        seeds=range(verb.common.seed, verb.common.seed + verb.seeds),
        episodes=verb.episodes,
    )


def _write(
    verb: commands.RewardsEvaluate,
    data: Dataset,
    found: Sequence[Judgement],
    specs: Mapping[str, str],
    hacked: Mapping[str, Hacking],
    trained: Trained | None,
) -> None:
    """Pages and JSON files, and the table of all."""
    from apprentice.reward_page import ranking_page, reward_page
    from policies.rewards.evaluation.judgement import ranked

    about = {
        "data": str(data.path),
        "part": verb.part,
        "format": data.format,
        "remarks": list(data.remarks),
        "gamma": verb.gamma,
        "transitions": verb.transitions,
        "dynamics": verb.dynamics,
        "seed": verb.common.seed,
    }
    for one in found:
        note: dict[str, Any] = {**one.plain(), "about": about | {"reward": specs[one.name]}}
        if one.name in hacked:
            note["hacking"] = hacked[one.name].plain()
        if trained is not None:
            note["trained"] = trained.plain()
        write_json(verb.out / f"{_file(one.name)}.json", note)
        page = reward_page(one, data, hacked.get(one.name), trained, verb.gamma)
        write_text(verb.out / f"{_file(one.name)}.html", page)
    order = ranked(found, hacked)
    write_text(verb.out / "ranking.html", ranking_page(order, data, hacked, trained, _file))
    write_json(verb.out / "ranking.json", [{"name": one.name, **figures} for one, figures in order])
    _show(order)


def progress(verb: commands.RewardsProgress) -> None:
    """The parquet file of a reward."""
    from policies.rewards.evaluation.data.progress import write_progress
    from policies.rewards.evaluation.loading import named_reward

    data = _data(verb)
    frames = write_progress(named_reward(verb.reward), data, verb.out)
    console.print(f"{verb.out}: progress of {frames:,} frames of {len(data.episodes)} episodes", soft_wrap=True)


def _data(verb: commands.RewardsEvaluate | commands.RewardsProgress) -> Dataset:
    from policies.rewards.evaluation.data.reading import read_episodes

    return read_episodes(verb.data, format=verb.format, fps=verb.fps).part(verb.part)


def _dynamics(verb: commands.RewardsEvaluate, data: Dataset, scene: _Scene | None) -> Dynamics | None:
    """DARD's, where they shall be simulated."""
    from policies.rewards.evaluation.simulated import Simulated

    if verb.dynamics == "seen" or scene is None:
        return None
    return Simulated(data, scene.demonstration, under=scene.under, seed=verb.common.seed)


def _hacked(verb: commands.RewardsEvaluate, name: str, spec: str, scene: _Scene) -> Hacking:
    """What the optimiser that was asked for buys with a reward."""
    from policies.rewards.evaluation.hacking import hack
    from policies.rewards.evaluation.hacking_by_learning import hack_by_learning
    from policies.rewards.evaluation.loading import named_reward
    from policies.training import Training

    demonstration, under = scene
    seed = verb.common.seed
    if verb.hack_with == "cma":
        return hack(named_reward(spec), demonstration, under=under, episodes=verb.hack, seed=seed)
    folder, learning = verb.out / "hacking" / _file(name), Training(steps=verb.hack_steps)
    return hack_by_learning(spec, demonstration, folder, under=under, episodes=verb.hack, learning=learning, seed=seed)


def _flattered(found: Judgement, spec: str, verb: commands.RewardsEvaluate) -> Judgement:
    """With a caution, where the reward was learned from the episodes that it is judged by."""
    if not has_seen(Path(spec), verb.data, verb.part):
        return found
    caution = "It was learned from these very episodes, which flatters it: learn from --part even, judge by --part odd."
    return found._replace(cautions=(caution, *found.cautions))


def _titles(specs: tuple[str, ...]) -> dict[str, str]:
    """Rewards by what they are called; those that would be called the same, by all that names them."""
    from policies.rewards.evaluation.loading import title_of

    titles = [title_of(spec) for spec in specs]
    named = {t if titles.count(t) == 1 else spec: spec for t, spec in zip(titles, specs, strict=True)}
    if len(named) < len(specs):
        raise UsageError("a reward is named twice with --reward; name each once")
    return named


def _file(name: str) -> str:
    """A name as files may have it."""
    return re.sub(r"[^\w.-]+", "_", name).strip("_.") or "reward"


def _show(order: list[Any]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = ["reward", *dict.fromkeys(key for _, figures in order for key in figures)]
    for heading in columns:
        table.add_column(heading, justify="left" if heading == "reward" else "right")
    for one, figures in order:
        table.add_row(one.name, *(f"{figures[key]:.3f}" if key in figures else "-" for key in columns[1:]))
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
