"""Sounds of ESC-10 and ESC-50: the class and the fold of each file, by its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from pretrain.probes.probe import ProbeError
from pretrain.sound import SOUND_SUFFIXES

_NAME = re.compile(r"(\d+)-(\d+)-([A-Z])(?:-(\d+))?")
"""Fold, number of the recording at Freesound, take, and, in ESC-50, number of the class."""


class SoundFile(NamedTuple):
    """A labelled sound."""

    path: Path
    label: str
    """Name of the folder or, in ESC-50, number of the class."""
    fold: int
    recording: int
    """Number of the recording that it was cut from; takes of one recording are in one fold."""


def find_sounds(folder: Path | str) -> list[SoundFile]:
    """Sounds below a folder in order of path: `CLASS/F-ID-T.ogg` (ESC-10) or `F-ID-T-CLASS.wav` (ESC-50).

    Files with other names are passed over.

    Raises:
        ProbeError: no such folder, no such file in it, or only one fold or class.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ProbeError(f"{folder}: no such folder")
    sounds = []
    for path in sorted(folder.rglob("*")):
        named = _NAME.fullmatch(path.stem)
        if named is None or path.suffix.lower() not in SOUND_SUFFIXES or path.name.startswith("."):
            continue
        fold, recording, _, label = named.groups()
        sounds.append(SoundFile(path, label or path.parent.name, int(fold), int(recording)))
    if not sounds:
        raise ProbeError(f"{folder}: no sounds in it that are named FOLD-RECORDING-TAKE, as in ESC-10 and ESC-50")
    for what, found in (("fold", {s.fold for s in sounds}), ("class", {s.label for s in sounds})):
        if len(found) < 2:
            raise ProbeError(f"{folder}: all sounds are of one {what}, {found.pop()!r}")
    return sounds
