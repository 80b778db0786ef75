"""A video decoded once from its first frame to its last, and what it shows on a regular grid of moments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perception.video import ClipError
from pretrain.frames import INSTANT, origin_of

_CUT_SHORT = 2.0
"""Videos that end more than this earlier [s] than their header says have a remark."""
_LONGEST_GAP = 600.0
"""A frame is repeated for at most so long [s]; a larger gap between two frames is a damaged clock."""


class Forward:
    """Decoded frames with their times [s]; packets that cannot be decoded are counted and left out."""

    def __init__(self, container: Any) -> None:
        """Read an open container, from where it stands."""
        self.container = container
        self.damaged = 0
        """Packets that could not be decoded so far."""
        self.end = 0.0
        """Until when the last frame so far is shown, where the file says how long that is; else its time [s]."""

    def __iter__(self) -> Iterator[tuple[float, Any]]:
        """Frames in order."""
        import av

        stream, origin = self.container.streams.video[0], origin_of(self.container)
        packets = self.container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:
                self.damaged += 1
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                if frame.pts is not None:
                    time = float(frame.pts * frame.time_base) - origin
                    self.end = time + float((frame.duration or 0) * frame.time_base)
                    yield time, frame


def remarks(damaged: int, missing: float) -> list[str]:
    """What is wrong with a video though it can be used.

    Args:
        damaged: packets of it that cannot be decoded.
        missing: how much earlier its picture ends than its header says [s].
    """
    found = []
    if damaged:
        found.append(f"used, but {damaged} of its packets cannot be decoded")
    if missing > _CUT_SHORT:
        found.append(f"used, but its picture ends {missing:.1f} s before the time that its header says")
    return found


def on_grid(shown: Forward, fps: float, path: Path, *, hold: float = 0.0) -> Iterator[Any]:
    """The frame to show at 0, 1 / fps, 2 / fps ... until the last frame's time.

    Args:
        shown: the video.
        fps: rate of the grid [1/s].
        path: what errors call the video.
        hold: for how long after its time the last frame is shown at most [s], if the file says that it is.

    Raises:
        ClipError: the file's clock jumps.
    """
    before: tuple[float, Any] | None = None
    n = 0
    for now in shown:
        if before is not None:
            if now[0] - before[0] > _LONGEST_GAP:
                raise ClipError(f"{path}: nothing is shown from {before[0]:.0f} s to {now[0]:.0f} s")
            while n / fps < now[0] - INSTANT:
                yield before[1]
                n += 1
        before = now
    if before is None:
        return
    held = min(shown.end, before[0] + hold)
    while n / fps <= before[0] + INSTANT or n / fps < held - INSTANT:
        yield before[1]
        n += 1
