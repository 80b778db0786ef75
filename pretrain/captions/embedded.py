"""Subtitles within a video file (`mov_text` and other streams of text), through PyAV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pretrain.captions.rolling import unrolled
from pretrain.captions.sentence import CaptionError, Sentence

_FIELDS = 8
"""Fields before the text in a decoded line: order, layer, style, name, three margins, effect."""


def read_embedded(path: Path, *, language: str = "eng") -> list[Sentence]:
    """Sentences of a video's own subtitles, by the file's clock; of several streams the first in `language`, else any.

    Streams of pictures, as on DVDs, are passed over.

    Raises:
        CaptionError: cannot be read, or has no subtitles that are text.
    """
    import av

    try:
        with av.open(str(path)) as container:
            streams: list[Any] = list(container.streams.subtitles)
            if not streams:
                raise CaptionError("no captions beside it, and none within it")
            texts = [stream for stream in streams if not stream.codec_context.codec.bitmap_sub]
            if not texts:
                raise CaptionError("no captions beside it, and those within it are pictures, not text")
            stream = min(texts, key=lambda s: (s.language or "").lower() not in (language, language[:2]))
            origin = (container.start_time or 0) / av.time_base
            cues: list[Sentence] = []
            for packet in container.demux(stream):
                if packet.pts is None or not packet.size:
                    continue
                start = float(packet.pts * packet.time_base) - origin
                end = start + float((packet.duration or 0) * packet.time_base)
                cues.extend(Sentence(start, end, text) for text in map(_text, packet.decode()) if text)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, CaptionError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise CaptionError(f"its subtitles cannot be read ({reason})") from error
    return unrolled(cues)


def _text(subtitle: Any) -> str:
    line = getattr(subtitle, "ass", b"")
    return line.decode("utf-8", errors="replace").split(",", _FIELDS)[-1] if line else ""
