"""Robomimic's HDF5 (robomimic.github.io, "Dataset structure"): one group an episode, low-dimensional and image keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from policies.datasets.dataset import CAMERA, Pictures, steps_of
from records import Episodes
from records.atomic import atomic_path

GYM = 2
"""Kind of environment in robomimic's own numbering."""
STATE, IMAGE = "state", f"{CAMERA}_image"
"""Keys of the observations."""


def write_robomimic(
    episodes: Episodes, folder: Path, arguments: Mapping[str, Any], pictures: Pictures | None
) -> list[Path]:
    """Write `demo.hdf5`.

    `states` (n, 2) name a state by the episode's seed and the number of steps since its reset: the environment repeats
    an episode exactly from its seed and its actions, so this says as much as a dump of the simulation. The masks are
    `success` and `failure`.
    """
    import h5py

    path = folder / "demo.hdf5"
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        data, names = file.create_group("data"), []
        data.attrs["total"] = int(episodes.length.sum())
        described = {"env_name": str(arguments["task"]), "type": GYM, "env_kwargs": dict(arguments)}
        data.attrs["env_args"] = json.dumps(described)
        for e, episode in enumerate(steps_of(episodes)):
            names.append(f"demo_{e}")
            demo = data.create_group(names[-1])
            demo.attrs["num_samples"] = len(episode)
            demo.attrs["seed"], demo.attrs["success"] = episode.seed, episode.success
            columns = {
                "states": np.stack([np.full(len(episode), episode.seed), np.arange(len(episode))], axis=1),
                "actions": episode.action.astype(np.float32),
                "rewards": episode.reward.astype(np.float32),
                "dones": episode.done.astype(np.int64),
                f"obs/{STATE}": episode.obs[:-1].astype(np.float32),
                f"next_obs/{STATE}": episode.obs[1:].astype(np.float32),
            }
            if pictures is not None:
                # robomimic learns from `obs`; where it wants `next_obs` it takes them from there.
                columns[f"obs/{IMAGE}"] = np.stack(list(pictures.of(episodes, e)))
            for key, value in columns.items():
                demo.create_dataset(key, data=value, compression="gzip" if value.ndim > 2 else None)
        solved = np.asarray(episodes.success, bool)
        for mask, chosen in (("success", solved), ("failure", ~solved)):
            file.create_dataset(f"mask/{mask}", data=np.array(names, "S")[chosen])
    return [path]
