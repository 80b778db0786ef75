"""A stretch of a file that reads and seeks like a file of its own: a video within a tar."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple


class Stretch(NamedTuple):
    """Bytes within a file: where they begin, and how many."""

    offset: int
    size: int


class Within(io.RawIOBase):
    """A stretch of a file that reads and seeks like a file of its own."""

    def __init__(self, path: Path, stretch: Stretch) -> None:
        """Open the file."""
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by `close`
        self._stretch = stretch
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move within the stretch."""
        self._at = max(0, {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stretch.size}[whence] + offset)
        return self._at

    def tell(self) -> int:
        """Where it is, from the stretch's beginning."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read up to the stretch's end."""
        size = min(len(buffer), max(0, self._stretch.size - self._at))
        self._file.seek(self._stretch.offset + self._at)
        count = self._file.readinto(memoryview(buffer)[:size]) or 0
        self._at += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
