"""From narrated videos to shards: transcoded in parallel, resumable, and a report of what was left out and why."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from perception.video import ClipError
from pretrain.captions import CaptionError
from pretrain.narration import NarratedVideo, Skipped
from pretrain.shards import Sample, ShardError, index_path, read_index, write_shard
from pretrain.transcode import Encoding, transcode
from pretrain.workers import WorkerLost, in_order
from records.atomic import atomic_path, write_json
from records.processors import usable_processors
from records.progress import tell_progress

SHARD_BYTES = 256_000_000
"""A shard is closed when it holds this much."""
_KEY_LENGTH = 80
"""Of the readable part of a key; longer ones are cut."""

_CUT_SHORT = 2.0
"""Videos whose picture ends more than this earlier [s] than their header says are reported."""

_log = logging.getLogger(__name__)


class PrepareError(ValueError):
    """Shards that cannot be written, or that were made in another way."""


class Prepared(NamedTuple):
    """What there is after a run."""

    shards: int
    videos: int
    made: int
    """Videos that this run has made; the others were there before."""
    skipped: tuple[Skipped, ...]


class _Staged(NamedTuple):
    """A video that is made but not yet in a shard."""

    video: Path
    text: Path
    notes: tuple[Skipped, ...] = ()
    """Captions that were not used, and damage to the video."""


@dataclass(frozen=True)
class _Job:
    video: NarratedVideo
    identity: str
    folder: Path
    encoding: Encoding

    @property
    def key(self) -> str:
        return key_of(self.video.name)


def prepare(
    videos: Sequence[NarratedVideo],
    out: Path | str,
    *,
    skipped: Sequence[Skipped] = (),
    encoding: Encoding | None = None,
    processes: int = 0,
    shard_bytes: int = SHARD_BYTES,
) -> Prepared:
    """Transcode videos into shards in `out`, and write `report.json`.

    What is there already is not made again, be it in a shard or finished before a run was stopped. A shard that was
    deleted is made again, and so is a damaged one, which is kept as `.tar.damaged`. Videos are held on the disk twice
    while their shard is written, and never in memory.

    Args:
        videos: from `find_narrated` or `read_howto100m`.
        out: folder of the shards.
        skipped: what was found not to be usable before; goes into the report.
        encoding: of the videos; that of the shards which are there, or the defaults, if None.
        processes: that transcode; all processors by default.
        shard_bytes: size at which a shard is closed.

    Raises:
        PrepareError: the shards in `out` were made with another encoding, another run is at work there, or the disk is
            full. What is done by then is kept.
    """
    out = Path(out)
    with _out_of_space_named(out), _alone(out):
        encoding = _agreed(out, encoding)
        staging = out / ".staging"
        staging.mkdir(exist_ok=True)
        for left in (*out.glob(".shard-*"), *staging.glob(".*")):
            left.unlink()
        there = {sample.key: (path, sample) for path, sample in _intact(out)}
        jobs, problems = [], list(skipped)
        for video in videos:
            try:
                job = _Job(video, _identity(video), staging, encoding)
            except OSError as error:
                problems.append(Skipped(str(error.filename), error.strerror or str(error)))
                continue
            path, sample = there.get(job.key, (None, None))
            if sample is None:
                jobs.append(job)
            elif sample.identity != job.identity:
                reason = f"has changed since {path} was made; delete that shard to make its videos again"
                problems.append(Skipped(str(video.path), reason))
        made = 0
        for batch in _batches(jobs, processes or usable_processors(), shard_bytes, problems):
            _pack(out, batch)
            made += len(batch)
        for left in staging.iterdir():
            left.unlink()
        staging.rmdir()
        shards = [path for path in sorted(out.glob("shard-*.tar")) if index_path(path).is_file()]
        prepared = Prepared(len(shards), len(there) + made, made, tuple(problems))
        write_json(
            out / "report.json",
            {
                "shards": prepared.shards,
                "videos": prepared.videos,
                "skipped": [{"file": file, "reason": reason} for file, reason in problems],
            },
        )
    return prepared


def key_of(name: str) -> str:
    """Key of a video in a shard: its name, where that has no dot, slash or blank; else made readable, and unique."""
    readable = re.sub(r"[^\w-]", "_", name)[:_KEY_LENGTH]
    return name if readable == name else f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _batches(
    jobs: Sequence[_Job], processes: int, shard_bytes: int, problems: list[Skipped]
) -> Iterator[list[tuple[_Job, _Staged]]]:
    """Finished videos, as many as go into a shard; what was skipped is added to `problems`."""
    batch: list[tuple[_Job, _Staged]] = []
    size = 0
    tell_progress("preparing videos", 0, len(jobs))
    for number, (job, outcome) in enumerate(in_order(_make, jobs, processes), 1):
        if isinstance(outcome, _Staged):
            problems += outcome.notes
            batch.append((job, outcome))
            size += outcome.video.stat().st_size
        else:
            reason = "its process died twice (for want of memory, or by a fault in a decoder)"
            problems.append(Skipped(str(job.video.path), reason) if isinstance(outcome, WorkerLost) else outcome)
        tell_progress("preparing videos", number, len(jobs))
        if size >= shard_bytes:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _make(job: _Job) -> _Staged | Skipped:
    """Transcode a video and write what is said beside it; the text comes last and says that both are whole."""
    video, text = job.folder / f"{job.key}.mp4", job.folder / f"{job.key}.json"
    source = job.video.path
    try:
        if text.is_file() and json.loads(text.read_text(encoding="utf-8"))["identity"] == job.identity:
            return _Staged(video, text)
        job.video.narration(math.inf)  # without captions nothing need be transcoded
        with atomic_path(video) as temporary, open(temporary, "wb") as file:
            encoded = transcode(source, file, job.encoding)
        duration = encoded.frames / job.encoding.fps
        said, notes = job.video.narration(duration)
    except (ClipError, CaptionError) as error:
        return Skipped(str(source), str(error).removeprefix(f"{source}: "))
    except OSError:
        raise
    except Exception as error:
        return Skipped(str(source), f"failed with {type(error).__name__}: {error}")
    if encoded.damaged:
        notes.append(Skipped(str(source), f"used, but {encoded.damaged} of its packets cannot be decoded"))
    if encoded.silent_from is not None:
        reason = f"used, but its sound cannot be decoded after {encoded.silent_from:.1f} s"
        notes.append(Skipped(str(source), reason))
    if encoded.missing > _CUT_SHORT:
        ends = f"ends {encoded.missing:.1f} s before the time that its header says"
        notes.append(Skipped(str(source), f"used, but its picture {ends}"))
    columns = {
        "text": list(said.labels),
        "start": said.interval[:, 0].tolist(),
        "end": said.interval[:, 1].tolist(),
        "confidence": said.confidence.tolist(),
    }
    facts = {
        "duration": duration,
        "fps": job.encoding.fps,
        "size_hw": encoded.size_hw,
        "source": job.video.name,
        "identity": job.identity,
    }
    write_json(text, columns | facts)
    return _Staged(video, text, tuple(notes))


def _pack(out: Path, batch: list[tuple[_Job, _Staged]]) -> None:
    """Put finished videos into the next shard, and only then remove them."""
    number = 0
    while index_path(out / f"shard-{number:06}.tar").is_file():
        number += 1
    shard = out / f"shard-{number:06}.tar"
    write_shard(shard, ((job.key, staged.video, staged.text, job.identity) for job, staged in batch))
    for _, staged in batch:
        staged.text.unlink()
        staged.video.unlink()


def _intact(out: Path) -> Iterator[tuple[Path, Sample]]:
    """What is in the shards that are whole; those that are not are set aside, to be made again."""
    for index in sorted(out.glob("shard-*.json")):
        shard = index.with_suffix(".tar")
        try:
            for sample in read_index(shard):
                yield shard, sample
        except ShardError as error:
            _log.warning("set aside as .damaged: %s", error)
            index.unlink()
            if shard.is_file():
                shard.replace(shard.with_suffix(".tar.damaged"))


def _identity(video: NarratedVideo) -> str:
    """Changes when the video, its captions or their number change."""
    files = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in (video.path, *video.captions)]
    return hashlib.sha256(json.dumps([files, video.columns]).encode()).hexdigest()[:16]


def _agreed(out: Path, encoding: Encoding | None) -> Encoding:
    """The encoding of all shards of a folder."""
    path = out / "encoding.json"
    before = Encoding(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
    if before is not None and encoding not in (None, before):
        raise PrepareError(f"{out}: its shards were made with {before}, not {encoding}; choose another --out")
    agreed = before or encoding or Encoding()
    write_json(path, asdict(agreed))
    return agreed


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keep other runs from the same folder; the lock goes with the process."""
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PrepareError(f"{out}: another run is preparing shards there") from error
        yield


@contextmanager
def _out_of_space_named(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise PrepareError(
            f"{error.filename or out}: no space left on the disk; what is done is kept: make room and run it again"
        ) from error
