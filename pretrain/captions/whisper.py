"""Transcripts of Whisper and its kin in JSON: segments, with or without the times of their words, or words alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from pretrain.captions.sentence import CaptionError, Sentence, text_in

_PAUSE = 0.7
"""Words that are further apart than this [s] belong to different sentences."""
_LONGEST = 16
"""Words of a sentence at most, as many as the text module reads; only where words come without segments."""

_MILLISECONDS = 1e-3


def whisper_sentences(content: dict[str, Any]) -> list[Sentence]:
    """Sentences of a transcript.

    Read are `segments` (openai-whisper, faster-whisper, WhisperX, the OpenAI interface), `transcription`
    (whisper.cpp), `chunks` (the pipeline of transformers, which leaves the end of the last one open: such a chunk is
    left out) and, where there are no segments, `words`. The times of a segment are those of its first and last word,
    where words have times: segments begin early. The confidence is exp of the mean log probability.

    Raises:
        CaptionError: none of these, or a part without its times or text.
    """
    try:
        if "transcription" in content:
            return [_cpp_segment(part) for part in content["transcription"]]
        if "chunks" in content:
            return [_chunk(part) for part in content["chunks"] if None not in part["timestamp"]]
        if content.get("segments"):
            return [_segment(part) for part in content["segments"]]
        if "words" in content:
            return list(_grouped(content["words"]))
        if "segments" in content:
            return []
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CaptionError(f"a part of the transcript lacks its times or text ({error!r})") from error
    raise CaptionError("JSON, but no transcript: expected segments, transcription, chunks or words")


def _segment(part: dict[str, Any]) -> Sentence:
    timed = [word for word in part.get("words") or () if _is_timed(word)]
    start, end = (timed[0]["start"], timed[-1]["end"]) if timed else (part["start"], part["end"])
    confidence = math.exp(min(0.0, float(part.get("avg_logprob") or 0.0)))
    return Sentence(float(start), float(end), text_in(part["text"]), confidence)


def _cpp_segment(part: dict[str, Any]) -> Sentence:
    offsets = part["offsets"]
    return Sentence(offsets["from"] * _MILLISECONDS, offsets["to"] * _MILLISECONDS, text_in(part["text"]))


def _chunk(part: dict[str, Any]) -> Sentence:
    start, end = part["timestamp"]
    return Sentence(float(start), float(end), text_in(part["text"]))


def _is_timed(word: dict[str, Any]) -> bool:
    return word.get("start") is not None and word.get("end") is not None


def _grouped(words: Iterable[dict[str, Any]]) -> Iterator[Sentence]:
    """Sentences end at a full stop, before a pause, and after so many words; words without times are left out."""
    group: list[tuple[float, float, str]] = []
    for entry in filter(_is_timed, words):
        word = float(entry["start"]), float(entry["end"]), text_in(entry.get("word", entry.get("text"))).strip()
        if group and (word[0] - group[-1][1] > _PAUSE or len(group) == _LONGEST or group[-1][2][-1:] in set(".?!")):
            yield _joined(group)
            group = []
        group.append(word)
    if group:
        yield _joined(group)


def _joined(group: list[tuple[float, float, str]]) -> Sentence:
    return Sentence(group[0][0], group[-1][1], " ".join(word for _, _, word in group))
