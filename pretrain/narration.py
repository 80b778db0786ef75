"""Narrated videos: files with captions beside or within them, in a folder or in the layout of HowTo100M."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pretrain.captions import FORMATS, CaptionError, narration, read_captions
from pretrain.captions.embedded import read_embedded
from pretrain.captions.howto100m import columns_to_sentences
from records import Timeline

VIDEO_SUFFIXES = frozenset(
    ".3gp .avi .flv .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv".split()  # noqa: SIM905 - reads as a list
)
_CAPTIONS_ONLY = (".vtt", ".srt")
"""Suffixes of files that are nothing but captions; JSON and tables hold other things, too."""
_NO_LANGUAGE = frozenset({"info", "live_chat"})
"""What yt-dlp puts where others have the language: such files are no captions."""


class NarrationError(ValueError):
    """A folder or a list of narrated videos that cannot be used at all."""


class Skipped(NamedTuple):
    """A file that is not used, and why."""

    file: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class NarratedVideo:
    """A video and where its captions are; nothing has been opened yet."""

    name: str
    """Path within the folder, with `/`, without suffix."""
    path: Path
    captions: tuple[Path, ...] = ()
    """Caption files, the preferred one first; without any, those within the video are read."""
    columns: dict[str, Any] | None = field(default=None, repr=False)
    """The video's entry in a `caption.json` of HowTo100M, instead of files."""

    def narration(self, duration: float) -> tuple[Timeline, list[Skipped]]:
        """What is said in the video, which lasts `duration` [s], and the caption files that could not be used.

        Raises:
            CaptionError: there are no captions, or none that can be read; it says why for each.
        """
        if self.columns is not None:
            return narration(columns_to_sentences(self.columns), duration), []
        skipped: list[Skipped] = []
        for file in self.captions:
            try:
                return _narration_of(file, duration), skipped
            except CaptionError as error:
                skipped.append(Skipped(str(file), str(error).removeprefix(f"{file}: ")))
        try:
            return narration(read_embedded(self.path), duration), skipped
        except CaptionError as error:
            reasons = [f"{Path(file).name}: {reason}" for file, reason in skipped] or [str(error)]
            raise CaptionError("; ".join(reasons)) from error


def find_narrated(folder: Path | str) -> tuple[list[NarratedVideo], list[Skipped]]:
    """All videos below a folder in order of name, each with the captions that lie beside it.

    Captions of `NAME.mp4` are `NAME.vtt`, `.srt`, `.json` or `.csv`, or `NAME.en.vtt` and the like; formats are
    preferred in this order, then files that name no language, then English. Hidden files and folders are passed over.
    Captions without a video, and a second video of the same name, are listed.

    Raises:
        NarrationError: no such folder, or no video in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NarrationError(f"{folder}: no such folder")
    videos: list[NarratedVideo] = []
    skipped: list[Skipped] = []
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here, names = Path(root), sorted(name for name in files if not name.startswith("."))
        films: dict[str, Path] = {}
        for name in names:
            path = here / name
            if path.suffix.lower() not in VIDEO_SUFFIXES:
                continue
            if path.stem in films:
                skipped.append(Skipped(str(path), f"{films[path.stem].name} has the same name and is used"))
            films.setdefault(path.stem, path)
        captions: dict[str, list[tuple[Any, Path]]] = {}
        for name in names:
            path = here / name
            of, language = _belongs_to(path, films)
            if of is not None:
                captions.setdefault(of, []).append((_preference(path, language), path))
            elif path.suffix.lower() in _CAPTIONS_ONLY:
                skipped.append(Skipped(str(path), "captions without a video of this name beside them"))
        for stem, path in films.items():
            texts = tuple(text for _, text in sorted(captions.get(stem, ())))
            name = path.relative_to(folder).with_name(stem).as_posix()
            videos.append(NarratedVideo(name=name, path=path, captions=texts))
    if not videos:
        raise NarrationError(f"{folder}: no video in it; looked for {', '.join(sorted(VIDEO_SUFFIXES))}")
    return sorted(videos, key=lambda video: video.name), skipped


def read_howto100m(
    table: Path | str, videos: Path | str, captions: Path | str
) -> tuple[list[NarratedVideo], list[Skipped]]:
    """Videos that a table in the layout of HowTo100M lists.

    Args:
        table: CSV with a column `video_id` or `video_path`; a video that stands in it several times is taken once.
        videos: folder of the videos, by path or by `video_id` and any suffix.
        captions: folder with a table `video_id.csv` (or another format of captions) for each video, or one file
            `caption.json` for all; that file is held in memory.

    Raises:
        NarrationError: a file that cannot be read, or none of the videos is there.
    """
    table, folder, captions = Path(table), Path(videos), Path(captions)
    entries = _caption_json(captions) if captions.is_file() else None
    found: dict[str, NarratedVideo] = {}
    skipped: list[Skipped] = []
    by_id = {path.stem: path for path in sorted(folder.glob("*")) if path.suffix.lower() in VIDEO_SUFFIXES}
    for listed in _listed(table):
        name = listed.rpartition(".")[0] if Path(listed).suffix.lower() in VIDEO_SUFFIXES else listed
        path: Path | None = folder / listed
        if not (folder / listed).is_file():
            path = by_id.get(name)
        texts = tuple(file for suffix in FORMATS if (file := captions / f"{name}{suffix}").is_file())
        if path is None:
            skipped.append(Skipped(listed, f"no such video in {folder}"))
        elif entries is not None and name not in entries:
            skipped.append(Skipped(listed, f"no entry in {captions}"))
        else:
            found[name] = NarratedVideo(
                name=name, path=path, captions=texts, columns=None if entries is None else entries[name]
            )
    if not found:
        raise NarrationError(f"{table}: none of the {len(skipped)} videos that it lists can be used in {folder}")
    return sorted(found.values(), key=lambda video: video.name), skipped


def _narration_of(file: Path, duration: float) -> Timeline:
    return narration(read_captions(file), duration)


def _belongs_to(path: Path, films: dict[str, Path]) -> tuple[str | None, str]:
    """Name of the video that a file captions, if it does, and the language that it states."""
    if path.suffix.lower() not in FORMATS:
        return None, ""
    if path.stem in films:
        return path.stem, ""
    of, _, language = path.stem.rpartition(".")
    return (of, language) if of in films and language not in _NO_LANGUAGE else (None, "")


def _preference(path: Path, language: str) -> tuple[int, bool, bool, str]:
    return list(FORMATS).index(path.suffix.lower()), bool(language), not language.lower().startswith("en"), path.name


def _listed(table: Path) -> list[str]:
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            column = next((name for name in ("video_path", "video_id") if name in (rows.fieldnames or ())), None)
            if column is None:
                raise NarrationError(f"{table}: no column video_id or video_path; it has {rows.fieldnames}")
            return list(dict.fromkeys(row[column] for row in rows if row[column]))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise NarrationError(f"{table}: cannot be read ({error})") from error


def _caption_json(path: Path) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            content = json.load(file)
    except (OSError, ValueError) as error:
        raise NarrationError(f"{path}: cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise NarrationError(f"{path}: expected captions by video_id, found a {type(content).__name__}")
    return content
