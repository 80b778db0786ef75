"""Features and embeddings of whole videos: one pass over each, in batches that go on from one video to the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from perception.video import ClipError
from pretrain.ahead import ahead, in_turn
from pretrain.clip_files import NamedClip
from pretrain.narration import Skipped
from pretrain.pretrained import Pretrained
from pretrain.windows import Window, Windows, hop_of
from records import Features, RecordError, digest
from records.atomic import write_json
from records.progress import tell_progress

VERSION = 1
"""Of the way in which windows are taken; part of what a record states as its source."""
FEATURES, EMBEDDING = ".features.npz", ".embedding.npz"
"""Endings of the records of a clip."""
BATCH = 16
"""Windows that are encoded at once."""


class ClipFeatures(NamedTuple):
    """What a video is encoded as; both records have the same windows."""

    clip: Path
    features: Features
    """For other tasks: the last layer of the video encoder, pooled."""
    embedding: Features
    """To be compared with sentences by dot products."""
    remarks: tuple[str, ...]
    """What is wrong with the video though it could be used."""


class Extracted(NamedTuple):
    """What there is after a run."""

    made: int
    there: int
    """Clips whose records were there before."""
    windows: int
    """Of the clips that this run has made."""
    skipped: tuple[Skipped, ...]
    """Files that were not used, and remarks on files that were."""


def encode_videos(
    clips: Sequence[Path], model: Pretrained, *, every: float | None = None, batch: int = BATCH, readers: int = 1
) -> Iterator[ClipFeatures | Skipped]:
    """Encode windows of videos; each video is decoded once, from its first frame to its last.

    Videos come as they are finished. What is held in memory is the windows of about two batches, and the codes of the
    videos under way. Files that cannot be read are told as such, and the others go on.

    Args:
        clips: video files, of any rate, size and length.
        model: the encoder; it says what a window is.
        every: from the start of one window to that of the next [s]; by default windows follow each other.
        batch: windows that are encoded at once.
        readers: videos that are decoded at the same time, each in a thread.

    Raises:
        WindowError: `every` would leave moments out.
    """
    hop_of(model.sampling, every)
    fingerprint = model.fingerprint()
    works = [_Work(clip, key_of(clip, model, every, fingerprint)) for clip in clips]
    share = max(2, batch // readers)
    sources = (ahead(_read(work, model, every), share) for work in works)
    waiting: list[tuple[_Work, Window]] = []
    ended: deque[_Work] = deque()
    for work, window in in_turn(sources, readers):
        if window is not None:
            work.read += 1
            waiting.append((work, window))
        else:
            ended.append(work)
        if len(waiting) == batch:
            _encode(waiting, model)
            waiting.clear()
        while ended and ended[0].is_encoded:
            yield ended.popleft().outcome(model.name, fingerprint)
    if waiting:
        _encode(waiting, model)
    for work in ended:
        yield work.outcome(model.name, fingerprint)


def extract(
    clips: Sequence[NamedClip],
    model: Pretrained,
    out: Path | str,
    *,
    skipped: Sequence[Skipped] = (),
    every: float | None = None,
    batch: int = BATCH,
    readers: int = 1,
    force: bool = False,
) -> Extracted:
    """Save the codes of videos as `NAME.features.npz` and `NAME.embedding.npz` in `out`, and write `report.json`.

    What was made of the same file by the same encoder with the same windows is not made again, unless `force`.

    Args:
        clips: from `find_clips`.
        model: the encoder.
        out: folder of the records.
        skipped: what was found not to be usable before; goes into the report.
        every: see `encode_videos`, and so for `batch` and `readers`.
        batch: windows that are encoded at once.
        readers: videos that are decoded at the same time.
        force: make all of them again.

    Raises:
        WindowError: `every` would leave moments out.
        RecordError: a record cannot be written; those before are kept.
    """
    out = Path(out)
    problems = list(skipped)
    fingerprint = model.fingerprint()
    names: dict[Path, str] = {}
    for clip in clips:
        if force or not is_made(out, clip, key_of(clip.path, model, every, fingerprint)):
            names[clip.path] = clip.name
    made = windows = 0
    tell_progress("encoding clips", 0, len(names))
    found = encode_videos(list(names), model, every=every, batch=batch, readers=readers)
    for number, outcome in enumerate(found, 1):
        if isinstance(outcome, Skipped):
            problems.append(outcome)
        else:
            name = names[outcome.clip]
            outcome.features.save(out / f"{name}{FEATURES}")
            outcome.embedding.save(out / f"{name}{EMBEDDING}")
            problems += [Skipped(str(outcome.clip), remark) for remark in outcome.remarks]
            made, windows = made + 1, windows + len(outcome.embedding.time)
        tell_progress("encoding clips", number, len(names))
    there = len(clips) - len(names)
    report = {"made": made, "there": there, "skipped": [problem._asdict() for problem in problems]}
    write_json(out / "report.json", report | {"encoder": model.name, "encoder_hash": fingerprint})
    return Extracted(made, there, windows, tuple(problems))


def key_of(clip: Path, model: Pretrained, every: float | None, fingerprint: str) -> str:
    """Changes when the file, the encoder or its windows do; empty for a file that is not there."""
    try:
        about = clip.stat()
    except OSError:
        return ""
    taken = model.sampling
    windows = [taken.frames, taken.fps, taken.size, taken.short_side, hop_of(taken, every)]
    return digest(VERSION, [str(clip.resolve()), about.st_size, about.st_mtime_ns], fingerprint, windows)


def is_made(out: Path, clip: NamedClip, key: str) -> bool:
    """Whether both records of a clip are there, whole, and made from `key`."""
    try:
        return all(Features.load(out / f"{clip.name}{end}").source == key for end in (FEATURES, EMBEDDING))
    except RecordError:
        return False


@dataclass(eq=False)
class _Work:
    """A video under way."""

    clip: Path
    key: str
    problem: str | None = None
    remarks: list[str] = field(default_factory=list)
    read: int = 0
    time: list[tuple[float, float]] = field(default_factory=list)
    features: list[np.ndarray] = field(default_factory=list)
    embedding: list[np.ndarray] = field(default_factory=list)

    @property
    def is_encoded(self) -> bool:
        return len(self.time) == self.read

    def outcome(self, encoder: str, fingerprint: str) -> ClipFeatures | Skipped:
        if self.problem is not None:
            return Skipped(str(self.clip), self.problem)
        features, embedding = (
            Features(
                value=np.stack(value),
                time=np.array(self.time),
                encoder=f"{encoder} {kind}",
                encoder_hash=fingerprint,
                clip=str(self.clip.resolve()),
                source=self.key,
            )
            for value, kind in ((self.features, "features"), (self.embedding, "embedding"))
        )
        return ClipFeatures(self.clip, features, embedding, tuple(self.remarks))


def _read(work: _Work, model: Pretrained, every: float | None) -> Iterator[tuple[_Work, Window | None]]:
    """The windows of a video, then None."""
    windows = Windows(work.clip, model.sampling, every)
    try:
        for window in windows:
            yield work, window
    except (ClipError, OSError) as error:
        work.problem = str(error).removeprefix(f"{work.clip}: ")
    except Exception as error:  # a fault in a decoder costs one file
        work.problem = f"failed with {type(error).__name__}: {error}"
    work.remarks += windows.remarks
    yield work, None


def _encode(waiting: list[tuple[_Work, Window]], model: Pretrained) -> None:
    codes = model.encode_clips(np.stack([window.frames for _, window in waiting]), batch=len(waiting))
    for (work, window), features, embedding in zip(waiting, codes.features, codes.embedding, strict=True):
        work.time.append(window.time)
        work.features.append(features)
        work.embedding.append(embedding)
