"""The annotations of RareAct (`rareact.csv`)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from pretrain.probes.probe import ProbeError
from pretrain.probes.rows import number_in, read_rows, stretch_in
from pretrain.probes.unusual_actions import Annotated

_COLUMNS = ("video_id", "start", "end", "class_id", "verb", "noun", "annotation")


class RareActTable(NamedTuple):
    """Clips in order of the table, and what their classes are called."""

    videos: tuple[str, ...]
    """Name of the video of each clip."""
    stretches: tuple[tuple[float, float], ...]
    """Start and end of each clip [s]."""
    actions: tuple[tuple[str, str], ...]
    """Verb and noun of each class."""
    clips: Annotated


def read_rareact(path: Path | str) -> RareActTable:
    """Read the table.

    Raises:
        ProbeError: unreadable; an annotation that is none of 0 to 4; classes that are not numbered from 0 on, or of
            which one has two names.
    """
    rows = read_rows(path, _COLUMNS)
    stretches, names = [], dict[int, tuple[str, str]]()
    action, annotation = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for k, row in enumerate(rows):
        place = f"row {k + 2}"
        stretches.append(stretch_in(path, place, row["start"], row["end"]))
        if row["annotation"] not in ("0", "1", "2", "3", "4"):
            raise ProbeError(f"{path}: {place}: annotation {row['annotation']!r}; expected 0 to 4")
        annotation[k], action[k] = int(row["annotation"]), int(number_in(path, place, row["class_id"]))
        name = row["verb"], row["noun"]
        if names.setdefault(int(action[k]), name) != name:
            raise ProbeError(f"{path}: {place}: class {action[k]} is both {names[int(action[k])]} and {name}")
    if sorted(names) != list(range(len(names))):
        raise ProbeError(f"{path}: classes are not numbered from 0 to {len(names) - 1}")
    actions = tuple(names[k] for k in range(len(names)))
    video, verb, noun = (
        np.unique(values, return_inverse=True)[1]
        for values in ([row["video_id"] for row in rows], [verb for verb, _ in actions], [noun for _, noun in actions])
    )
    return RareActTable(
        videos=tuple(row["video_id"] for row in rows),
        stretches=tuple(stretches),
        actions=actions,
        clips=Annotated(video, action, annotation, verb, noun),
    )
