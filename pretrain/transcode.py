"""A video as a training reads it fast: small, at a fixed rate, with a key frame every so many frames."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from perception.video import ClipError, SoundTrack, open_container
from pretrain.forward import Forward, on_grid
from pretrain.frames import Scaler, duration_of, scaled, size_of, upright
from pretrain.soundtrack import in_blocks

SOUND_RATES = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Samples a second that sound can be kept with."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How videos are encoded."""

    fps: float = 10.0
    """Frame rate [1/s]."""
    short_side: int = 256
    """Height or width, whichever is smaller [px]; smaller videos keep their size."""
    gop: int = 10
    """Frames from one key frame to the next: what has to be decoded before a clip begins."""
    quality: int = 23
    """Constant rate factor of x264; lower is better and larger."""
    sound: int = 0
    """Samples of sound a second, in one channel; 0 leaves sound out."""

    def __post_init__(self) -> None:
        """Refuse what no video has."""
        if not 0 < self.fps < math.inf or self.short_side < 2 or self.gop < 1 or not 0 <= self.quality <= 51:
            raise ClipError(f"{self}: fps, short side and gop must be positive, the quality 0 to 51")
        if self.sound and self.sound not in SOUND_RATES:
            raise ClipError(
                f"sound of {self.sound} samples a second; choose from: 0, {', '.join(map(str, SOUND_RATES))}"
            )


class Encoded(NamedTuple):
    """What came of it."""

    frames: int
    size_hw: tuple[int, int]
    damaged: int
    """Packets of the original that could not be decoded; the frame before stands in their place."""
    missing: float
    """How much earlier it ends than the original's header says [s]."""
    silent_from: float | None = None
    """Where the original's sound cannot be decoded any further [s]; the rest of it is left out."""


def transcode(path: Path, out: io.IOBase, encoding: Encoding) -> Encoded:
    """Write a video as H.264 in mp4 (yuv420p, upright), one frame at a time, with its sound as AAC where that is asked.

    Frame n is what the original shows at n / fps, counted from the container's start, as captions count.

    Raises:
        ClipError: not a video, or nothing in it can be decoded.
        OSError: `out` cannot be written; its own error.
    """
    import av

    count = 0
    with open_container(path, threads=False) as source, open_container(path, threads=False) as heard:
        stated = duration_of(source, default=0.0)
        shown = Forward(source)
        images = on_grid(shown, encoding.fps, path)
        first = next(images, None)
        if first is None:
            raise ClipError(f"{path}: nothing in it can be decoded")
        size_hw = size_of(first)
        height, width = scaled(size_hw, min(encoding.short_side, *size_hw))
        height, width = height - height % 2, width - width % 2
        with av.open(out, "w", format="mp4") as container:
            rate = Fraction(encoding.fps).limit_denominator(1001)
            stream: Any = container.add_stream("libx264", rate=rate)
            stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
            stream.codec_context.thread_count = 1
            stream.options = {
                "crf": str(encoding.quality),
                "preset": "veryfast",
                "tune": "fastdecode",  # 15 % larger, decoded in half the time
                "x264-params": f"keyint={encoding.gop}:min-keyint={encoding.gop}:scenecut=0:open-gop=0",
            }
            sound = _Sound(heard, container, encoding.sound)
            scaler = Scaler()
            last: Any = None
            small: Any = None
            frame: Any = first
            while frame is not None:
                if frame is not last:
                    small, last = _small(frame, (height, width), scaler), frame
                small.pts, small.time_base = count, 1 / rate
                container.mux(stream.encode(small))
                count += 1
                frame = next(images, None)
                sound.until(count / encoding.fps)
            container.mux(stream.encode())
            sound.end()
    missing = max(0.0, stated - count / encoding.fps)
    return Encoded(count, (height, width), shown.damaged, missing, sound.silent_from)


class _Sound:
    """The sound of a video, written beside its pictures as they come; nothing where there is none, or a rate of 0."""

    def __init__(self, source: Any, out: Any, rate: int) -> None:
        self.silent_from: float | None = None
        self._rate = rate
        self._track: SoundTrack | None = None
        if rate and source.streams.audio:
            self._track = SoundTrack(out, rate)
            self._blocks: Iterator[Any] = in_blocks(source, rate, SoundTrack.BLOCK / rate)

    def until(self, moment: float) -> None:
        """Write what is heard before a moment [s]."""
        import av

        while self._track is not None and self._track.written < moment * self._rate:
            try:
                block = next(self._blocks, None)
            except (av.FFmpegError, OSError):
                block, self.silent_from = None, self._track.written / self._rate
            if block is None:
                self._blocks = iter(())
                return
            self._track.write(block)

    def end(self) -> None:
        """Write what the encoder still holds."""
        if self._track is not None:
            self._track.end()


def _small(frame: Any, size_hw: tuple[int, int], scaler: Scaler) -> Any:
    """A frame scaled and turned upright, as yuv420p."""
    import av

    if round(getattr(frame, "rotation", 0) / 90) % 4:
        turned = av.VideoFrame.from_ndarray(upright(frame, size_hw, scaler), format="rgb24")
        return turned.reformat(format="yuv420p", threads=1)
    small = scaler(frame, size_hw, "yuv420p")
    small.pict_type = 0  # else the encoder makes a key frame wherever the original has one
    return small
