"""Users' own episodes: what format a path is of, and what the data say about where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from policies.rewards.reward import RewardError, Watched
from records import Entry, Registry

READERS = Registry(
    "format of episodes",
    {
        "lerobot": Entry("policies.rewards.evaluation.data.lerobot:read_lerobot", "folder of a LeRobotDataset v3.0"),
        "robomimic": Entry("policies.rewards.evaluation.data.robomimic:read_robomimic", "robomimic's demo.hdf5"),
        "minari": Entry("policies.rewards.evaluation.data.minari:read_minari", "folder of a Minari dataset"),
        "episodes": Entry(
            "policies.rewards.evaluation.data.recorded:read_recorded", "episodes of `apprentice evaluate`"
        ),
    },
)


Part = Literal["all", "even", "odd"]
"""Which of the episodes."""


class DataError(RewardError):
    """Files that hold no episodes that a reward could judge."""


class Place(NamedTuple):
    """Where an episode stands in the whole of the data."""

    episode: int
    """Its number, from 0."""
    frame: int
    """Number of its first frame among the frames of all episodes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Episodes of one environment."""

    path: Path
    format: str
    episodes: Sequence[Watched]
    environment: Mapping[str, Any] = field(default_factory=dict)
    """What is said of where they come from; `task`, `observations` and others where this house wrote them."""
    seeds: Sequence[int] = ()
    """That the episodes were reset with, where they are known."""
    remarks: Sequence[str] = ()
    """What had to be assumed."""
    places: Sequence[Place] = ()
    """Of the episodes, where they do not simply follow each other; see `placed`."""

    def placed(self) -> Sequence[Place]:
        """Where each episode stands in the whole of the data, be it that only a part of them is here."""
        if self.places:
            return self.places
        first = np.cumsum([0, *(len(episode) + 1 for episode in self.episodes)]).tolist()
        return [Place(k, first[k]) for k in range(len(self.episodes))]

    def part(self, which: Part) -> Dataset:
        """The even or the odd ones of the episodes, counted from 0: one half to learn from, the other to judge by.

        Raises:
            DataError: there is none.
        """
        if which == "all":
            return self
        half = slice(which == "odd", None, 2)
        if not self.episodes[half]:
            raise DataError(f"{self.path}: holds a single episode, none of the {which} ones")
        return replace(self, episodes=self.episodes[half], seeds=self.seeds[half], places=self.placed()[half])


_DAMAGED = (OSError, KeyError, ValueError, TypeError, IndexError, AttributeError)
"""What reading a file raises that is cut off, or laid out otherwise than its format says."""


def read_episodes(path: Path | str, *, format: str | None = None, fps: float | None = None) -> Dataset:
    """Read episodes of any format.

    Args:
        path: file or folder.
        format: name in `READERS`; found out by default.
        fps: steps a second, for data that do not state them or state them wrongly.

    Raises:
        DataError: nothing that is known, or nothing in it.
        UnknownName: no such format.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: there is nothing; give a LeRobot v3 folder, a robomimic or Minari file, or episodes")
    read = READERS.load(format or format_of(path))
    try:
        found: Dataset = read(path, fps)
    except DataError:
        raise
    except RewardError as error:
        raise DataError(f"{path}: {error}") from error
    except _DAMAGED as error:
        told = str(error.args[0] if error.args else error)
        raise DataError(f"{path}: cannot be read as {format or format_of(path)} ({told})") from error
    if not found.episodes:
        raise DataError(f"{path}: holds no episode of at least one step")
    return found


def format_of(path: Path) -> str:
    """Name of the format that a path looks like.

    Raises:
        DataError: none.
    """
    if (path / "meta/info.json").is_file():
        return "lerobot"
    if path.suffix == ".npz":
        return "episodes"
    if _minari(path) is not None:
        return "minari"
    if path.suffix in (".hdf5", ".h5"):
        return "robomimic"
    raise DataError(
        f"{path}: unknown data; expected a LeRobot v3 folder (meta/info.json), a robomimic file (.hdf5), a Minari"
        " folder (main_data.hdf5), or episodes of `apprentice evaluate` (.npz)"
    )


def holds_episodes(path: Path) -> bool:
    """Whether a path looks like data of a known format."""
    try:
        format_of(path)
    except DataError:
        return False
    return True


def _minari(path: Path) -> Path | None:
    """The HDF5 file of a Minari dataset that is named by itself, by its folder, or by the folder above."""
    for file in (path, path / "main_data.hdf5", path / "data/main_data.hdf5"):
        if file.name == "main_data.hdf5" and file.is_file():
            return file
    return None


def minari_file(path: Path) -> Path:
    """See `_minari`.

    Raises:
        DataError: there is none.
    """
    found = _minari(path)
    if found is None:
        raise DataError(f"{path}: no Minari dataset (main_data.hdf5) in it")
    return found


def moments_alone(
    obs: Float[np.ndarray, "T D"], action: Float[np.ndarray, "T A"], reward: Float[np.ndarray, "T"] | None
) -> tuple[Float[np.ndarray, "O D"], Float[np.ndarray, "S A"], Float[np.ndarray, "S"] | None] | None:
    """Steps between the moments that are known, where the observation after the last action is not.

    The last action is left out, for where it led is not known; what it earned is added to the step before. None for an
    episode of a single moment.
    """
    if len(obs) < 2:
        return None
    if reward is not None:
        reward = np.append(reward[:-2], reward[-2] + reward[-1])
    return obs, action[:-1], reward


def is_numeric(column: Any) -> bool:
    """Whether a column of a file holds numbers or truth values, and no text."""
    return column.dtype.kind in "biuf"


def first_camera(cameras: Sequence[str]) -> tuple[str | None, list[str]]:
    """The camera whose pictures are read, if there is one, and what has to be said of that."""
    remarks = [f"pictures are those of {cameras[0]}, the first of {len(cameras)} cameras"] if len(cameras) > 1 else []
    return (cameras[0] if cameras else None), remarks


def names_for(count: int, names: Sequence[str] | None) -> tuple[str, ...]:
    """Names of observations; numbered ones where none are given, or not as many."""
    return tuple(names) if names is not None and len(names) == count else tuple(f"obs_{k}" for k in range(count))
