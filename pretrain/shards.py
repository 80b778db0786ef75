"""Shards of narrated videos: tars in the layout of WebDataset, `KEY.mp4` and `KEY.json`, with an index beside each.

A clip is read by seeking into the tar; nothing is unpacked. A tar that another program wrote is read without an index.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from perception.video import ClipError
from pretrain.captions import narration
from pretrain.captions.howto100m import columns_to_sentences
from pretrain.frames import VIDEO_READERS, VideoReader
from pretrain.narration import NarrationError, Skipped
from pretrain.soundtrack import read_stretch
from pretrain.stretch import Stretch, Within
from records import Timeline
from records.atomic import atomic_path, write_json

VERSION = 1
"""Of the index."""
_BLOCK = 512
"""Bytes to a multiple of which tar pads."""


class ShardError(ClipError):
    """A shard that is damaged, or another kind of file."""


class Sample(NamedTuple):
    """A narrated video within a shard."""

    key: str
    video: Stretch
    text: Stretch
    identity: str = ""
    """Of the files that it was made from; see `pretrain.prepare`."""


def index_path(shard: Path) -> Path:
    """Where the index of a shard lies."""
    return shard.with_suffix(".json")


def write_shard(path: Path, samples: Iterable[tuple[str, Path, Path, str]]) -> list[Sample]:
    """Write a tar, then its index, each wholly or not at all.

    Args:
        path: the tar.
        samples: key, video file, JSON file and identity of each.

    Raises:
        OSError: no space, or a file that cannot be read; it names the file.
    """
    written = []
    with atomic_path(path) as temporary:
        with tarfile.open(temporary, "w", format=tarfile.GNU_FORMAT) as tar:
            for key, video, text, identity in samples:
                written.append(Sample(key, _add(tar, f"{key}.mp4", video), _add(tar, f"{key}.json", text), identity))
        size = temporary.stat().st_size
    entries = [sample._asdict() for sample in written]
    write_json(index_path(path), {"version": VERSION, "bytes": size, "samples": entries})
    return written


def read_index(path: Path) -> list[Sample]:
    """What is in a shard: by its index, or without one by the headers of the tar.

    Raises:
        ShardError: missing, cut short, or not a shard; it says what to do.
    """
    if not path.is_file():
        raise ShardError(f"{path}: no such shard")
    if not index_path(path).is_file():
        return _scanned(path)
    try:
        index = json.loads(index_path(path).read_text(encoding="utf-8"))
        if index["version"] != VERSION:
            raise ShardError(f"{index_path(path)}: version {index['version']}, expected {VERSION}")
        size, samples = int(index["bytes"]), [_sample(entry) for entry in index["samples"]]
    except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ShardError(
            f"{index_path(path)}: not the index of a shard ({type(error).__name__}: {error}); delete it to do without"
        ) from error
    if path.stat().st_size != size:
        raise ShardError(
            f"{path}: has {path.stat().st_size:,} of {size:,} bytes; delete it and prepare again, or copy it again"
        )
    return samples


class Shards:
    """Narrated videos of a folder of shards; a `Source` of clips."""

    def __init__(self, folder: Path | str, *, reader: str = "pyav") -> None:
        """Read the indexes. Shards that cannot be used are listed in `skipped`.

        Args:
            folder: of the tars.
            reader: of frames; by name in `VIDEO_READERS`.

        Raises:
            NarrationError: there is none that can be used.
            UnknownName: no such reader.
        """
        self._read: VideoReader = VIDEO_READERS.load(reader)
        self.folder = Path(folder)
        self.skipped: list[Skipped] = []
        self._samples: list[tuple[Path, Sample]] = []
        for path in sorted(self.folder.glob("*.tar")):
            try:
                self._samples += [(path, sample) for sample in read_index(path)]
            except ShardError as error:
                self.skipped.append(Skipped(str(path), str(error).removeprefix(f"{path}: ")))
        lost = [file for file in self.folder.glob("shard-*.json") if not file.with_suffix(".tar").is_file()]
        self.skipped += [
            Skipped(str(file.with_suffix(".tar")), "its index is there, the shard is not") for file in lost
        ]
        if not self._samples:
            why = ": ".join(self.skipped[0]) if self.skipped else "no .tar in it"
            raise NarrationError(f"{self.folder}: no shard that can be used ({why})")

    def __len__(self) -> int:
        """Count the videos."""
        return len(self._samples)

    def name(self, index: int) -> str:
        """Path of the shard, and the key within it."""
        path, sample = self._samples[index]
        return f"{path}/{sample.key}"

    def narration(self, index: int) -> tuple[Timeline, float]:
        """What is said in a video, and how long it lasts [s].

        Raises:
            ShardError: the entry is damaged.
        """
        path, sample = self._samples[index]
        try:
            with open(path, "rb") as file:
                file.seek(sample.text.offset)
                content = json.loads(file.read(sample.text.size))
            duration = float(content["duration"])
            return narration(columns_to_sentences(content), duration), duration
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ShardError(f"{self.name(index)}.json: damaged ({type(error).__name__}: {error})") from error

    def frames(self, index: int, moments: np.ndarray, short_side: int) -> UInt8[np.ndarray, "T H W 3"]:
        """What a video shows at some moments [s]; see `frames.read_moments`."""
        path, sample = self._samples[index]
        with Within(path, sample.video) as file:
            return self._read(file, moments, short_side=short_side, name=f"{self.name(index)}.mp4")

    def sound(self, index: int, start: float, seconds: float, rate: int) -> Float[np.ndarray, "N"] | None:
        """What is heard from a moment [s] on; see `read_stretch`."""
        path, sample = self._samples[index]
        with Within(path, sample.video) as file:
            return read_stretch(file, start, seconds, rate, name=f"{self.name(index)}.mp4")

    def check(self) -> Iterator[Skipped]:
        """Read every video's narration, first and last frame; yield what is damaged, after `skipped`."""
        yield from self.skipped
        for index in range(len(self)):
            try:
                _, duration = self.narration(index)
                self.frames(index, np.array([0.0]), 2)
                self.frames(index, np.array([duration]), 2)
            except ClipError as error:
                yield Skipped(self.name(index), str(error).partition(": ")[2])


def _add(tar: tarfile.TarFile, name: str, file: Path) -> Stretch:
    entry = tarfile.TarInfo(name)
    entry.size = file.stat().st_size
    with open(file, "rb") as content:
        tar.addfile(entry, content)
    return Stretch(tar.offset - -(-entry.size // _BLOCK) * _BLOCK, entry.size)


def _sample(entry: dict[str, Any]) -> Sample:
    return Sample(str(entry["key"]), Stretch(*entry["video"]), Stretch(*entry["text"]), str(entry["identity"]))


def _scanned(path: Path) -> list[Sample]:
    """Pairs of video and JSON, by the headers of a tar."""
    parts: dict[str, dict[str, Stretch]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                folder, _, name = member.name.rpartition("/")
                key, _, suffix = name.partition(".")
                parts.setdefault(f"{folder}/{key}" if folder else key, {})[suffix] = Stretch(
                    member.offset_data, member.size
                )
    except (tarfile.TarError, OSError) as error:
        raise ShardError(f"{path}: cut short, or not a tar ({error})") from error
    end = path.stat().st_size
    if any(stretch.offset + stretch.size > end for part in parts.values() for stretch in part.values()):
        raise ShardError(f"{path}: cut short; copy or make it again")
    return [Sample(key, part["mp4"], part["json"]) for key, part in parts.items() if {"mp4", "json"} <= set(part)]
