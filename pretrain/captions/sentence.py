"""What captions are read into: sentences with their times, clean of markup, and the `Timeline` of a whole video."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from records import Timeline

_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<[\d:.]+>|\{\\[^{}]*\}")
"""HTML and WebVTT tags with their inline times; override blocks of SubStation Alpha."""
_BREAK = re.compile(r"\\[Nnh]")
"""Line breaks and hard spaces of SubStation Alpha."""
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_SOUND = re.compile(r"[\[(][^\])]*[\])]|[♪♫]|>>+")
"""Descriptions of sounds, notes of music, changes of speaker."""


class CaptionError(ValueError):
    """Captions that cannot be read, or hold no sentence."""


class Sentence(NamedTuple):
    """What is said from `start` to `end` [s]."""

    start: float
    end: float
    text: str
    confidence: float = 1.0


def text_in(entry: Any) -> str:
    """What a table or a transcript holds as text; nothing where it has a gap (None, or NaN as pandas writes it)."""
    return "" if entry is None or entry != entry else str(entry)


def unmarked(text: str) -> str:
    """Text without tags, styling, entities and invisible characters; white space is one blank."""
    text = html.unescape(_BREAK.sub(" ", _MARKUP.sub("", text)))
    return " ".join(_INVISIBLE.sub("", text).split())


def clean(text: str) -> str:
    """Words alone, `unmarked`.

    A text that only describes sounds, such as `[Music]`, says nothing and becomes empty; within words they stay.
    """
    text = unmarked(text)
    return text if re.search(r"\w", _SOUND.sub("", text)) else ""


def narration(sentences: Iterable[Sentence], duration: float = float("inf")) -> Timeline:
    """The sentences of a video, cleaned, in order of time, within 0 to `duration` [s].

    Sentences without words, without a finite start and end or without duration, and those of which nothing lies within
    the video, are left out.

    Raises:
        CaptionError: no sentence remains.
    """
    said = [s._replace(text=clean(s.text)) for s in sentences]
    said = [s for s in said if s.text]
    if not said:
        raise CaptionError("holds no sentence")
    said = [s for s in said if s.start < s.end]
    if not said:
        raise CaptionError("none of its sentences lasts any time")
    kept = [s._replace(start=max(s.start, 0.0), end=min(s.end, duration)) for s in said]
    kept = sorted(s for s in kept if s.start < s.end < math.inf)
    if not kept:
        first = min(s.start for s in said)
        raise CaptionError(f"its sentences, from {first:.1f} s on, lie outside the video, which lasts {duration:.1f} s")
    return Timeline(
        labels=tuple(s.text for s in kept),
        interval=np.array([[s.start, s.end] for s in kept], np.float64),
        confidence=np.array([s.confidence for s in kept], np.float64),
    )
