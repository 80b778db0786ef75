"""OpenSim's text tables: markers (.trc), and columns over time (.mot, .sto)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.importers.motion_file_error import MotionFileError

METRES = {"m": 1.0, "mm": 1e-3, "cm": 1e-2}
"""Length units of markers [m]."""


class MarkerTable(NamedTuple):
    """Markers over time, in the file's own axes."""

    names: tuple[str, ...]
    """A name that comes twice is two markers."""
    points: Float[np.ndarray, "T N 3"]
    """[m]; NaN where a marker was not seen."""
    fps: float


class ColumnTable(NamedTuple):
    """Columns by name."""

    columns: dict[str, Float[np.ndarray, "T"]]
    """`time` [s] among them."""
    degrees: bool
    """Whether rotations are in degrees rather than radians."""

    @property
    def fps(self) -> float:
        """Rows per second."""
        return rate_of(self.columns["time"])


def rate_of(time: Float[np.ndarray, "T"]) -> float:
    """Frame rate [1/s] of sample times, rounded to what the digits in a file bear.

    Raises:
        MotionFileError: fewer than two rows, or times that do not rise.
    """
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    if not step > 0:
        raise MotionFileError("times that do not rise; expected at least two rows, one after the other")
    return round(1 / step, 3)


def parse_trc(lines: Sequence[str]) -> MarkerTable:
    """Read the lines of a .trc file.

    Raises:
        MotionFileError: not that layout.
    """
    try:
        header = dict(zip(lines[1].split(), lines[2].split(), strict=False))
        scale, rate = METRES[header["Units"].lower()], float(header["DataRate"])
        names = [name.strip() for name in lines[3].split("\t")[2:] if name.strip()]
    except (IndexError, KeyError, ValueError) as error:
        raise MotionFileError(
            f"no header of a .trc file ({error}); expected DataRate, Units and marker names"
        ) from error
    width = 2 + 3 * len(names)
    rows = [line.split("\t") for line in lines[5:] if line.strip()]
    if not rows or not names:
        raise MotionFileError("a .trc file without markers or without rows")
    if any(len(row) < 3 for row in rows) or len(rows) != int(float(header.get("NumFrames", len(rows)))):
        raise MotionFileError(
            f"{len(rows)} rows where the header says {header.get('NumFrames')}: the file is cut short"
        )
    values = np.full((len(rows), width), np.nan)
    for t, row in enumerate(rows):
        cells = row[:width]
        try:
            values[t, : len(cells)] = [float(cell) if cell.strip() else np.nan for cell in cells]
        except ValueError as error:
            raise MotionFileError(f"row {t + 1} holds something that is no number ({error})") from error
    return MarkerTable(tuple(names), scale * values[:, 2:].reshape(len(rows), -1, 3), rate)


def parse_columns(lines: Sequence[str]) -> ColumnTable:
    """Read the lines of a .mot or .sto file.

    Raises:
        MotionFileError: not that layout.
    """
    start = next((n for n, line in enumerate(lines) if line.strip().lower() == "endheader"), None)
    if start is None or start + 1 >= len(lines):
        raise MotionFileError("no 'endheader' before a table; expected a .mot or .sto file of OpenSim")
    settings = dict(line.split("=", 1) for line in lines[:start] if "=" in line)
    names = [name.strip() for name in lines[start + 1].split("\t")]
    rows = [line.split("\t") for line in lines[start + 2 :] if line.strip()]
    expected = int(settings.get("nRows", len(rows)))
    if len(rows) != expected or any(len(row) < len(names) for row in rows) or not rows:
        raise MotionFileError(f"{len(rows)} whole rows where the header says {expected}: the file is cut short")
    try:
        values = np.array([row[: len(names)] for row in rows], dtype=float)
    except ValueError as error:
        raise MotionFileError(f"the table holds something that is no number ({error})") from error
    if "time" not in names:
        raise MotionFileError("a table without a column 'time'")
    degrees = settings.get("inDegrees", "no").strip().lower() == "yes"
    return ColumnTable(dict(zip(names, values.T, strict=True)), degrees)
