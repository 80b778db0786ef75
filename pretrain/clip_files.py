"""Video files by what a user names: files, folders and patterns; each gets a name of its own."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pretrain.narration import VIDEO_SUFFIXES, Skipped


class NoClips(ValueError):
    """Nothing that was named is a video file."""


class NamedClip(NamedTuple):
    """A video file and what its records are called."""

    name: str
    """Path within the folder that was named, with `/`, or the file's own name; without suffix."""
    path: Path


def find_clips(named: Sequence[Path | str]) -> tuple[list[NamedClip], list[Skipped]]:
    """Video files: those that are named, those below folders that are, and those that fit a pattern (`*`, `?`, `**`).

    Hidden files and folders are passed over. A second file of a name, and what is not there, are listed.

    Raises:
        NoClips: no video file at all.
    """
    found: dict[str, Path] = {}
    skipped: list[Skipped] = []
    taken: set[Path] = set()
    for name, path in _named(named, skipped):
        if path.resolve() in taken:
            continue
        if name in found:
            advice = "give the folder above both to have both" if found[name].parent != path.parent else "rename one"
            skipped.append(Skipped(str(path), f"{found[name]} has the same name and is used; {advice}"))
            continue
        taken.add(path.resolve())
        found[name] = path
    if not found:
        first = f"; {': '.join(skipped[0])}" if skipped else ""
        raise NoClips(f"{' '.join(str(one) for one in named)}: no video file there{first}")
    return [NamedClip(name, path) for name, path in found.items()], skipped


def _named(named: Sequence[Path | str], skipped: list[Skipped]) -> Iterator[tuple[str, Path]]:
    for one in named:
        path = Path(one)
        if path.is_dir():
            yield from _below(path)
        elif path.exists():
            yield path.stem, path
        elif matches := _fitting(str(one)):
            yield from _named(matches, skipped)
        else:
            skipped.append(Skipped(str(one), "no such file, folder or pattern that fits one"))


def _below(folder: Path) -> Iterator[tuple[str, Path]]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(root, name) for name in sorted(names) if not name.startswith(".")):
            if _is_video(path):
                yield path.relative_to(folder).with_suffix("").as_posix(), path


def _fitting(pattern: str) -> list[Path]:
    """Folders and video files that fit a pattern, in order of name."""
    paths = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207 - Path needs a folder
    return [path for path in paths if path.is_dir() or _is_video(path)]


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES
