"""Video in and out through PyAV: frames stream one at a time, so the length of a clip does not matter.

Imports nothing heavier than NumPy; PyAV is loaded when a file is opened.
"""

from __future__ import annotations

import functools
import io
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from perception.sound_track import Sound, SoundTrack
from records.atomic import atomic_path
from records.video import Clip

if TYPE_CHECKING:
    from av.container import InputContainer

Image = UInt8[np.ndarray, "H W 3"]

_VARIABLE = 0.25
"""A file has a variable rate where a gap between frames departs by more than this share from the median gap."""

_BUFFER = 1 << 18
"""Bytes that are read at once from something that is not a file of its own."""

REPEATABLE = {"threads": "1", "x264-params": "mbtree=0"}
"""Options with which x264 gives the same file for the same images: its macroblock tree does not on AVX-512 processors,
where it reads what has never been written."""

_STANDARD_DEFINITION_ASPECT = {(576, 720): 16 / 15, (480, 720): 8 / 9}
"""Width over height of a pixel in 4:3 standard definition (ITU-R BT.601) files that do not state it, by size."""

_log = logging.getLogger(__name__)


class ClipError(ValueError):
    """A file that cannot be read as video, or a frame that is not in it."""


class _Timing(NamedTuple):
    """When the decodable frames of a file are shown."""

    time: np.ndarray
    """Seconds since the first frame, ascending (F,)."""
    first: float
    """Presentation time of the first frame [s], as the file counts."""
    fps: float
    """Mean rate by the file's own clock [1/s]."""
    variable: bool


def open_clip(
    path: Path | str, *, fps: float | None = None, start: float | None = None, end: float | None = None
) -> Clip:
    """Examine a video file.

    Args:
        path: the file.
        fps: true frame rate [1/s], where the header lies: every frame is kept and time is counted anew. Without it
            the file's clock is believed, and a file of variable rate is read on a regular grid at its mean rate.
        start: first moment [s], by the true rate.
        end: last moment [s].

    Raises:
        ClipError: no such file, not a video, no frames, or an empty stretch.
    """
    path = Path(path)
    if fps is not None and not fps > 0:
        raise ClipError(f"--fps {fps}: the frame rate must be positive")
    timing = _timing(*_identity(path))
    rate = float(fps) if fps is not None else timing.fps
    total = len(_grid(timing, rate))
    first = 0 if start is None else round(start * rate)
    last = total if end is None else min(total, round(end * rate))
    if not 0 <= first < last:
        raise ClipError(f"{path}: nothing between {start or 0} s and {end} s; the clip lasts {total / rate:.2f} s")
    size = next(_decode(path)).shape[:2]
    return Clip(path=str(path), fps=rate, start=first, num_frames=last - first, size_hw=(size[0], size[1]))


def read_frames(clip: Clip) -> Iterator[Image]:
    """Yield the frames of a clip as RGB (H, W, 3) uint8, upright, one at a time.

    Raises:
        ClipError: the file has changed since the clip was opened and no longer holds its frames.
    """
    timing = _timing(*_identity(Path(clip.path)))
    wanted = _grid(timing, clip.fps)[clip.start : clip.start + clip.num_frames]
    if len(wanted) < clip.num_frames:
        raise ClipError(f"{clip.path}: has {len(wanted)} of the {clip.num_frames} frames that were there when opened")
    given = 0
    for index, image in _indexed(Path(clip.path), timing, int(wanted[0])):
        while given < len(wanted) and wanted[given] <= index:
            yield image
            given += 1
        if given == len(wanted):
            return
    raise ClipError(f"{clip.path}: frame {clip.start + given} cannot be decoded; cut the clip before it with --end")


def read_frame(clip: Clip, index: int) -> Image:
    """Return one frame of a clip, RGB (H, W, 3) uint8; `index` counts from the clip's start.

    Raises:
        ClipError: no such frame.
    """
    if not 0 <= index < clip.num_frames:
        raise ClipError(f"frame {index} is not in {clip.path}, which has frames 0 to {clip.num_frames - 1}")
    return next(read_frames(clip.replace(start=clip.start + index, num_frames=1)))


def write_video(
    path: Path | str, frames: Iterable[Image], fps: float, *, quality: int = 20, sound: Sound | None = None
) -> Path:
    """Write RGB frames as H.264 (yuv420p), atomically; odd sizes are padded by one repeated row or column.

    Args:
        path: `.mp4` or another container that FFmpeg knows by suffix.
        frames: images of one size.
        fps: rate [1/s].
        quality: x264's constant rate factor; lower is better and larger.
        sound: heard from the first frame on, written as AAC.

    Raises:
        ClipError: no frames, or frames of different sizes.
    """
    from fractions import Fraction

    import av

    path, size = Path(path), None
    with atomic_path(path) as temporary, av.open(str(temporary), "w") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(100_000))
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(quality), **REPEATABLE}
        track = None if sound is None else SoundTrack(container, sound.rate)
        for count, image in enumerate(frames, 1):
            even = np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), mode="edge")
            if size is None:
                size = even.shape
                stream.height, stream.width = size[:2]
            if even.shape != size:
                raise ClipError(f"{path}: a frame of {even.shape[:2]} px among frames of {size[:2]} px")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")))
            while sound and track and track.written < min(count / fps * sound.rate, len(sound.wave)):
                track.write(sound.wave[track.written :][: SoundTrack.BLOCK])
        if size is None:
            raise ClipError(f"{path}: there are no frames to write")
        container.mux(stream.encode())
        if track:
            track.end()
    return path


def pixel_aspect(clip: Clip) -> float:
    """Width of a pixel over its height, as the file states it, or as standard definition implies it; else 1."""
    with open_container(Path(clip.path)) as container:
        stated = container.streams.video[0].sample_aspect_ratio
    if stated:
        return float(stated)
    return _STANDARD_DEFINITION_ASPECT.get(clip.size_hw, 1.0)


def open_container(source: Path | io.IOBase, name: str | None = None, *, threads: bool = True) -> InputContainer:
    """PyAV container of a video; close it after use.

    Args:
        source: path, or an open stretch of a file.
        name: what errors call it; by default the path.
        threads: whether to decode on as many threads as help, else on one.

    Raises:
        ClipError: not there, not a video, or no video stream.
    """
    import av

    name = name or str(source)
    if isinstance(source, Path) and not source.is_file():
        raise ClipError(f"{name}: no such file")
    try:
        container = av.open(str(source)) if isinstance(source, Path) else av.open(source, mode="r", buffer_size=_BUFFER)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise ClipError(f"{name}: cannot be read as video ({_reason(error)})") from error
    if not container.streams.video:
        container.close()
        raise ClipError(f"{name}: has no video stream")
    if threads:
        container.streams.video[0].thread_type = "AUTO"
    else:
        container.streams.video[0].codec_context.thread_count = 1
    return container


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _identity(path: Path) -> tuple[Path, int, int]:
    if not path.is_file():
        raise ClipError(f"{path}: no such file")
    return path, path.stat().st_size, path.stat().st_mtime_ns


@functools.lru_cache(maxsize=16)
def _timing(path: Path, _size: int, _modified: int) -> _Timing:
    """Read the presentation times from the packets without decoding; then check that the end can be decoded."""
    import av

    with open_container(path) as container:
        stream = container.streams.video[0]
        base = float(stream.time_base or 0)
        stamps, broken = [], False
        try:
            for packet in container.demux(stream):
                if packet.pts is not None and packet.size and not packet.is_discard:
                    stamps.append(packet.pts)
        except av.FFmpegError:
            broken = True
        rate = float(stream.average_rate or stream.guessed_rate or 0)
    if not stamps:
        raise ClipError(f"{path}: has no frames")
    ticks = np.unique(np.array(stamps))
    last = _last_decodable(path, int(ticks[-1]))
    if last is None:
        raise ClipError(f"{path}: none of its frames can be decoded")
    if broken or last < ticks[-1]:
        kept = ticks[ticks <= last]
        _log.warning("%s is damaged: %d of %d frames can be decoded", path, len(kept), len(ticks))
        ticks = kept
    time = (ticks - ticks[0]) * base
    gaps = np.diff(time)
    if len(gaps) and gaps.min() > 0:
        rate = 1 / float(gaps.mean())
    if rate <= 0:
        raise ClipError(f"{path}: states no frame rate; say it with --fps")
    variable = bool(len(gaps) > 1 and np.abs(gaps / np.median(gaps) - 1).max() > _VARIABLE)
    return _Timing(time, float(ticks[0]) * base, _tidy(rate), variable)


def _tidy(rate: float) -> float:
    """Undo the rounding of time stamps: the nearest of the rates in use, where it is within .02 %."""
    common = [*range(1, 241), *(n * 1000 / 1001 for n in (24, 30, 48, 60, 120, 240))]
    nearest = min(common, key=lambda c: abs(c - rate))
    return float(nearest) if abs(nearest - rate) < 2e-4 * rate else rate


def _last_decodable(path: Path, last: int) -> int | None:
    """Presentation stamp of the last frame that decodes: tried from the last key frame, else from the start."""
    import av

    for seek in (True, False):
        found: int | None = None
        with open_container(path) as container:
            stream = container.streams.video[0]
            try:
                if seek:
                    container.seek(last, stream=stream)
                for frame in container.decode(stream):
                    if frame.pts is not None:
                        found = max(found, frame.pts) if found is not None else frame.pts
            except av.FFmpegError:
                pass
        if found is not None:
            return found
    return None


def _grid(timing: _Timing, fps: float) -> np.ndarray:
    """Index of the file's frame to show at each frame of the clip."""
    if not timing.variable or fps != timing.fps:
        return np.arange(len(timing.time))
    moments = np.arange(int(timing.time[-1] * fps + 0.5) + 1) / fps
    after = np.clip(np.searchsorted(timing.time, moments), 1, len(timing.time) - 1)
    nearer_before = moments - timing.time[after - 1] <= timing.time[after] - moments
    return after - nearer_before


def _decode(path: Path) -> Iterator[Image]:
    with open_container(path) as container:
        for frame in container.decode(container.streams.video[0]):
            yield _upright(frame)


def _indexed(path: Path, timing: _Timing, first: int) -> Iterator[tuple[int, Image]]:
    """Yield (index in the file, image) from frame `first` on, starting at the key frame before it."""
    import av

    with open_container(path) as container:
        stream = container.streams.video[0]
        base = float(stream.time_base or 0)
        if first:
            container.seek(round((timing.first + timing.time[first]) / base), stream=stream)
        try:
            for frame in container.decode(stream):
                if frame.pts is None:
                    continue
                index = int(np.searchsorted(timing.time, frame.pts * base - timing.first + 1e-6, side="right")) - 1
                if index >= first:
                    yield index, _upright(frame)
        except av.FFmpegError as error:
            _log.warning("%s: decoding stopped: %s", path, _reason(error))


def _upright(frame: Any) -> Image:
    """Convert to RGB and apply the rotation that the file's display matrix asks for (degrees counter-clockwise)."""
    image = frame.to_ndarray(format="rgb24")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns))  # rows of the decoder's own image may be padded
