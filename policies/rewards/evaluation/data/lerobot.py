"""LeRobotDataset v3.0 (huggingface.co/docs/lerobot): parquet files of frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from policies.rewards.evaluation.data.lerobot_pictures import cameras, read_pictures
from policies.rewards.evaluation.data.reading import DataError, Dataset, Place, first_camera, moments_alone, names_for
from policies.rewards.reward import Watched

STATE = "observation.state"


def read_lerobot(path: Path, fps: float | None) -> Dataset:
    """Read frames as episodes; the observation after the last action is not part of the format.

    Success is `next.success` where it is there, else not known; the true reward is `next.reward`.

    Raises:
        DataError: another version, or no states.
    """
    info = json.loads((path / "meta/info.json").read_text(encoding="utf-8"))
    version = str(info.get("codebase_version"))
    if not version.startswith("v3"):
        raise DataError(f"{path}: LeRobot dataset of version {version}; convert it to v3.0 with LeRobot's own script")
    if STATE not in info["features"]:
        raise DataError(f"{path}: no {STATE} in it; it holds: {', '.join(info['features'])}")
    rate = fps or float(info["fps"])
    columns = _frames(path, [STATE, "action", "next.reward", "next.success", "episode_index", "frame_index"])
    number = columns["episode_index"].ravel().astype(int)
    camera, remarks = first_camera(cameras(info["features"]))
    films = {} if camera is None else read_pictures(path, info, camera)
    names = names_for(columns[STATE].shape[1], _flat(info["features"][STATE].get("names")))
    found, places = [], []
    for e in np.unique(number):
        rows = number == e
        reward = columns.get("next.reward")
        moments = moments_alone(
            columns[STATE][rows], columns["action"][rows], None if reward is None else reward[rows, 0]
        )
        if moments is None:
            continue
        obs, action, true = moments
        success = columns.get("next.success")
        places.append(Place(int(e), int(np.argmax(rows))))
        found.append(
            Watched(
                obs=obs,
                obs_names=names,
                action=action,
                frames=films.get(int(e)),
                fps=rate,
                success=None if success is None else bool(success[rows].any()),
                reward=true,
            )
        )
    environment = path / "meta/environment.json"
    told = json.loads(environment.read_text(encoding="utf-8")) if environment.is_file() else {}
    remarks.append("the last action of each episode is left out: LeRobot keeps no observation after it")
    return Dataset(path=path, format="lerobot", episodes=found, environment=told, remarks=remarks, places=places)


def _frames(path: Path, wanted: list[str]) -> dict[str, np.ndarray]:
    """Columns (N, D) of all frames, in order of episode and frame; those that a file lacks are left out."""
    from pyarrow import parquet

    files = sorted(path.glob("data/*/*.parquet"))
    if not files:
        raise DataError(f"{path}: no frames in it (data/chunk-*/file-*.parquet)")
    parts: dict[str, list[np.ndarray]] = {}
    for file in files:
        present = [name for name in wanted if name in parquet.read_schema(file).names]
        for name, column in parquet.read_table(file, columns=present).to_pydict().items():
            parts.setdefault(name, []).append(np.asarray(column, float).reshape(len(column), -1))
    columns = {name: np.concatenate(values) for name, values in parts.items()}
    frames = max(map(len, columns.values()), default=0)
    columns = {name: column for name, column in columns.items() if len(column) == frames}
    lacking = {STATE, "action", "episode_index"} - set(columns)
    if lacking:
        raise DataError(f"{path}: no column {sorted(lacking)[0]!r} in its frames")
    keys = [columns[name].ravel() for name in ("frame_index", "episode_index") if name in columns]
    order = np.lexsort(keys)  # by episode, then by frame; a stable sort, so that frames without a number stay
    return {name: column[order] for name, column in columns.items()}


def _flat(names: Any) -> list[str] | None:
    """Names of a vector, which LeRobot keeps as a list, or as lists by group."""
    if isinstance(names, dict):
        names = [name for group in names.values() for name in group]
    return [str(name) for name in names] if isinstance(names, list) else None
