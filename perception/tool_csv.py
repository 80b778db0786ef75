"""Tool endpoints from a table that the user brings: `frame,name,x,y[,confidence]`."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from records import Keypoints

NAMES = ("tool_head", "tool_handle")
REQUIRED = ("frame", "name", "x", "y")


class ToolCsvError(ValueError):
    """A table of tool endpoints cannot be read; the message names the line."""


def read_tool_csv(path: Path | str, *, num_frames: int, fps: float, size_hw: tuple[int, int]) -> Keypoints:
    """Read tool endpoints.

    Args:
        path: a CSV file with a header line; frames count from 0, x and y in px, confidence in [0, 1] (1 if left out).
        num_frames: frames of the clip; frames that the table leaves out have confidence 0.
        fps: rate of the clip [1/s].
        size_hw: height and width of the image [px].

    Raises:
        ToolCsvError: no such file, a missing column, an unknown name, a value out of range, or no endpoint at all.
    """
    path = Path(path)
    uv = np.zeros((num_frames, len(NAMES), 2))
    confidence = np.zeros((num_frames, len(NAMES)))
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, skipinitialspace=True)
            missing = [name for name in REQUIRED if name not in (rows.fieldnames or ())]
            if missing:
                raise ToolCsvError(f"{path}: no column {', '.join(missing)}; expected frame,name,x,y[,confidence]")
            for row in rows:
                frame, name, x, y, seen = _row(row, f"{path}, line {rows.line_num}")
                if frame >= num_frames:
                    raise ToolCsvError(
                        f"{path}, line {rows.line_num}: frame {frame} is beyond the clip of {num_frames} frames"
                    )
                column = NAMES.index(name)
                uv[frame, column], confidence[frame, column] = (x, y), seen
    except OSError as error:
        raise ToolCsvError(f"{path}: {error.strerror or error}; expected a CSV file frame,name,x,y") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ToolCsvError(f"{path}: not a CSV text file ({error})") from error
    if not confidence.any():
        raise ToolCsvError(f"{path}: no endpoint is ever seen; expected rows for {' and '.join(NAMES)}")
    return Keypoints(names=NAMES, uv=uv, confidence=confidence, fps=fps, size_hw=size_hw)


def _row(row: dict[str, str], where: str) -> tuple[int, str, float, float, float]:
    try:
        frame, x, y = int(row["frame"]), float(row["x"]), float(row["y"])
        seen = float(row.get("confidence") or 1.0)
    except (TypeError, ValueError) as error:
        raise ToolCsvError(f"{where}: {error}; expected numbers in frame, x, y, confidence") from error
    name = (row["name"] or "").strip()
    if name not in NAMES:
        raise ToolCsvError(f"{where}: unknown endpoint {name!r}; expected {' or '.join(NAMES)}")
    if frame < 0 or not (math.isfinite(x) and math.isfinite(y)) or not 0 <= seen <= 1:
        raise ToolCsvError(f"{where}: frame, x, y or confidence out of range; frames from 0, confidence in [0, 1]")
    return frame, name, x, y, seen
