"""From narrated videos to shards: transcoded in parallel, resumable, and a report of what was left out and why."""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from pretrain.narration import NarratedVideo, Skipped
from pretrain.shards import Sample, ShardError, index_path, read_index, write_shard
from pretrain.staging import Job, Staged, identity_of, stage
from pretrain.transcode import Encoding
from pretrain.workers import WorkerLost, in_order
from records.atomic import FULL, write_json
from records.processors import usable_processors
from records.progress import tell_progress

SHARD_BYTES = 256_000_000
"""A shard is closed when it holds this much."""
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
                job = Job(video, identity_of(video), staging, encoding)
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
                "skipped": [problem._asdict() for problem in problems],
            },
        )
    return prepared


def _batches(
    jobs: Sequence[Job], processes: int, shard_bytes: int, problems: list[Skipped]
) -> Iterator[list[tuple[Job, Staged]]]:
    """Finished videos, as many as go into a shard; what was skipped is added to `problems`."""
    batch: list[tuple[Job, Staged]] = []
    size = 0
    tell_progress("preparing videos", 0, len(jobs))
    for number, (job, outcome) in enumerate(in_order(stage, jobs, processes), 1):
        if isinstance(outcome, Staged):
            problems += outcome.notes
            batch.append((job, outcome))
            size += outcome.video.stat().st_size
        elif isinstance(outcome, WorkerLost):
            problems.append(Skipped(str(job.video.path), outcome.reason))
        else:
            problems.append(outcome)
        tell_progress("preparing videos", number, len(jobs))
        if size >= shard_bytes:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _pack(out: Path, batch: list[tuple[Job, Staged]]) -> None:
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


def _agreed(out: Path, encoding: Encoding | None) -> Encoding:
    """The encoding of all shards of a folder."""
    path = out / "encoding.json"
    try:
        before = Encoding(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
    except (ValueError, TypeError) as error:
        raise PrepareError(
            f"{path}: damaged ({error}); delete it and state the encoding of the shards again"
        ) from error
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
        if error.errno not in FULL:
            raise
        raise PrepareError(
            f"{error.filename or out}: no space left on the disk; what is done is kept: make room and run it again"
        ) from error
