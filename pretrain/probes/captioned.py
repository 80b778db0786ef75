"""Captioned clips of videos: the published lists of YouCook2 and MSR-VTT, and any table of their columns."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pretrain.probes.probe import ProbeError
from pretrain.probes.rows import read_header, read_rows, stretch_in


class Captioned(NamedTuple):
    """A stretch of a video and what describes it."""

    video: str
    caption: str
    stretch: tuple[float, float] | None
    """Start and end [s]; None for the whole video."""


def read_captioned(path: Path | str) -> list[Captioned]:
    """Read a table with columns `video_id`, `text` or `sentence`, and, where clips are stretches, `start` and `end`.

    YouCook2's `validation_youcook.csv` and MSR-VTT's `msrvtt_test.csv` (JSFusion's 1000 pairs) are such tables.

    Raises:
        ProbeError: unreadable, or without these columns; or a stretch that is none.
    """
    path = Path(path)
    caption, timed = _columns(path)
    clips = []
    for number, row in enumerate(read_rows(path, ["video_id", caption, *(("start", "end") if timed else ())]), 2):
        stretch = stretch_in(path, f"row {number}", row["start"], row["end"]) if timed else None
        clips.append(Captioned(row["video_id"], row[caption], stretch))
    return clips


def _columns(path: Path) -> tuple[str, bool]:
    """Name of the column with captions, and whether clips are stretches of videos."""
    names = read_header(path)
    caption = next((name for name in ("text", "sentence", "caption") if name in names), None)
    if caption is None:
        raise ProbeError(f"{path}: no column 'text', 'sentence' or 'caption'; it has: {', '.join(names) or 'none'}")
    return caption, "start" in names or "end" in names
