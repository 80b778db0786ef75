"""WebVTT (`.vtt`) and SubRip (`.srt`): blocks of text under a line `start --> end`."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from pretrain.captions.decoding import decoded
from pretrain.captions.rolling import unrolled
from pretrain.captions.sentence import CaptionError, Sentence

_ARROW = "-->"
_MOMENT = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,6}))?")
"""Hours (which WebVTT may omit), minutes, seconds, and a decimal part after a point or, in SubRip, a comma."""

_log = logging.getLogger(__name__)


def read_cues(path: Path) -> list[Sentence]:
    """Sentences of a `.vtt` or `.srt` file; repetitions of rolling captions are removed.

    A cue whose times make no sense is left out with a warning. Text before the first cue, numbers and names of cues,
    comments and style sheets are no cues.

    Raises:
        CaptionError: not text, or no cue in it.
    """
    lines = decoded(path).splitlines()
    at = [k for k, line in enumerate(lines) if _ARROW in line]
    if not at:
        raise CaptionError(f"no cue (a line with {_ARROW}) in it")
    cues = []
    for k in at:
        start, end = (_seconds(part) for part in lines[k].split(_ARROW, 1))
        if start is None or end is None or end < start:
            _log.warning("%s: line %d is left out: %r is no stretch of time", path, k + 1, lines[k].strip())
            continue
        cues.append(Sentence(start, end, " ".join(_body(lines, k + 1))))
    return unrolled(cues)


def _body(lines: list[str], first: int) -> list[str]:
    """Lines of text until an empty one; a line of blanks is part of rolling captions."""
    body: list[str] = []
    for line in lines[first:]:
        if not line or _ARROW in line:
            break
        body.append(line)
    if body and first + len(body) < len(lines) and _ARROW in lines[first + len(body)] and body[-1].strip().isdigit():
        body.pop()  # the number of the next cue: the empty line before it is missing
    return body


def _seconds(text: str) -> float | None:
    found = _MOMENT.match(text.strip())
    if found is None:
        return None
    hours, minutes, seconds, decimals = found.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{decimals or 0}")
