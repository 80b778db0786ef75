"""Tables of published splits: CSV with a header."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from pretrain.probes.probe import ProbeError


def read_rows(path: Path | str, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a table as text, by column.

    Raises:
        ProbeError: not there, not text, without one of `columns`, empty, or with a row that is too short.
    """
    path = Path(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProbeError(f"{path}: cannot be read as a table ({getattr(error, 'strerror', None) or error})") from error
    if missing := [name for name in columns if name not in names]:
        raise ProbeError(f"{path}: no column {missing[0]!r}; it has: {', '.join(names) or 'none'}")
    for number, row in enumerate(rows, 2):
        if short := [name for name in columns if not row[name]]:
            raise ProbeError(f"{path}: row {number} has nothing in column {short[0]!r}")
    if not rows:
        raise ProbeError(f"{path}: has no rows")
    return rows


def read_header(path: Path | str) -> list[str]:
    """Names of the columns of a table.

    Raises:
        ProbeError: not there, or not text.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProbeError(f"{path}: cannot be read as a table ({getattr(error, 'strerror', None) or error})") from error


def read_lines(path: Path | str) -> list[str]:
    """Lines of a text file without the blanks at their ends.

    Raises:
        ProbeError: not there, or not text.
    """
    try:
        return [line.strip() for line in Path(path).read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ProbeError(f"{path}: cannot be read as text ({getattr(error, 'strerror', None) or error})") from error


def number_in(path: Path | str, place: str, text: str) -> float:
    """A finite number that stands at some place of a file.

    Raises:
        ProbeError: it is none; it names file and place.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ProbeError(f"{path}: {place}: {text!r} is not a number")
    return value


def stretch_in(path: Path | str, place: str, start: str, end: str) -> tuple[float, float]:
    """Start and end [s] that stand at some place of a file.

    Raises:
        ProbeError: no numbers, or the end is not after the start.
    """
    first, last = number_in(path, place, start), number_in(path, place, end)
    if not 0 <= first < last:
        raise ProbeError(f"{path}: {place}: from {start} s to {end} s is no stretch of a video")
    return first, last
