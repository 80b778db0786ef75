"""Sound of a video, on the clock of its pictures: a stretch of it, or all of it as it is read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from perception.video import ClipError, open_container
from pretrain.frames import origin_of

_EARLY = 0.2
"""Sound is decoded from this much [s] before a stretch on, as a codec needs some packets to find in."""
_APART = 0.05
"""Sound that comes later or earlier than it should by more than this [s] is moved to where it belongs."""


def read_stretch(
    source: Path | io.IOBase, start: float, seconds: float, rate: int, *, name: str | None = None
) -> Float[np.ndarray, "N"] | None:
    """The first audio stream from `start` [s] on, channels averaged, in [-1, 1]; zeros where there is none.

    Args:
        source: path, or an open stretch of a file.
        start: counted as the pictures are, from the container's start.
        seconds: how long it is.
        rate: samples a second that are returned, N = round(`seconds` * `rate`).
        name: what errors call the video; by default the path.

    Returns:
        None for a video without sound.

    Raises:
        ClipError: not a video, or its sound cannot be decoded there.
    """
    import av

    name = name or str(source)
    wave = np.zeros(round(seconds * rate), np.float32)
    with open_container(source, name, threads=False) as container:
        if not container.streams.audio:
            return None
        try:
            for at, part in _heard(container, rate, max(0.0, start - _EARLY)):
                first = round((at - start) * rate)
                if first >= len(wave):
                    break
                there = slice(max(0, first), max(0, min(len(wave), first + len(part))))
                wave[there] = part[there.start - first : there.stop - first]
        except (av.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ClipError(f"{name}: its sound cannot be decoded after {start:.2f} s ({reason})") from error
    return wave


def in_blocks(container: Any, rate: int, seconds: float) -> Iterator[Float[np.ndarray, "N"]]:
    """All sound of an open container, one channel, from its start on in blocks of `seconds`; silence fills gaps.

    Raises:
        av.FFmpegError: it cannot be decoded any further.
    """
    size, done = round(seconds * rate), 0
    waiting = np.zeros(0, np.float32)
    for at, part in _heard(container, rate, 0.0):
        late = round(at * rate) - done - len(waiting)
        if late > _APART * rate:
            part = np.concatenate([np.zeros(late, np.float32), part])
        elif late < -_APART * rate:
            part = part[-late:]
        waiting = np.concatenate([waiting, part])
        while len(waiting) >= size:
            yield waiting[:size]
            waiting, done = waiting[size:], done + size
    if len(waiting):
        yield waiting


def _heard(container: Any, rate: int, start: float) -> Iterator[tuple[float, Float[np.ndarray, "N"]]]:
    """Decoded parts with their times [s], from some moment at or before `start` on."""
    import av

    stream, origin = container.streams.audio[0], origin_of(container)
    if start > 0:
        container.seek(max(0, int((start + origin) / float(stream.time_base))), stream=stream)
    resampler = av.AudioResampler(format="fltp", rate=rate)
    at: float | None = None
    for frame in container.decode(stream):
        if at is None and frame.pts is not None:
            at = float(frame.pts * frame.time_base) - origin
        for part in resampler.resample(frame):
            # The resampler counts on from the first frame; its own times follow jumps of the stream's clock.
            if part.pts is not None and part.time_base is not None:
                at = float(part.pts * part.time_base) - origin
            yield at or 0.0, part.to_ndarray().mean(axis=0)
            at = (at or 0.0) + part.samples / rate
    for part in resampler.resample(None):
        yield at or 0.0, part.to_ndarray().mean(axis=0)
        at = (at or 0.0) + part.samples / rate
