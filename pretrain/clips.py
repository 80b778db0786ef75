"""Training examples from narrated videos: what is said around a moment, and what is seen."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, UInt8

from perception.video import ClipError, open_container
from pretrain.captions import CaptionError
from pretrain.frames import VIDEO_READERS, VideoReader, duration_of
from pretrain.narration import NarratedVideo, NarrationError, Skipped, find_narrated
from pretrain.sampling import Sampling, draw, seen
from pretrain.soundtrack import read_stretch
from records import Timeline
from records.progress import tell_progress

_TRIES = 10
"""Videos in a row that may fail while clips are read, before something else than a file must be wrong."""

_log = logging.getLogger(__name__)


@runtime_checkable
class Source(Protocol):
    """Narrated videos, numbered from 0: a folder, or shards."""

    def __len__(self) -> int:
        """Count the videos."""

    def name(self, index: int) -> str:
        """What errors call a video."""

    def narration(self, index: int) -> tuple[Timeline, float]:
        """What is said in a video, and how long the video lasts [s]."""

    def frames(self, index: int, moments: np.ndarray, short_side: int) -> np.ndarray:
        """What a video shows at some moments [s], scaled: (T, H, W, 3) uint8."""

    def sound(self, index: int, start: float, seconds: float, rate: int) -> np.ndarray | None:
        """What is heard from a moment [s] on, (seconds * rate,) from -1 to 1; None of a video without sound."""


def sentences_of(source: Source) -> Iterator[str]:
    """All that is said in the videos of a source; one whose narration cannot be read is logged and passed over."""
    for index in range(len(source)):
        try:
            narration, _ = source.narration(index)
        except (ClipError, CaptionError, OSError) as error:
            _log.warning("skipped: %s", error)
        else:
            yield from narration.labels


class NarratedClip(NamedTuple):
    """One training example."""

    frames: UInt8[np.ndarray, "T S S 3"]
    captions: tuple[str, ...]
    """K candidates, the one that the clip was drawn around first; empty where there are no more."""
    present: Bool[np.ndarray, "K"]
    """Which candidates there are."""
    video: str
    start: float
    """Moment of the first frame [s]."""
    wave: Float[np.ndarray, "N"] | None = None
    """Sound from there on, as long as the frames, from -1 to 1; None where it is not read."""
    passed_over: tuple[str, ...] = ()
    """Videos that could not be read, and why, before this one took their place."""


class NarratedClips:
    """Examples by number; each depends on the seed and its number alone, in whatever process it is made.

    Numbers go on after the last video: number n is that of video n mod N in epoch n // N. A sampler that counts on
    resumes exactly, and no worker needs to be told of a new epoch.
    """

    def __init__(self, source: Source, sampling: Sampling, *, seed: int, sample_rate: int = 0) -> None:
        """Take examples from `source`, one of each video in an epoch.

        Args:
            source: narrated videos.
            sampling: how clips are taken.
            seed: of what chance decides.
            sample_rate: of their sound [1/s]; 0 leaves it out.
        """
        self.source = source
        self.sampling = sampling
        self.seed = seed
        self.sample_rate = sample_rate

    def __len__(self) -> int:
        """Count the examples of an epoch: one a video."""
        return len(self.source)

    def __getitem__(self, number: int) -> NarratedClip:
        """Example of video `number` mod N in epoch `number` // N; see `clip`."""
        epoch, index = divmod(number, len(self.source))
        return self.clip(index, epoch)

    def clip(self, index: int, epoch: int = 0) -> NarratedClip:
        """Example of a video in an epoch. Where the video cannot be read, another one takes its place, and says so.

        Raises:
            NarrationError: so many videos fail one after the other that something else must be wrong.
        """
        generator = np.random.default_rng((self.seed, epoch, index))
        problems: list[str] = []
        for _ in range(_TRIES):
            try:
                return self._drawn(index, generator)._replace(passed_over=tuple(problems))
            except (ClipError, CaptionError, OSError) as error:
                problems.append(str(error))
                index = int(generator.integers(len(self.source)))
        raise NarrationError(f"{_TRIES} videos in a row cannot be read; the last: {problems[-1]}")

    def _drawn(self, index: int, generator: np.random.Generator) -> NarratedClip:
        narration, duration = self.source.narration(index)
        drawn = draw(narration.interval, duration, self.sampling, generator)
        frames = self.source.frames(index, drawn.moments, self.sampling.short_side)
        start = float(drawn.moments[0])
        heard = None
        if self.sample_rate:
            heard = self.source.sound(index, start, self.sampling.seconds, self.sample_rate)
        return NarratedClip(
            frames=seen(frames, drawn, self.sampling.size),
            captions=tuple(
                narration.labels[k] if there else ""
                for k, there in zip(drawn.candidates.tolist(), drawn.present.tolist(), strict=True)
            ),
            present=drawn.present,
            video=self.source.name(index),
            start=start,
            wave=heard,
        )


class VideoFolder:
    """Narrated videos as they lie in a folder, decoded from the original files."""

    def __init__(self, videos: Path | str | Sequence[NarratedVideo], *, reader: str = "pyav") -> None:
        """Examine each video and its captions; those that cannot be used are listed in `skipped`.

        Args:
            videos: a folder, or what was found in one.
            reader: of their frames; by name in `VIDEO_READERS`.

        Raises:
            NarrationError: none can be used.
            UnknownName: no such reader.
        """
        self._read: VideoReader = VIDEO_READERS.load(reader)
        self.skipped: list[Skipped] = []
        if isinstance(videos, (str, Path)):
            videos, self.skipped = find_narrated(videos)
        self._videos: list[tuple[NarratedVideo, Timeline, float]] = []
        for number, video in enumerate(videos, 1):
            try:
                with open_container(video.path, threads=False) as container:
                    duration = duration_of(container)
                narration, unusable = video.narration(duration)
                self.skipped += unusable
                self._videos.append((video, narration, duration))
            except (ClipError, CaptionError) as error:
                self.skipped.append(Skipped(str(video.path), str(error).removeprefix(f"{video.path}: ")))
            tell_progress("examining videos", number, len(videos))
        if not self._videos:
            raise NarrationError(f"none of {len(videos)} videos can be used; the first: {': '.join(self.skipped[0])}")

    def __len__(self) -> int:
        """Count the videos that can be used."""
        return len(self._videos)

    def __iter__(self) -> Iterator[NarratedVideo]:
        """Those videos, in order."""
        return (video for video, _, _ in self._videos)

    def name(self, index: int) -> str:
        """Path of a video."""
        return str(self._videos[index][0].path)

    def narration(self, index: int) -> tuple[Timeline, float]:
        """What is said in a video, and how long it lasts [s]."""
        return self._videos[index][1:]

    def frames(self, index: int, moments: np.ndarray, short_side: int) -> UInt8[np.ndarray, "T H W 3"]:
        """What a video shows at some moments [s]; see `frames.read_moments`."""
        return self._read(self._videos[index][0].path, moments, short_side=short_side)

    def sound(self, index: int, start: float, seconds: float, rate: int) -> Float[np.ndarray, "N"] | None:
        """What is heard from a moment [s] on; see `read_stretch`."""
        return read_stretch(self._videos[index][0].path, start, seconds, rate)
