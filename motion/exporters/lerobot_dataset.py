"""The files of a LeRobotDataset, version 3.0 (huggingface.co/docs/lerobot, "LeRobotDataset v3.0")."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from records.atomic import atomic_path, write_json

if TYPE_CHECKING:
    import pyarrow

CHUNK = "chunk-000/file-000"
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
INDEX_COLUMNS = ("timestamp", "frame_index", "episode_index", "index", "task_index")


class DatasetError(ValueError):
    """Episodes do not make one dataset."""


@dataclass(frozen=True)
class LeRobotVideo:
    """A camera: one film of all episodes, a picture for each of their frames."""

    size_hw: tuple[int, int]
    """Of the pictures [px]."""
    write: Callable[[Path], object]
    """Writes the film (H.264) to a path, whole or not at all."""


@dataclass(frozen=True)
class LeRobotEpisode:
    """One episode: a task in words, and columns (T, d) by feature name; float or bool."""

    task: str
    columns: Mapping[str, np.ndarray]


def write_dataset(
    episodes: Sequence[LeRobotEpisode],
    folder: Path,
    *,
    fps: float,
    names: Mapping[str, Sequence[str]],
    robot_type: str | None,
    videos: Mapping[str, LeRobotVideo] | None = None,
) -> list[Path]:
    """Write a dataset; `meta/info.json` comes last, so a folder that has one is whole.

    Args:
        episodes: one or more, with the same columns.
        folder: root of the dataset.
        fps: frame rate [1/s]; kept whole where it is, as LeRobot expects.
        names: names of the entries of a feature.
        robot_type: what moves, or None.
        videos: films by feature name (`observation.images.NAME`).

    Raises:
        DatasetError: no episodes, or episodes whose columns differ.
    """
    _check(episodes)
    (folder / "meta/info.json").unlink(missing_ok=True)
    tasks = sorted({episode.task for episode in episodes})
    tables = [_columns(e, episode, tasks, fps) for e, episode in enumerate(episodes)]
    lengths = [len(table["index"]) for table in tables]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    whole = {key: np.concatenate([table[key] for table in tables]) for key in tables[0]}
    whole["index"] = np.arange(starts[-1])[:, None]
    for table, start in zip(tables, starts, strict=False):
        table["index"] = whole["index"][start : start + len(table["index"])]
    videos = videos or {}
    films = [folder / f"videos/{key}/{CHUNK}.mp4" for key in videos]
    for path, video in zip(films, videos.values(), strict=True):
        video.write(path)
    paths = [folder / f"data/{CHUNK}.parquet", folder / "meta/tasks.parquet", folder / f"meta/episodes/{CHUNK}.parquet"]
    _write_parquet({key: _arrow(value) for key, value in whole.items()}, paths[0])
    _write_tasks(tasks, paths[1])
    _write_parquet(_episode_rows(episodes, tables, starts) | _film_rows(videos, starts, fps), paths[2])
    write_json(folder / "meta/stats.json", {key: _statistics(value) for key, value in whole.items()})
    write_json(folder / "meta/info.json", _info(whole, lengths, tasks, fps, names, robot_type, videos))
    return [*paths, *films, folder / "meta/stats.json", folder / "meta/info.json"]


def _check(episodes: Sequence[LeRobotEpisode]) -> None:
    if not episodes:
        raise DatasetError("no episodes: a LeRobot dataset needs at least one")
    expected = {key: value.shape[1:] for key, value in episodes[0].columns.items()}
    for e, episode in enumerate(episodes):
        found = {key: value.shape[1:] for key, value in episode.columns.items()}
        lengths = {len(value) for value in episode.columns.values()}
        if found != expected or len(lengths) != 1 or lengths == {0}:
            raise DatasetError(f"episode {e}: columns {found} of lengths {sorted(lengths)}; expected {expected}")


def _columns(e: int, episode: LeRobotEpisode, tasks: list[str], fps: float) -> dict[str, np.ndarray]:
    columns = {
        key: value if value.dtype == bool else value.astype(np.float32) for key, value in episode.columns.items()
    }
    frames = np.arange(len(next(iter(columns.values()))))[:, None]
    columns["timestamp"] = (frames / fps).astype(np.float32)
    columns["frame_index"] = frames
    columns["episode_index"] = np.full_like(frames, e)
    columns["index"] = frames
    columns["task_index"] = np.full_like(frames, tasks.index(episode.task))
    return columns


def _statistics(values: np.ndarray) -> dict[str, list[float]]:
    values = values.astype(float)
    return {
        "min": values.min(0).tolist(),
        "max": values.max(0).tolist(),
        "mean": values.mean(0).tolist(),
        "std": values.std(0).tolist(),
        "count": [len(values)],
    }


def _info(
    whole: Mapping[str, np.ndarray],
    lengths: list[int],
    tasks: list[str],
    fps: float,
    names: Mapping[str, Sequence[str]],
    robot_type: str | None,
    videos: Mapping[str, LeRobotVideo],
) -> dict[str, Any]:
    features: dict[str, Any] = {
        key: {
            "dtype": str(value.dtype),
            "shape": list(value.shape[1:]),
            "names": list(names[key]) if key in names else None,
        }
        for key, value in whole.items()
    }
    features |= {key: _film_feature(video, fps) for key, video in videos.items()}
    return {
        "codebase_version": "v3.0",
        "robot_type": robot_type,
        "total_episodes": len(lengths),
        "total_frames": sum(lengths),
        "total_tasks": len(tasks),
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": int(fps) if float(fps).is_integer() else fps,
        "splits": {"train": f"0:{len(lengths)}"},
        "data_path": DATA_PATH,
        "video_path": VIDEO_PATH if videos else None,
        "features": features,
    }


def _film_feature(video: LeRobotVideo, fps: float) -> dict[str, Any]:
    height, width = video.size_hw
    return {
        "dtype": "video",
        "shape": [height, width, 3],
        "names": ["height", "width", "channels"],
        "info": {
            "video.height": height,
            "video.width": width,
            "video.channels": 3,
            "video.fps": fps,
            "video.codec": "h264",
            "video.pix_fmt": "yuv420p",
            "video.is_depth_map": False,
            "has_audio": False,
        },
    }


def _film_rows(videos: Mapping[str, LeRobotVideo], starts: np.ndarray, fps: float) -> dict[str, Any]:
    """Where in its film each episode lies [s]."""
    rows: dict[str, Any] = {}
    for key in videos:
        for index in ("chunk_index", "file_index"):
            rows[f"videos/{key}/{index}"] = [0] * (len(starts) - 1)
        rows[f"videos/{key}/from_timestamp"] = (starts[:-1] / fps).tolist()
        rows[f"videos/{key}/to_timestamp"] = (starts[1:] / fps).tolist()
    return rows


def _episode_rows(
    episodes: Sequence[LeRobotEpisode], tables: list[dict[str, np.ndarray]], starts: np.ndarray
) -> dict[str, Any]:
    count = len(episodes)
    rows: dict[str, Any] = {
        "episode_index": list(range(count)),
        "tasks": [[episode.task] for episode in episodes],
        "length": [int(n) for n in np.diff(starts)],
        "dataset_from_index": [int(n) for n in starts[:-1]],
        "dataset_to_index": [int(n) for n in starts[1:]],
    }
    for index in ("data/chunk_index", "data/file_index", "meta/episodes/chunk_index", "meta/episodes/file_index"):
        rows[index] = [0] * count
    for key in tables[0]:
        statistics = [_statistics(table[key]) for table in tables]
        for quantity in statistics[0]:
            rows[f"stats/{key}/{quantity}"] = [one[quantity] for one in statistics]
    return rows


def _arrow(values: np.ndarray) -> pyarrow.Array:
    """A column: plain for one entry a frame, fixed-size lists for more."""
    import pyarrow

    flat = pyarrow.array(values.ravel())
    return flat if values.shape[1] == 1 else pyarrow.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _write_tasks(tasks: list[str], path: Path) -> None:
    """Tasks are a data frame indexed by the task in words: the index is named in pandas' own metadata."""
    column = {"field_name": "task", "name": "task", "pandas_type": "unicode", "numpy_type": "object", "metadata": None}
    number = {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64"}
    pandas = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [number | {"metadata": None}, column],
        "pandas_version": "2.2.0",
    }
    _write_parquet({"task_index": list(range(len(tasks))), "task": tasks}, path, {"pandas": json.dumps(pandas)})


def _write_parquet(columns: Mapping[str, Any], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table(dict(columns)).replace_schema_metadata(metadata)
    with atomic_path(path) as temporary:
        parquet.write_table(table, temporary)
