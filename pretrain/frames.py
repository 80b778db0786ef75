"""Frames of a video at given moments, by seeking: of a file, or of anything that reads and seeks like one.

`read_moments` is the reader that is always there; `VIDEO_READERS` names others that show the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float, UInt8

from perception.video import ClipError, open_container
from records import Entry, Registry

INSTANT = 1e-3
"""Times of frames are rounded; a frame counts as shown from this much [s] before its time on."""
HELD = 2.0
"""The last frame of a video stands for moments after it up to this much [s] later; then the file is cut short."""


class ReaderError(RuntimeError):
    """A video reader that cannot be loaded here; it says what it needs."""


class VideoReader(Protocol):
    """What `read_moments` is; every reader shows the same frames, up to how they are scaled."""

    def __call__(
        self, source: Path | io.IOBase, moments: Float[np.ndarray, "T"], *, short_side: int, name: str | None = None
    ) -> UInt8[np.ndarray, "T H W 3"]:
        """Frames at ascending moments [s]."""


VIDEO_READERS = Registry(
    "video reader",
    {
        "pyav": Entry("pretrain.frames:read_moments", "FFmpeg as PyAV brings it along"),
        "torchcodec": Entry("pretrain.torchcodec_reader:read_moments", "torchcodec, with the system's FFmpeg (extra)"),
    },
)


def origin_of(container: Any) -> float:
    """Time of the container's start by its own clock [s]; moments are counted from there."""
    import av

    return float((container.start_time or 0) / av.time_base)


def duration_of(container: Any, default: float | None = None) -> float:
    """How long the pictures last, as the header says [s], counted from the container's start.

    Raises:
        ClipError: the header does not say, and there is no `default` for that.
    """
    import av

    stream = container.streams.video[0]
    if stream.duration and stream.time_base:
        start = float((stream.start_time or 0) * stream.time_base) - origin_of(container)
        return max(0.0, start) + float(stream.duration * stream.time_base)
    if container.duration:
        return float(container.duration / av.time_base)
    if default is not None:
        return default
    raise ClipError(f"{container.name}: does not say how long it lasts")


def scaled(size_hw: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Height and width [px] with the same aspect whose smaller one is `short_side`."""
    height, width = size_hw
    factor = short_side / min(height, width)
    return (short_side, round(width * factor)) if height <= width else (round(height * factor), short_side)


class Scaler:
    """Scales and converts frames of one video; what is prepared for the first serves all. One thread."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter: Any = VideoReformatter()

    def __call__(self, frame: Any, size_hw: tuple[int, int], pixels: str) -> Any:
        """A decoded frame at another size [px], not turned, in a pixel format."""
        height, width = size_hw
        scale = {} if (frame.height, frame.width) == size_hw else {"interpolation": "AREA"}
        return self._reformatter.reformat(frame, width=width, height=height, format=pixels, threads=1, **scale)


def upright(frame: Any, size_hw: tuple[int, int], scaler: Scaler) -> UInt8[np.ndarray, "H W 3"]:
    """A decoded frame in RGB, turned as the file asks; `size_hw` is its size [px] once it stands upright."""
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    image = scaler(frame, size_hw if turns % 2 == 0 else size_hw[::-1], "rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(image, turns))


def size_of(frame: Any) -> tuple[int, int]:
    """Height and width [px] of a decoded frame once it stands upright."""
    turned = round(getattr(frame, "rotation", 0) / 90) % 2
    return (frame.width, frame.height) if turned else (frame.height, frame.width)


def read_moments(
    source: Path | io.IOBase, moments: Float[np.ndarray, "T"], *, short_side: int, name: str | None = None
) -> UInt8[np.ndarray, "T H W 3"]:
    """What a video shows at ascending `moments` [s], counted from its start: at each the latest frame until then.

    Decoding begins at the key frame before the first moment. A moment before the first frame shows that one.

    Args:
        source: path, or an open stretch of a file.
        moments: T times.
        short_side: the smaller of height and width [px] to which frames are scaled.
        name: what errors call the video; by default the path.

    Raises:
        ClipError: not a video, damaged, or it ends before the moments do.
    """
    import av

    name = name or str(source)
    with open_container(source, name, threads=False) as container:
        try:
            frames = _timed(container, float(moments[0]))
            shown = next(frames, None)
            if shown is not None and shown[0] > moments[0] + INSTANT:
                frames = _timed(container, 0.0)
                shown = next(frames, None)
            if shown is None:
                raise ClipError(f"{name}: nothing can be decoded at {moments[0]:.2f} s")
            return _picked(frames, shown, moments, short_side, name)
        except (av.FFmpegError, OSError) as error:
            raise ClipError(
                f"{name}: decoding failed after {moments[0]:.2f} s ({getattr(error, 'strerror', None) or error})"
            ) from error


def _timed(container: Any, start: float) -> Iterator[tuple[float, Any]]:
    """Decoded frames with their times [s] from the key frame before `start` on."""
    stream, origin = container.streams.video[0], origin_of(container)
    base = float(stream.time_base)
    container.seek(max(0, int((start + origin) / base)), stream=stream)
    for frame in container.decode(stream):
        if frame.pts is not None:
            yield frame.pts * base - origin, frame


def _picked(
    frames: Iterator[tuple[float, Any]], shown: tuple[float, Any], moments: np.ndarray, short_side: int, name: str
) -> np.ndarray:
    size_hw = scaled(size_of(shown[1]), short_side)
    clip = np.empty((len(moments), *size_hw, 3), np.uint8)
    following = next(frames, None)
    scaler = Scaler()
    of: tuple[float, Any] | None = None
    for k, moment in enumerate(moments):
        while following is not None and following[0] <= moment + INSTANT:
            shown, following = following, next(frames, None)
        if following is None and moment - shown[0] > HELD:
            raise ClipError(f"{name}: ends at {shown[0]:.2f} s, before {moment:.2f} s; it is cut short or damaged")
        if of is not shown:
            clip[k], of = upright(shown[1], size_hw, scaler), shown
        else:
            clip[k] = clip[k - 1]
    return clip
