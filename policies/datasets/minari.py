"""Minari's HDF5 (minari.farama.org, "Dataset standards"): what gymnasium users load offline episodes from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from policies.datasets.dataset import DatasetError, Pictures, steps_of
from records import Episodes
from records.atomic import atomic_path, write_json

VERSION = 0
"""Of the datasets written."""
WRITTEN_FOR = "0.5.0"
"""First version of Minari that reads them; later ones list it among those that they support."""


def write_minari(
    episodes: Episodes, folder: Path, arguments: Mapping[str, Any], pictures: Pictures | None
) -> list[Path]:
    """Write `apprentice/TASK/AGENT-v0/data` below `folder`: the layout of a root of Minari datasets.

    `MINARI_DATASETS_PATH=folder` lets `minari.load_dataset("apprentice/TASK/AGENT-v0")` find it. The metadata come
    last: a dataset that has them is whole.

    Raises:
        DatasetError: pictures are asked for, which this layout of one observation vector does not hold.
    """
    import h5py

    if pictures is not None:
        raise DatasetError("pictures go into the formats lerobot and robomimic; minari holds the observations alone")
    name = f"apprentice/{_word(episodes.task)}/{_word(episodes.agent)}-v{VERSION}"
    data = folder / name / "data"
    (data / "metadata.json").unlink(missing_ok=True)
    with atomic_path(data / "main_data.hdf5") as temporary, h5py.File(temporary, "w", track_order=True) as file:
        for e, episode in enumerate(steps_of(episodes)):
            group = file.create_group(f"episode_{e}")
            group.attrs["id"], group.attrs["total_steps"] = e, len(episode)
            group.attrs["seed"], group.attrs["success"] = episode.seed, episode.success
            columns = {
                "observations": episode.obs,
                "actions": episode.action.astype(np.float32),
                "rewards": episode.reward,
                "terminations": episode.terminated,
                "truncations": episode.truncated,
                **{f"infos/{term}": np.append(0.0, episode.terms[:, k]) for k, term in enumerate(episodes.term_names)},
            }
            for key, value in columns.items():
                group.create_dataset(key, data=value)
    metadata = {
        "dataset_id": name,
        "data_format": "hdf5",
        "jpeg_encoding": False,
        "minari_version": WRITTEN_FOR,
        "total_episodes": len(episodes.length),
        "total_steps": int(episodes.length.sum()),
        "dataset_size": round((data / "main_data.hdf5").stat().st_size / 1e6, 1),
        "observation_space": _box(episodes.obs.shape[1], np.inf, "float64"),
        "action_space": _box(episodes.action.shape[1], 1.0, "float32"),
        "algorithm_name": episodes.agent,
        "environment_arguments": dict(arguments),
    }
    write_json(data / "metadata.json", metadata)
    return [data / "main_data.hdf5", data / "metadata.json"]


def _word(name: str) -> str:
    """A name as identifiers of Minari may hold it."""
    return re.sub(r"\W+", "_", name)


def _box(size: int, bound: float, dtype: str) -> str:
    """A box space as Minari writes it: JSON in a string, which may hold infinities."""
    return json.dumps({"type": "Box", "dtype": dtype, "shape": [size], "low": [-bound] * size, "high": [bound] * size})
