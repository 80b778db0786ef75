"""The table of dataset formats, and the one function that writes any of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from policies.trials import NOMINAL, Trial
from records import Demonstration, Entry, Episodes, Registry

DATASETS = Registry(
    "dataset format",
    {
        "lerobot": Entry("policies.datasets.lerobot:write_lerobot", "LeRobotDataset v3.0: parquet, mp4"),
        "robomimic": Entry("policies.datasets.robomimic:write_robomimic", "robomimic HDF5: one group an episode"),
        "minari": Entry("policies.datasets.minari:write_minari", "Minari: HDF5 with the environment's spaces"),
    },
)

CAMERA = "front"
"""Name of the view of the scene."""


class DatasetError(ValueError):
    """Episodes that do not make a dataset of the format asked for."""


class EpisodeSteps(NamedTuple):
    """One episode of n steps."""

    seed: int
    success: bool
    obs: Float[np.ndarray, "O D"]
    """n + 1 observations: before each step, and after the last."""
    action: Float[np.ndarray, "n A"]
    reward: Float[np.ndarray, "n"]
    terms: Float[np.ndarray, "n R"]
    """Terms of the reward."""
    terminated: np.ndarray
    """(n) bool: the last step of an episode that the task ended."""
    truncated: np.ndarray
    """(n) bool: the last step of an episode that was cut off."""

    def __len__(self) -> int:
        """Count the steps."""
        return len(self.reward)

    @property
    def done(self) -> np.ndarray:
        """(n) bool: the last step."""
        return self.terminated | self.truncated


@runtime_checkable
class Pictures(Protocol):
    """Films the scene of episodes."""

    size_hw: tuple[int, int]

    def of(self, episodes: Episodes, number: int) -> Iterator[np.ndarray]:
        """Images (H, W, 3) uint8 of episode `number`: one for each observation before a step."""


def steps_of(episodes: Episodes) -> Iterator[EpisodeSteps]:
    """One episode after the other."""
    ends = np.cumsum(episodes.length)
    for e, (end, length) in enumerate(zip(ends.tolist(), episodes.length.tolist(), strict=True)):
        steps = slice(end - length, end)
        last = np.arange(length) == length - 1
        yield EpisodeSteps(
            seed=int(episodes.seed[e]),
            success=bool(episodes.success[e]),
            obs=episodes.obs[steps.start + e : end + e + 1],
            action=episodes.action[steps],
            reward=episodes.reward[steps],
            terms=episodes.reward_terms[steps],
            terminated=last & episodes.terminated[e],
            truncated=last & ~episodes.terminated[e],
        )


def environment_arguments(episodes: Episodes, demonstration: Demonstration, under: Trial) -> dict[str, Any]:
    """What the environment is made again from: plain values only.

    With the seed of an episode, and its actions, it repeats the episode exactly.
    """
    return {
        "task": demonstration.task,
        "tool": demonstration.tool.model,
        "robot": demonstration.robot.model if demonstration.robot is not None else None,
        "scene": dict(demonstration.scene),
        "control_rate": episodes.fps,
        "observations": list(episodes.obs_names),
        "actions": list(episodes.action_names),
        "reward_terms": list(episodes.term_names),
        **under.plain(),
    }


def write_dataset(
    episodes: Episodes,
    demonstration: Demonstration,
    format: str,
    folder: Path | str,
    *,
    under: Trial = NOMINAL,
    pictures: Pictures | None = None,
) -> list[Path]:
    """Write the episodes of an agent and return the files written, each of them whole or absent.

    Args:
        episodes: one or more.
        demonstration: what the agent corrects; its environment is described in the dataset.
        format: name in `DATASETS`.
        folder: where; made as needed.
        under: how the scene varied, and how sensors and actions erred; kept with the data.
        pictures: films the scene where pictures are wanted.

    Raises:
        UnknownName: no such format; the message lists the formats.
        DatasetError: no episodes, episodes of another task, or pictures in a format without them.
    """
    write = DATASETS.load(format)
    if not len(episodes.length):
        raise DatasetError("no episodes: a dataset needs at least one")
    if episodes.task != demonstration.task:
        raise DatasetError(f"episodes of the task {episodes.task!r} with a demonstration of {demonstration.task!r}")
    arguments = environment_arguments(episodes, demonstration, under)
    try:
        files: list[Path] = write(episodes, Path(folder), arguments, pictures)
    except OSError as error:
        raise DatasetError(f"cannot write {format} into {folder}: {error.strerror or error}") from error
    return files
