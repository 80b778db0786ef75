"""Data of the user beside the environment that they come from: its demonstration, and what is seen in it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from apprentice.stages import UsageError, judged_under
from records import Demonstration, Run

if TYPE_CHECKING:
    from policies.rewards.evaluation.data.reading import Dataset
    from policies.rewards.film import Looking
    from policies.trials import Trial


def demonstration_of(path: Path, data: Dataset) -> Demonstration:
    """The demonstration of the environment that the data come from, by its file or its run.

    Raises:
        UsageError: it is of another environment.
    """
    from policies.trials import NOMINAL

    file = next((f for f in (path / "retargeted.npz", path / "demonstration.npz") if f.is_file()), path)
    found = Demonstration.load(file)
    env = NOMINAL.environment(found)
    names = tuple(env.obs_names)
    env.close()
    seen, task = data.episodes[0].obs_names, data.environment.get("task")
    if seen != names or task not in (None, found.task):
        raise UsageError(
            f"{data.path} does not come from the environment of {file}: its task is {task or 'not stated'} with"
            f" {len(seen)} observations, that of the demonstration {found.task} with {len(names)}"
        )
    return found


def seen_by(reward: Looking, name: str, data: Dataset, demonstration: Demonstration | None) -> Dataset:
    """The data with what a reward looks at: episodes that do not hold it are repeated in their environment.

    Raises:
        UsageError: the environment is not named.
        DataError: they cannot be repeated.
    """
    from policies.rewards.evaluation.repeated import lacks, repeated

    if not lacks(reward, data.episodes):
        return data
    if demonstration is None:
        what = " and ".join(sorted(reward.needs & {"frames", "forces"}))
        raise UsageError(
            f"the reward {name!r} looks at {what}, which {data.path} does not hold: name the --demonstration of"
            " its environment, and the episodes are repeated there"
        )
    return repeated(data, demonstration, reward, under=under_of(data))


def under_of(data: Dataset) -> Trial | None:
    """What episodes in a run folder were judged under; None of others."""
    run = data.path.resolve().parent.parent
    return judged_under(Run(run).metrics()) if (run / "metrics.json").is_file() else None
