"""Which sentences and which frames make a training example: pure functions of a narration and of chance.

Miech et al., End-to-End Learning of Visual Representations from Uncurated Instructional Videos, CVPR 2020, section 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8


class SamplingError(ValueError):
    """Clips that cannot be taken."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How clips are taken from narrated videos; the defaults are those of MIL-NCE at 16 frames."""

    frames: int = 16
    """Frames of a clip."""
    fps: float = 5.0
    """Their rate [1/s]; 10 for clips of 32 frames."""
    size: int = 224
    """Side of the square that is seen [px]."""
    crop: float = 0.875
    """Side of that square over the short side of the video."""
    candidates: int = 5
    """Sentences that come with a clip: the one drawn, and its nearest in time."""
    shortest: float = 5.0
    """Stretches around a sentence that are shorter than this [s] are widened around their centre."""
    augment: bool = True
    """Whether the stretch of time, the crop and a flip are drawn at random; else all are central, and none flips."""

    def __post_init__(self) -> None:
        """Refuse what no clip has.

        Raises:
            SamplingError: a number out of its range.
        """
        if min(self.frames, self.size, self.candidates) < 1 or not 0 < self.fps < math.inf or not 0 < self.crop <= 1:
            raise SamplingError(f"{self}: frames, fps, size and candidates must be positive, the crop at most 1")

    @property
    def short_side(self) -> int:
        """Height or width, whichever is smaller, to which frames are scaled before the crop [px]."""
        return max(self.size, round(self.size / self.crop))

    @property
    def seconds(self) -> float:
        """How long a clip lasts: each frame as long as its distance to the next."""
        return self.frames / self.fps


class Draw(NamedTuple):
    """What chance decided of one training example."""

    candidates: Int[np.ndarray, "K"]
    """Numbers of the sentences, the one drawn first, then by their nearness; where there are no more, 0."""
    present: Bool[np.ndarray, "K"]
    """Which candidates there are."""
    moments: Float[np.ndarray, "T"]
    """When the frames are shown [s]."""
    offset: tuple[float, float]
    """Where the crop lies, down and to the right, as a share of the room that there is."""
    flip: bool
    """Whether left and right are exchanged."""


def draw(
    interval: Float[np.ndarray, "N 2"], duration: float, sampling: Sampling, generator: np.random.Generator
) -> Draw:
    """Draw a sentence, its candidates, a clip around it, and how that is seen.

    As many numbers are drawn whatever is asked for, so examples that differ only in their size show the same.

    Args:
        interval: start and end of the sentences of a video in order of time [s].
        duration: how long the video lasts [s].
        sampling: how clips are taken.
        generator: source of chance.
    """
    chosen = int(generator.integers(len(interval)))
    late, down, right, flip = generator.random(4).tolist()
    if not sampling.augment:
        late, down, right, flip = 0.5, 0.5, 0.5, 1.0
    candidates, present = nearest(interval, chosen, sampling.candidates)
    said_from, said_until = interval[chosen].tolist()
    start, end = widened(said_from, said_until, max(sampling.shortest, sampling.seconds), duration)
    start += late * max(0.0, end - start - sampling.seconds)
    moments = np.minimum(start + np.arange(sampling.frames) / sampling.fps, duration)
    return Draw(candidates, present, moments, (down, right), flip < 0.5)


def nearest(
    interval: Float[np.ndarray, "N 2"], chosen: int, count: int
) -> tuple[Int[np.ndarray, "K"], Bool[np.ndarray, "K"]]:
    """The sentence `chosen` and the `count` - 1 nearest to it in time, and which of them there are.

    The stretch of neighbouring sentences grows to the side on which it stays the shorter, as in the published code;
    where one side is used up, it grows on the other.
    """
    first = last = chosen
    found = [chosen]
    while len(found) < min(count, len(interval)):
        earlier = interval[last, 1] - interval[first - 1, 0] if first > 0 else np.inf
        later = interval[last + 1, 1] - interval[first, 0] if last + 1 < len(interval) else np.inf
        if earlier < later:
            first -= 1
            found.append(first)
        else:
            last += 1
            found.append(last)
    candidates = np.zeros(count, np.int64)
    candidates[: len(found)] = found
    return candidates, np.arange(count) < len(found)


def widened(start: float, end: float, shortest: float, duration: float) -> tuple[float, float]:
    """A stretch of time of at least `shortest` around the same centre, moved into the video [s]."""
    length = min(max(end - start, shortest), duration)
    start = min(max(0.0, (start + end - length) / 2), duration - length)
    return start, start + length


def seen(frames: UInt8[np.ndarray, "T H W 3"], drawn: Draw, size: int) -> UInt8[np.ndarray, "T S S 3"]:
    """The square of `size` px that is seen of the frames of a clip: cropped and, where drawn so, flipped."""
    height, width = frames.shape[1:3]
    top, left = (
        min(int(share * (room + 1)), room)
        for share, room in zip(drawn.offset, (height - size, width - size), strict=True)
    )
    square = frames[:, top : top + size, left : left + size]
    return np.ascontiguousarray(square[:, :, ::-1] if drawn.flip else square)
