"""Captions in the layout of HowTo100M: lists `start`, `end` and `text` of each video, as JSON, or as a table (CSV)."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from pretrain.captions.decoding import decoded
from pretrain.captions.sentence import CaptionError, Sentence, text_in

_COLUMNS = ("start", "end", "text")


def columns_to_sentences(content: dict[str, Any]) -> list[Sentence]:
    """Sentences of one video's entry in `caption.json`.

    Raises:
        CaptionError: a column is missing, or they have different lengths, or a time is no number.
    """
    try:
        start, end, text = (list(content[name]) for name in _COLUMNS)
        if not len(start) == len(end) == len(text):
            raise CaptionError(f"{len(start)} starts, {len(end)} ends and {len(text)} texts")
        return [Sentence(float(a), float(b), text_in(said)) for a, b, said in zip(start, end, text, strict=True)]
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, CaptionError):
            raise
        raise CaptionError(f"expected the columns {', '.join(_COLUMNS)} ({error!r})") from error


def read_table(path: Path) -> list[Sentence]:
    """Sentences of a CSV table with the columns `start`, `end` [s] and `text`, one sentence a line.

    Raises:
        CaptionError: as in `columns_to_sentences`, or not a table.
    """
    try:
        reader = csv.DictReader(io.StringIO(decoded(path), newline=""))
        rows = list(reader)
    except csv.Error as error:
        raise CaptionError(f"not a table that can be read ({error})") from error
    return columns_to_sentences({name: [row[name] for row in rows] for name in reader.fieldnames or ()})
