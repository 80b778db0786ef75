"""What the verbs of `apprentice rewards` do with finished rewards: judge them, and write the progress of frames."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from policies.rewards.evaluation.data.reading import Dataset
    from policies.rewards.evaluation.hacking import Hacking
    from policies.rewards.evaluation.judgement import Judgement
    from policies.rewards.evaluation.trained import Trained


def evaluate(verb: commands.RewardsEvaluate) -> None:
    """One page and one JSON file for each reward, and a table of all."""
    from apprentice.reward_page import ranking_page, reward_page
    from policies.rewards.evaluation.judgement import Asked, judge_reward, ranked
    from policies.rewards.evaluation.loading import named_reward
    from policies.rewards.evaluation.transitions import of_transitions
    from policies.rewards.reward import judge

    specs = _titles(verb.reward)
    counted = min(verb.seeds, verb.episodes, verb.hack_steps) >= 1 and min(verb.hack, verb.stray) >= 0
    if verb.transitions < 2 or not 0 <= verb.gamma <= 1 or not counted:
        raise UsageError(
            "--transitions at least 2, --gamma from 0 to 1, --seeds, --episodes and --hack-steps at least 1, --hack and"
            " --stray 0"
        )
    data, demonstration = _data(verb), None
    rewards = {name: named_reward(spec) for name, spec in specs.items()}
    acting = verb.hack or verb.train or verb.stray or verb.dynamics == "simulated"
    if acting or verb.demonstration is not None:
        demonstration = _demonstration(verb.demonstration, data)
    episodes = list(data.episodes)
    truth = None
    if verb.truth is not None:
        true = named_reward(verb.truth)
        judge(true, episodes[0])  # refused here, not in each of the distances
        truth = of_transitions(true, episodes)
    asked = Asked(truth, verb.gamma, verb.transitions, verb.common.seed, _dynamics(verb, data, demonstration))
    found = [judge_reward(name, r, seen_by(r, r.name, data, demonstration), asked) for name, r in rewards.items()]
    found = [_flattered(one, specs[one.name], verb) for one in found]
    if verb.stray and demonstration is not None:
        from policies.rewards.evaluation.astray import astray

        for k, one in enumerate(found):
            misses = astray(rewards[one.name], demonstration, episodes=verb.stray, seed=verb.common.seed)
            found[k] = one.with_strayed(misses)
    verb.out.mkdir(parents=True, exist_ok=True)
    log_to(verb.out / "log.txt")
    hacked: dict[str, Hacking] = {}
    if verb.hack and demonstration is not None:
        hacked = {name: _hacked(verb, name, spec, demonstration) for name, spec in specs.items()}
    trained: Trained | None = None
    if verb.train and demonstration is not None:
        from policies.rewards.evaluation.trained import train_on
        from policies.training import Training

        seeds = range(verb.common.seed, verb.common.seed + verb.seeds)
        training = Training(steps=verb.train)
        trained = train_on(
            specs,
            demonstration,
            verb.out / "policies",
            episodes,
            training=training,
            seeds=seeds,
            episodes=verb.episodes,
        )
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
    for one in found:
        for caution in one.cautions:
            console.print(f"{one.name}: {caution}", soft_wrap=True, style="yellow")
    pages = f"{verb.out / 'ranking.html'}, and a page and a JSON file for each reward beside it"
    console.print(f"{len(episodes)} episodes ({data.format}); {pages}", soft_wrap=True)


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


def _dynamics(verb: commands.RewardsEvaluate, data: Dataset, demonstration: Demonstration | None) -> Dynamics | None:
    """DARD's, where they shall be simulated."""
    from policies.rewards.evaluation.simulated import Simulated

    if verb.dynamics == "seen" or demonstration is None:
        return None
    return Simulated(data, demonstration, under=under_of(data), seed=verb.common.seed)


def _hacked(verb: commands.RewardsEvaluate, name: str, spec: str, demonstration: Demonstration) -> Hacking:
    """What the optimiser that was asked for buys with a reward."""
    from policies.rewards.evaluation.hacking import hack
    from policies.rewards.evaluation.hacking_by_learning import hack_by_learning
    from policies.rewards.evaluation.loading import named_reward
    from policies.training import Training

    seed = verb.common.seed
    if verb.hack_with == "cma":
        return hack(named_reward(spec), demonstration, episodes=verb.hack, seed=seed)
    folder, learning = verb.out / "hacking" / _file(name), Training(steps=verb.hack_steps)
    return hack_by_learning(spec, demonstration, folder, episodes=verb.hack, learning=learning, seed=seed)


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


def _demonstration(path: Path | None, data: Dataset) -> Demonstration:
    """See `demonstration_of`; here one is needed."""
    if path is None:
        raise UsageError(
            "--hack, --stray, --train and --dynamics simulated need the environment: name its --demonstration (record"
            " or run folder)"
        )
    return demonstration_of(path, data)


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
