"""Robomimic's HDF5 (robomimic.github.io, "Dataset structure"): a group for each demonstration."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from policies.rewards.evaluation.data.reading import DataError, Dataset, first_camera, is_numeric, moments_alone
from policies.rewards.reward import Watched

USUAL_RATE = 20.0
"""Control rate of robosuite's environments unless another is stated [1/s]."""


def read_robomimic(path: Path, fps: float | None) -> Dataset:
    """Read `obs`, `next_obs`, `actions` and `rewards`; vectors of observations are put one after the other.

    What is no number, such as an instruction, is left out, and so are demonstrations without a step. Success is the
    attribute `success` or the mask of that name; else, as in robomimic's own data, a reward above 0.

    Raises:
        DataError: not such a file.
    """
    import h5py

    with h5py.File(path) as file:
        if "data" not in file:
            raise DataError(f"{path}: no group `data` in it: it is no robomimic file")
        told = _environment(file["data"].attrs.get("env_args"))
        rate = fps or told.get("control_rate") or told.get("control_freq")
        remarks = [] if rate else [f"no control rate is stated: {USUAL_RATE:g} steps a second are assumed"]
        solved = {name.decode() for name in file["mask/success"][()]} if "mask/success" in file else None
        demos = sorted(file["data"], key=lambda name: [int(n) for n in re.findall(r"\d+", name)] or [0])
        found, seeds, kept = [], [], []
        for name in demos:
            group = file["data"][name]
            if "actions" in group and not len(group["actions"]):
                continue
            episode = _episode(group, path, name, float(rate or USUAL_RATE), told, _success(group, name, solved))
            if episode is not None:
                found.append(episode)
                kept.append(group)
                seeds.append(int(group.attrs.get("seed", -1)))
        for first in kept[:1]:
            remarks += first_camera(_cameras(first))[1]
            if "next_obs" not in first:
                remarks.append("the last action of each episode is left out: the file has no observation after it")
    known = seeds if seeds and min(seeds) >= 0 else ()
    return Dataset(path=path, format="robomimic", episodes=found, environment=told, seeds=known, remarks=remarks)


def _episode(
    group: Any, path: Path, name: str, rate: float, told: dict[str, Any], success: bool | None
) -> Watched | None:
    if "obs" not in group or "actions" not in group:
        raise DataError(f"{path}: {name} has no `obs` or no `actions`")
    vectors = [key for key in sorted(group["obs"]) if group["obs"][key].ndim <= 2 and is_numeric(group["obs"][key])]
    images = _cameras(group)
    obs, action = _together(group["obs"], vectors), _together(group, ["actions"])
    reward = np.asarray(group["rewards"], float) if "rewards" in group else None
    frames = None
    if "next_obs" in group and vectors and (not images or images[0] in group["next_obs"]):
        after = _together(group["next_obs"], vectors)
        obs = np.concatenate([obs, after[-1:]])
        frames = _film(path, name, images[0], with_last=True) if images else None
    else:
        moments = moments_alone(obs, action, reward)
        if moments is None:
            return None
        obs, action, reward = moments
        frames = _film(path, name, images[0], with_last=False) if images else None
    names = told.get("observations")
    if names is None or len(names) != obs.shape[1]:
        names = [f"{key}_{k}" for key in vectors for k in range(_width(group["obs"][key]))]
    return Watched(
        obs=obs, obs_names=tuple(names), action=action, frames=frames, fps=rate, success=success, reward=reward
    )


def _success(group: Any, name: str, solved: set[str] | None) -> bool | None:
    if "success" in group.attrs:
        return bool(group.attrs["success"])
    if solved is not None:
        return name in solved
    return bool(np.max(group["rewards"]) > 0) if "rewards" in group else None


def _environment(text: Any) -> dict[str, Any]:
    """What the file says of its environment; our own arguments are at the top."""
    try:
        told = json.loads(text) if text else {}
        return {"env_name": told.get("env_name"), **(told.get("env_kwargs") or {})}
    except (ValueError, TypeError, AttributeError):
        return {}


def _cameras(group: Any) -> list[str]:
    return [key for key in sorted(group["obs"]) if group["obs"][key].ndim == 4]


def _width(column: Any) -> int:
    return 1 if column.ndim == 1 else int(column.shape[1])


def _together(group: Any, keys: list[str]) -> np.ndarray:
    if not keys:
        raise DataError(f"{group.file.filename}: no observation in it is a vector of numbers")
    return np.hstack([np.asarray(group[key], float).reshape(len(group[key]), -1) for key in keys])


def _film(path: Path, name: str, key: str, *, with_last: bool) -> Callable[[], Iterator[np.ndarray]]:
    def shown() -> Iterator[np.ndarray]:
        import h5py

        with h5py.File(path) as file:
            group = file["data"][name]
            yield from (np.asarray(image) for image in group["obs"][key])
            if with_last:
                yield np.asarray(group["next_obs"][key][-1])

    return shown
