"""Annotations of ChangeIt (Soucek et al., Look for the Change, CVPR 2022): what each second of a video shows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

ENDING = ".fps1.csv"
"""Of the table of a video: one row a second."""
LABELS = 4
"""0 background, 1 initial state, 2 action, 3 end state."""


class AnnotationError(ValueError):
    """No annotations there, or a table that is malformed."""


class Annotated(NamedTuple):
    """A video that somebody has labelled."""

    category: str
    video: str
    labels: Int[np.ndarray, "T"]
    """Of each second: see `perception.states.precision`."""


def read_changeit(folder: Path | str) -> list[Annotated]:
    """All videos of `annotations/CATEGORY/VIDEO.fps1.csv`, in order of category and name.

    Args:
        folder: the one that holds `annotations`.

    Raises:
        AnnotationError: nothing there, or a malformed table.
    """
    files = sorted((Path(folder) / "annotations").glob(f"*/*{ENDING}"))
    if not files:
        raise AnnotationError(f"{folder}: no annotations/CATEGORY/VIDEO{ENDING} in it")
    return [Annotated(file.parent.name, file.name.removesuffix(ENDING), read_labels(file)) for file in files]


def read_labels(file: Path) -> Int[np.ndarray, "T"]:
    """Labels of one video from rows `second,label`.

    Raises:
        AnnotationError: not such a table, seconds that do not count up from 0, or a label that there is not.
    """
    try:
        with open(file, encoding="utf-8", newline="") as rows:
            table = np.array([[int(cell) for cell in row] for row in csv.reader(rows) if row], np.int64)
    except (OSError, ValueError) as error:
        raise AnnotationError(f"{file}: expected rows of second,label ({error})") from error
    if table.ndim != 2 or table.shape[1] != 2:
        raise AnnotationError(f"{file}: expected rows of second,label")
    if not np.array_equal(table[:, 0], np.arange(len(table))):
        raise AnnotationError(f"{file}: seconds do not count up from 0 one by one")
    labels: np.ndarray = table[:, 1]
    unknown = labels[(labels < 0) | (labels >= LABELS)]
    if unknown.size:
        raise AnnotationError(f"{file}: label {unknown[0]}; there are 0 to {LABELS - 1}")
    return labels
