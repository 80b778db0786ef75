"""Episodes that this house recorded (`records.Episodes`)."""

from __future__ import annotations

from pathlib import Path

from policies.rewards.evaluation.data.reading import DataError, Dataset
from policies.rewards.watching import watched_episodes
from records import Episodes, RecordError


def read_recorded(path: Path, fps: float | None) -> Dataset:
    """Read a record.

    Raises:
        DataError: it is none of episodes.
    """
    try:
        found = Episodes.load(path)
    except RecordError as error:
        raise DataError(str(error)) from error
    if fps is not None:
        found = found.replace(fps=fps)
    told = {
        "task": found.task,
        "agent": found.agent,
        "observations": list(found.obs_names),
        "actions": list(found.action_names),
    }
    return Dataset(
        path=path, format="episodes", episodes=watched_episodes(found), environment=told, seeds=found.seed.tolist()
    )
