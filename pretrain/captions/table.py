"""The formats by suffix, and the one function that reads captions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pretrain.captions.cues import read_cues
from pretrain.captions.decoding import decoded
from pretrain.captions.howto100m import columns_to_sentences, read_table
from pretrain.captions.sentence import CaptionError, Sentence
from pretrain.captions.whisper import whisper_sentences


def _read_json(path: Path) -> list[Sentence]:
    try:
        content: Any = json.loads(decoded(path))
    except json.JSONDecodeError as error:
        raise CaptionError(f"not JSON ({error})") from error
    if isinstance(content, list):
        content = {"segments": content}
    if not isinstance(content, dict):
        raise CaptionError(f"JSON, but no transcript: a {type(content).__name__}")
    return columns_to_sentences(content) if {"start", "end", "text"} <= set(content) else whisper_sentences(content)


FORMATS: dict[str, Callable[[Path], list[Sentence]]] = {
    ".vtt": read_cues,
    ".srt": read_cues,
    ".json": _read_json,
    ".csv": read_table,
}
"""Readers by suffix; where a video has several captions, the first format of these is taken."""


def read_captions(path: Path | str) -> list[Sentence]:
    """Sentences of a caption file as they stand in it, with markup; `narration` cleans and sorts them.

    Raises:
        CaptionError: names the file; not there, of another format, damaged, or without captions.
    """
    path = Path(path)
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        raise CaptionError(f"{path}: not a format of captions; there are {', '.join(FORMATS)}")
    try:
        return reader(path)
    except OSError as error:
        raise CaptionError(f"{path}: cannot be read ({error.strerror or error})") from error
    except CaptionError as error:
        raise CaptionError(f"{path}: {error}") from error
