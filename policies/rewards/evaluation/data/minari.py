"""Minari's HDF5 (minari.farama.org, "Dataset standards"), read without Minari."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from policies.rewards.evaluation.data.reading import DataError, Dataset, is_numeric, minari_file
from policies.rewards.reward import Watched


def read_minari(path: Path, fps: float | None) -> Dataset:
    """Read observations (dictionaries and tuples of vectors are put one after the other), actions and rewards.

    Success is the attribute `success` of an episode, or `infos/success` in any of its steps; else not known.
    """
    import h5py

    file_path = minari_file(path)
    described = file_path.with_name("metadata.json")
    metadata = json.loads(described.read_text(encoding="utf-8")) if described.is_file() else {}
    told = dict(metadata.get("environment_arguments") or {})
    told |= {"dataset_id": metadata.get("dataset_id")} if metadata else {}
    rate = fps or told.get("control_rate")
    remarks = [] if rate else ["no control rate is stated: one step a second is assumed"]
    found, seeds = [], []
    with h5py.File(file_path) as file:
        for name in sorted(file, key=lambda name: [int(n) for n in re.findall(r"\d+", name)] or [0]):
            group = file[name]
            if not len(group["rewards"]):
                continue
            obs, names = _together(group["observations"], "")
            action, _ = _together(group["actions"], "")
            if not names or not action.shape[1]:
                raise DataError(f"{file_path}: {name} has no observations or no actions that are numbers")
            if len(obs) != len(action) + 1:
                raise DataError(f"{file_path}: {name} has {len(obs)} observations and {len(action)} actions")
            ours = told.get("observations")
            found.append(
                Watched(
                    obs=obs,
                    obs_names=tuple(ours) if ours is not None and len(ours) == len(names) else tuple(names),
                    action=action,
                    fps=float(rate or 1.0),
                    success=_success(group),
                    reward=np.asarray(group["rewards"], float),
                )
            )
            seeds.append(int(group.attrs.get("seed", -1)))
    known = seeds if seeds and min(seeds) >= 0 else ()
    return Dataset(path=path, format="minari", episodes=found, environment=told, seeds=known, remarks=remarks)


def _together(node: Any, name: str) -> tuple[np.ndarray, list[str]]:
    """Vectors of a space, and names of their numbers; text has none."""
    if hasattr(node, "keys"):
        parts = [_together(node[key], f"{name}{key}_") for key in sorted(node)]
        return np.hstack([value for value, _ in parts]), [n for _, names in parts for n in names]
    if not is_numeric(node):
        return np.zeros((len(node), 0)), []
    value = np.asarray(node, float)
    value = value.reshape(len(value), -1)
    return value, [f"{name or 'obs_'}{k}" for k in range(value.shape[1])]


def _success(group: Any) -> bool | None:
    if "success" in group.attrs:
        return bool(group.attrs["success"])
    return bool(np.any(group["infos/success"])) if "infos/success" in group else None
