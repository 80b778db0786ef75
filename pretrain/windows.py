"""Windows of time that together show every moment of a video, read in one pass whatever its length."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import UInt8

from perception.video import ClipError, open_container
from pretrain.forward import Forward, on_grid, remarks
from pretrain.frames import HELD, Scaler, duration_of, scaled, size_of, upright
from pretrain.probes.viewing import central
from pretrain.sampling import Sampling

T = TypeVar("T")


class WindowError(ValueError):
    """Windows that no video has, or that would leave moments out."""


class Window(NamedTuple):
    """A clip as an encoder takes it, and when it is shown."""

    frames: UInt8[np.ndarray, "T S S 3"]
    time: tuple[float, float]
    """Start and end [s], counted from the start of the video."""


def covering(items: Iterable[T], length: int, hop: float) -> Iterator[tuple[int, list[T]]]:
    """Stretches of `length` items that together hold all, each with the place of its first.

    Stretch k begins at k `hop`, rounded; what is left after the last whole one is the end of a last one, which begins
    earlier. Fewer than `length` items make one stretch, in which the last is repeated.

    Raises:
        WindowError: `hop` is below 1, or above `length`, so that items would be left out.
    """
    if not 1 <= hop <= length:
        raise WindowError(f"stretches of {length} cannot follow each other every {hop:g}")
    recent: deque[T] = deque(maxlen=length)
    number = start = count = reached = 0
    for count, item in enumerate(items, 1):
        recent.append(item)
        if count == start + length:
            yield start, list(recent)
            number, reached = number + 1, count
            start = math.floor(number * hop + 0.5)
    if reached < count:
        yield max(0, count - length), [*recent, *[recent[-1]] * (length - len(recent))]


class Windows:
    """The windows of one video. The frames of one window are held at a time, however long the video is."""

    def __init__(self, path: Path, sampling: Sampling, every: float | None = None) -> None:
        """Say which; nothing is opened yet.

        Args:
            path: of the video.
            sampling: what a window consists of. Of each frame the central square is seen.
            every: from the start of one window to that of the next [s]; by default windows follow each other.

        Raises:
            WindowError: `every` is shorter than a frame, or longer than a window.
        """
        self.path = path
        self.sampling = sampling
        self.hop = hop_of(sampling, every)
        self.remarks: list[str] = []
        """What is wrong with the video though it can be used; complete once all windows have been read."""

    def __iter__(self) -> Iterator[Window]:
        """Read them in order of time; each begins later than the one before.

        Raises:
            ClipError: not a video, or nothing in it can be decoded.
        """
        sampling, waiting = self.sampling, None
        with open_container(self.path, threads=False) as container:
            shown = Forward(container)
            images = _images(shown, sampling, self.path)
            for place, frames in covering(images, sampling.frames, self.hop):
                if waiting is not None:
                    yield waiting
                start = place / sampling.fps
                waiting = Window(np.stack(frames), (start, start + sampling.seconds))
            if waiting is None:
                raise ClipError(f"{self.path}: nothing in it can be decoded")
            start, end = waiting.time
            yield waiting._replace(time=(start, min(end, shown.end) if shown.end > start else end))
            self.remarks += remarks(shown.damaged, duration_of(container, default=0.0) - shown.end)


def hop_of(sampling: Sampling, every: float | None) -> float:
    """Frames from the start of one window to that of the next.

    Raises:
        WindowError: `every` is shorter than a frame, or longer than a window.
    """
    if every is None:
        return float(sampling.frames)
    hop = every * sampling.fps
    slack = 1e-6  # of numbers such as 0.7 x 10
    if not 1 - slack <= hop <= sampling.frames + slack:
        raise WindowError(
            f"windows every {every:g} s: this encoder sees {sampling.seconds:g} s at {sampling.fps:g} frames a second;"
            f" choose {1 / sampling.fps:g} to {sampling.seconds:g} s, so that no moment is left out"
        )
    return min(max(hop, 1.0), float(sampling.frames))


def _images(shown: Forward, sampling: Sampling, path: Path) -> Iterator[np.ndarray]:
    """The central square of what is shown at 0, 1 / fps, 2 / fps ... until the last frame is gone."""
    scaler = Scaler()
    last: Any = None
    image: Any = None
    for frame in on_grid(shown, sampling.fps, path, hold=HELD):
        if frame is not last:
            whole = upright(frame, scaled(size_of(frame), sampling.short_side), scaler)
            image, last = np.ascontiguousarray(central(whole, sampling.size)), frame
        yield image
