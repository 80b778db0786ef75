"""How probes watch videos: windows of a stretch of time, as squares of frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from perception.video import ClipError, open_container
from pretrain.frames import duration_of, read_moments
from pretrain.probes.probe import at_least_one
from pretrain.sampling import Draw, Sampling, seen

_SEEK = 5.0
"""Between moments further apart than this [s] the reader seeks, instead of decoding all that lies between."""


@dataclass(frozen=True, kw_only=True)
class Viewing:
    """Windows that are taken of each stretch; what is not given is as the encoder was trained."""

    windows: int = 10
    """Windows of each clip."""
    frames: int | None = None
    """Frames of a window; by default as the encoder was trained."""
    fps: float | None = None
    """Their rate [1/s]; by default as the encoder was trained."""
    crop: float = 1.0
    """Side of the central square that is seen, over the short side of the video."""

    def of(self, sampling: Sampling) -> Sampling:
        """The encoder's sampling with what is given here, and nothing left to chance.

        Raises:
            ProbeError: no windows.
            SamplingError: windows that no video has.
        """
        at_least_one(windows=self.windows)
        return replace(
            sampling,
            frames=sampling.frames if self.frames is None else self.frames,
            fps=sampling.fps if self.fps is None else self.fps,
            crop=self.crop,
            augment=False,
        )


def spaced(start: float, end: float, sampling: Sampling, windows: int) -> Float[np.ndarray, "W T"]:
    """Moments [s] of windows that begin evenly from the start of a stretch until the last that fits into it.

    One window alone lies in the middle. In a stretch that is shorter than a window its last frame is held.
    """
    room = max(0.0, end - start - sampling.seconds)
    starts = start + (np.linspace(0, room, windows) if windows > 1 else np.array([room / 2]))
    return np.minimum(starts[:, None] + np.arange(sampling.frames) / sampling.fps, end)


def drawn(
    start: float, end: float, sampling: Sampling, windows: int, chance: np.random.Generator
) -> Float[np.ndarray, "W T"]:
    """Moments [s] of windows at random places of a stretch."""
    room = max(0.0, end - start - sampling.seconds)
    starts = start + room * np.sort(chance.random(windows))
    return np.minimum(starts[:, None] + np.arange(sampling.frames) / sampling.fps, end)


def read_windows(path: Path, moments: Float[np.ndarray, "W T"], sampling: Sampling) -> UInt8[np.ndarray, "W T H W2 3"]:
    """What a video shows at the moments of some windows, scaled; each moment is decoded once.

    Raises:
        ClipError: not a video, damaged, or it ends before the moments do.
    """
    when, place = np.unique(moments, return_inverse=True)
    stretches = np.split(when, np.flatnonzero(np.diff(when) > _SEEK) + 1)
    frames = np.concatenate([read_moments(path, part, short_side=sampling.short_side) for part in stretches])
    return frames[place.reshape(moments.shape)]


def central(frames: UInt8[np.ndarray, "*B H W 3"], size: int) -> UInt8[np.ndarray, "*B S S 3"]:
    """The square of `size` px in the middle."""
    top, left = ((side - size) // 2 for side in frames.shape[-3:-1])
    return frames[..., top : top + size, left : left + size, :]


def length_of(path: Path) -> float:
    """How long a video lasts [s], as its header says.

    Raises:
        ClipError: not a video, or the header does not say.
    """
    with open_container(path, threads=False) as container:
        return duration_of(container)


def watched(
    path: Path, stretch: tuple[float, float] | None, viewing: Viewing, sampling: Sampling
) -> UInt8[np.ndarray, "W T S S 3"]:
    """Windows of a stretch of a video, or of the whole.

    Raises:
        ClipError: not a video, damaged, or the stretch is not in it.
    """
    moments = spaced(*_within(path, stretch), sampling, viewing.windows)
    return central(read_windows(path, moments, sampling), sampling.size)


def watched_by_chance(
    path: Path, stretch: tuple[float, float] | None, viewing: Viewing, sampling: Sampling, chance: np.random.Generator
) -> UInt8[np.ndarray, "W T S S 3"]:
    """Windows at random places, each cropped at random and flipped or not.

    Raises:
        ClipError: not a video, damaged, or the stretch is not in it.
    """
    moments = drawn(*_within(path, stretch), sampling, viewing.windows, chance)
    nothing = np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0)
    return np.stack(
        [
            seen(window, Draw(*nothing, (float(down), float(right)), bool(flip < 0.5)), sampling.size)
            for window, (down, right, flip) in zip(
                read_windows(path, moments, sampling), chance.random((len(moments), 3)), strict=True
            )
        ]
    )


def _within(path: Path, stretch: tuple[float, float] | None) -> tuple[float, float]:
    duration = length_of(path)
    start, end = stretch or (0.0, duration)
    if start >= duration:
        raise ClipError(f"{path}: lasts {duration:.1f} s, the clip begins at {start:.1f} s")
    return start, min(end, duration)


def stated(viewing: Viewing, sampling: Sampling) -> dict[str, Any]:
    """How videos were watched, for an outcome."""
    used = viewing.of(sampling)
    return asdict(viewing) | {
        "frames": used.frames,
        "fps": used.fps,
        "size": used.size,
        "scaling": f"short side to {used.short_side} px by area, central square of {used.size} px",
        "short clips": "the last frame is held",
    }


def in_pieces(moments: Float[np.ndarray, "W T"], most: int) -> Iterator[Float[np.ndarray, "V T"]]:
    """Windows in runs of at most `most`, so that the frames of a long video are never held at once."""
    for start in range(0, len(moments), most):
        yield moments[start : start + most]
