"""Keypoints in a tidy table: `frame,name,x,y[,confidence][,person]`, one row per seen point."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from perception.detectors.detector import DetectionError, image_size
from records import Keypoints


def read_csv(path: Path, *, sequence: str | None, fps: float, size_hw: tuple[int, int] | None) -> list[Keypoints]:
    """Read the people of a table. `x`, `y` are px from the top left corner; frames count from 0.

    A point without a row in a frame is missing there. `sequence` selects one person by the `person` column.

    Raises:
        DetectionError: a column is missing, a value is not a number, or there is nobody.
    """
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        absent = {"frame", "name", "x", "y"} - set(reader.fieldnames or ())
        if absent:
            raise DetectionError(
                f"{path}: lacks the column {sorted(absent)[0]!r}; expected frame,name,x,y[,confidence]"
            )
        rows = list(reader)
    people: dict[str, list[tuple[int, str, float, float, float]]] = {}
    for line, row in enumerate(rows, start=2):
        try:
            point = (
                int(row["frame"]),
                row["name"],
                float(row["x"]),
                float(row["y"]),
                float(row.get("confidence") or 1),
            )
        except (TypeError, ValueError) as error:
            raise DetectionError(f"{path}, line {line}: {error}") from error
        if point[0] < 0 or not np.isfinite(point[2:]).all():
            raise DetectionError(f"{path}, line {line}: frame {point[0]} at {point[2:4]} is not a place in a clip")
        people.setdefault(row.get("person") or "", []).append(point)
    if sequence is not None:
        people = {name: points for name, points in people.items() if name == sequence}
    if not people:
        raise DetectionError(f"{path}: holds no points" + (f" of person {sequence!r}" if sequence else ""))
    length = 1 + max(point[0] for points in people.values() for point in points)
    return [_keypoints(points, length, fps, size_hw) for points in people.values()]


def _keypoints(
    points: list[tuple[int, str, float, float, float]], length: int, fps: float, size_hw: tuple[int, int] | None
) -> Keypoints:
    names = tuple(dict.fromkeys(name for _, name, *_ in points))
    uv, confidence = np.zeros((length, len(names), 2)), np.zeros((length, len(names)))
    for frame, name, x, y, certainty in points:
        uv[frame, names.index(name)] = x, y
        confidence[frame, names.index(name)] = min(max(certainty, 0.0), 1.0)
    size = image_size(size_hw, float(uv[..., 0].max()), float(uv[..., 1].max()))
    return Keypoints(names=names, uv=uv, confidence=confidence, fps=fps, size_hw=size)
