"""Where the videos of a set are: by the names that published lists call them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pretrain.narration import VIDEO_SUFFIXES
from pretrain.probes.probe import ProbeError

_TIMES = re.compile(r"_\d{6}_\d{6}$")
"""What names of Kinetics end with: start and end [s]."""


class VideoFiles:
    """The videos below a folder, by path within it or by name alone, with or without suffix."""

    def __init__(self, folder: Path | str, suffixes: frozenset[str] = VIDEO_SUFFIXES) -> None:
        """Look through a folder; hidden files and folders are passed over.

        Raises:
            ProbeError: no such folder, or no such file in it.
        """
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise ProbeError(f"{folder}: no such folder")
        self._by_path: dict[str, Path] = {}
        self._by_name: dict[str, list[Path]] = {}
        for root, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(root, name)
                if name.startswith(".") or path.suffix.lower() not in suffixes:
                    continue
                within = path.relative_to(self.folder)
                self._by_path.setdefault(within.with_suffix("").as_posix(), path)
                self._by_path[within.as_posix()] = path
                self._by_name.setdefault(path.stem, []).append(path)
        if not self._by_path:
            raise ProbeError(f"{folder}: no file in it that ends with {', '.join(sorted(suffixes))}")

    def find(self, name: str) -> Path | str:
        """Path of a video or, where there is none or several, the reason in words."""
        for known_as in (name, _TIMES.sub("", name)):
            if (path := self._by_path.get(known_as) or self._by_path.get(_bare(known_as))) is not None:
                return path
            found = self._by_name.get(Path(_bare(known_as)).name, [])
            if len(found) == 1:
                return found[0]
            if found:
                return f"{len(found)} files of this name in {self.folder}; the list does not say which is meant"
        return f"no such file in {self.folder}"


def _bare(name: str) -> str:
    """Without suffix, if it is that of a video: names may hold dots."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in VIDEO_SUFFIXES else name
