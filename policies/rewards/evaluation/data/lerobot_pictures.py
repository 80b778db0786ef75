"""Pictures of a LeRobotDataset v3.0: films of several episodes each, or images among the frames' other columns."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from policies.rewards.evaluation.data.reading import DataError

Shown = Callable[[], Iterator[UInt8[np.ndarray, "H W 3"]]]
"""The pictures of an episode, RGB, read anew in each call."""

_BATCH = 64
"""Rows that are read at once."""


def cameras(features: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of the features that are pictures, those that are films first."""
    kinds = {name: feature.get("dtype") for name, feature in features.items()}
    return [name for kind in ("video", "image") for name in kinds if kinds[name] == kind]


def read_pictures(path: Path, info: Mapping[str, Any], camera: str) -> dict[int, Shown]:
    """What a camera saw in each episode, by the episode's number."""
    return _films(path, info, camera) if info["features"][camera]["dtype"] == "video" else _images(path, camera)


def _films(path: Path, info: Mapping[str, Any], camera: str) -> dict[int, Shown]:
    from pyarrow import parquet

    found: dict[int, Shown] = {}
    key = f"videos/{camera}"
    for file in sorted(path.glob("meta/episodes/*/*.parquet")):
        rows = parquet.read_table(file).to_pydict()
        for k, e in enumerate(rows["episode_index"]):
            place = info["video_path"].format(
                video_key=camera, chunk_index=rows[f"{key}/chunk_index"][k], file_index=rows[f"{key}/file_index"][k]
            )
            first = round(rows[f"{key}/from_timestamp"][k] * info["fps"])
            found[int(e)] = _film(path / place, first, int(rows["length"][k]))
    return found


def _film(video: Path, first: int, count: int) -> Shown:
    def shown() -> Iterator[np.ndarray]:
        from perception.video import open_clip, read_frames

        return itertools.islice(read_frames(open_clip(video)), first, first + count)

    return shown


class _Image(NamedTuple):
    """Where the image of a frame is."""

    frame: int
    file: Path
    row: int


def _images(path: Path, camera: str) -> dict[int, Shown]:
    from pyarrow import parquet

    found: dict[int, list[_Image]] = {}
    for file in sorted(path.glob("data/*/*.parquet")):
        names = parquet.read_schema(file).names
        if camera not in names:
            continue
        keys = [name for name in ("episode_index", "frame_index") if name in names]
        numbers = parquet.read_table(file, columns=keys).to_pydict()
        frames = numbers.get("frame_index") or range(len(numbers["episode_index"]))
        for row, (e, frame) in enumerate(zip(numbers["episode_index"], frames, strict=True)):
            found.setdefault(int(e), []).append(_Image(int(frame), file, row))
    return {e: _stills(camera, sorted(images, key=lambda image: image.frame)) for e, images in found.items()}


def _stills(camera: str, images: Sequence[_Image]) -> Shown:
    """Images in the order of frames; files of one episode's are held, not their pixels."""

    def shown() -> Iterator[np.ndarray]:
        held = {
            file: _kept(file, camera, {i.row for i in images if i.file == file}) for file in {i.file for i in images}
        }
        for image in images:
            yield _decoded(held[image.file][image.row], image.file)

    return shown


def _kept(file: Path, camera: str, rows: Collection[int]) -> dict[int, Any]:
    """What a column holds in some rows."""
    from pyarrow import parquet

    found: dict[int, Any] = {}
    first = 0
    for batch in parquet.ParquetFile(file).iter_batches(_BATCH, columns=[camera]):
        here = [k for k in range(len(batch)) if first + k in rows]
        found |= {first + k: batch.column(0)[k].as_py() for k in here}
        first += len(batch)
        if first > max(rows):
            break
    return found


def _decoded(image: Any, file: Path) -> UInt8[np.ndarray, "H W 3"]:
    """An image as `datasets` keeps it: a file's content under `bytes`."""
    import cv2

    content = image.get("bytes") if isinstance(image, dict) else None
    if not content:
        raise DataError(f"{file}: an image without its content, a reference to another file at most")
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise DataError(f"{file}: an image that cannot be decoded")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
