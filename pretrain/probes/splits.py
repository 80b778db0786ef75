"""Which videos of a set are for training and which for testing: the published files of HMDB, UCF and Kinetics."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pretrain.probes.probe import ProbeError
from pretrain.probes.rows import number_in, read_header, read_lines, read_rows

_TRAIN, _TEST, _UNUSED = "1", "2", "0"
"""How HMDB names the parts."""
_OF_CLASS = re.compile(r"(.+)_test_split(\d+)\.txt")
"""HMDB's own files: class and number of the split."""
_PARTS = {"train": "train", "val": "test", "validate": "test", "validation": "test", "test": "test"}
"""How Kinetics names them."""


class Labelled(NamedTuple):
    """A video and its class."""

    video: str
    """Name, or path within the folder, with or without a suffix."""
    label: str


class Split(NamedTuple):
    """One division of a set."""

    name: str
    train: tuple[Labelled, ...]
    test: tuple[Labelled, ...]


def read_splits(paths: Sequence[Path | str]) -> list[Split]:
    """Read the splits of one or several files.

    - HMDB: files `CLASS_test_splitN.txt` of all classes, lines `video.avi PART`; or a table
      `video_id,label,split1,split2,...`, in which labels may end with `_test`, as in the one that MIL-NCE was published
      with. Parts are 1 for training, 2 for testing, 0 for neither.
    - UCF: pairs of `trainlistNN.txt` and `testlistNN.txt`, lines `Class/video.avi`.
    - Kinetics: tables `label,youtube_id,time_start,time_end,split`; videos are named ID_000010_000020, or ID alone.

    A folder stands for the lists (.txt) in it.

    Raises:
        ProbeError: a file of no such kind, or a split without training or test videos, without classes in common, or of
            one class.
    """
    files = [file for path in paths for file in _within(Path(path))]
    if not files:
        raise ProbeError("no file that says which videos are for training and which for testing")
    lists = [path for path in files if path.suffix.lower() == ".txt"]
    tables = [path for path in files if path not in lists]
    if lists and tables:
        raise ProbeError(f"{lists[0]} is a list, {tables[0]} a table; state files of one kind")
    splits = _listed(lists) if lists else _tables(tables)
    for split in splits:
        for part, videos in (("training", split.train), ("test", split.test)):
            if not videos:
                raise ProbeError(f"{files[0]}: split {split.name} has no {part} videos")
        classes = {v.label for v in split.train}
        if len(classes | {v.label for v in split.test}) < 2:
            raise ProbeError(f"{files[0]}: all videos of split {split.name} are of one class, {classes.pop()!r}")
        if not classes & {v.label for v in split.test}:
            raise ProbeError(f"{files[0]}: in split {split.name} no class has both training and test videos")
    return splits


def _within(path: Path) -> list[Path]:
    """The lists in a folder, but for UCF's numbers of its classes; a file alone."""
    if not path.is_dir():
        return [path]
    return [file for file in sorted(path.glob("*.txt")) if file.name != "classInd.txt"]


def _tables(files: Sequence[Path]) -> list[Split]:
    names = read_header(files[0])
    if "youtube_id" in names:
        return [_kinetics(files)]
    if len(files) > 1:
        raise ProbeError(f"{files[1]}: a table in HMDB's layout stands alone")
    return _hmdb(files[0], [name for name in names if re.fullmatch(r"split\d*", name)])


def _hmdb(path: Path, columns: Sequence[str]) -> list[Split]:
    rows = read_rows(path, ["video_id", "label", *columns])
    if not columns:
        raise ProbeError(f"{path}: no column 'split', 'split1' and so on")
    of_row = [Labelled(row["video_id"], row["label"].removesuffix("_test")) for row in rows]
    for column in columns:
        for number, row in enumerate(rows, 2):
            if row[column] not in (_TRAIN, _TEST, _UNUSED):
                raise ProbeError(
                    f"{path}: row {number}: {column} is {row[column]!r}; expected 1 (train), 2 (test) or 0"
                )
    return [
        Split(
            column,
            *(tuple(v for v, row in zip(of_row, rows, strict=True) if row[column] == part) for part in (_TRAIN, _TEST)),
        )
        for column in columns
    ]


def _kinetics(files: Sequence[Path]) -> Split:
    parts: dict[str, list[Labelled]] = {"train": [], "test": []}
    for path in files:
        for number, row in enumerate(read_rows(path, ["label", "youtube_id", "time_start", "time_end", "split"]), 2):
            part = _PARTS.get(row["split"].lower())
            if part is None:
                raise ProbeError(f"{path}: row {number}: unknown split {row['split']!r}; known: {', '.join(_PARTS)}")
            start, end = (int(number_in(path, f"row {number}", row[name])) for name in ("time_start", "time_end"))
            parts[part].append(Labelled(f"{row['youtube_id']}_{start:06}_{end:06}", row["label"]))
    return Split("split", tuple(parts["train"]), tuple(parts["test"]))


def _listed(files: Sequence[Path]) -> list[Split]:
    return _of_classes(files) if _OF_CLASS.fullmatch(files[0].name) else _of_parts(files)


def _of_classes(files: Sequence[Path]) -> list[Split]:
    parts: dict[str, dict[str, list[Labelled]]] = {}
    for path in files:
        named = _OF_CLASS.fullmatch(path.name)
        if named is None:
            raise ProbeError(f"{path}: expected CLASS_test_splitN.txt, like {files[0].name}")
        split = parts.setdefault(named[2], {_TRAIN: [], _TEST: [], _UNUSED: []})
        for number, line in enumerate(read_lines(path), 1):
            video, _, part = line.rpartition(" ")
            if line and (not video or part not in split):
                raise ProbeError(f"{path}: line {number}: {line!r} is not a video and 1 (train), 2 (test) or 0")
            if line:
                split[part].append(Labelled(video.strip(), named[1]))
    return [
        Split(f"split{number}", tuple(split[_TRAIN]), tuple(split[_TEST])) for number, split in sorted(parts.items())
    ]


def _of_parts(files: Sequence[Path]) -> list[Split]:
    parts: dict[str, dict[str, tuple[Labelled, ...]]] = {}
    for path in files:
        named = re.fullmatch(r"(train|test)list(\d*)\.txt", path.name.lower())
        if named is None:
            raise ProbeError(f"{path}: expected trainlistNN.txt or testlistNN.txt")
        parts.setdefault(named[2], {})[named[1]] = _videos_of(path)
    for number, lists in parts.items():
        if len(lists) < 2:
            raise ProbeError(f"{files[0]}: both trainlist{number}.txt and testlist{number}.txt are needed")
    return [Split(number or "split", lists["train"], lists["test"]) for number, lists in sorted(parts.items())]


def _videos_of(path: Path) -> tuple[Labelled, ...]:
    found = []
    for number, line in enumerate(read_lines(path), 1):
        if not line:
            continue
        video = re.sub(r"\s+\d+$", "", line)
        label, slash, _ = video.rpartition("/")
        if not slash:
            raise ProbeError(f"{path}: line {number}: {line!r} is not Class/video")
        found.append(Labelled(video, label.rpartition("/")[2]))
    return tuple(found)
