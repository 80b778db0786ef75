"""Codes of many clips: read by several processes, encoded in this one; what cannot be read is set aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from perception.video import ClipError
from pretrain.narration import Skipped
from pretrain.probes.colours import colours
from pretrain.probes.probe import Encoder, ProbeError
from pretrain.probes.viewing import Viewing, watched, watched_by_chance
from pretrain.sampling import Sampling
from pretrain.workers import WorkerLost, in_order
from records.processors import usable_processors
from records.progress import tell_progress


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A clip that is to be encoded."""

    name: str
    """What the report calls it."""
    path: Path
    stretch: tuple[float, float] | None = None
    """Start and end [s]; None for the whole video."""
    seed: tuple[int, ...] | None = None
    """Of windows, crops and flips that are drawn; without it windows are evenly spaced and central."""


class Encoded(NamedTuple):
    """The windows of one clip."""

    features: Float[np.ndarray, "W F"]
    embedding: Float[np.ndarray, "W D"]
    colours: Float[np.ndarray, "W 64"]


@dataclass(frozen=True)
class _Job:
    wanted: Wanted
    viewing: Viewing
    sampling: Sampling


def encoded(
    encoder: Encoder, clips: Sequence[Wanted], viewing: Viewing, *, processes: int = 0
) -> Iterator[Encoded | Skipped]:
    """Yield the codes of each clip in order, or why there are none.

    Args:
        encoder: what encodes.
        clips: what is encoded.
        viewing: the windows.
        processes: that read videos; as many as there are processors if 0. One reads within this process.
    """
    sampling = viewing.of(encoder.sampling)
    for number, seen in enumerate(read_clips(clips, viewing, sampling, processes=processes), 1):
        if isinstance(seen, Skipped):
            yield seen
        else:
            codes = encoder.encode_clips(seen)
            yield Encoded(np.asarray(codes.features), np.asarray(codes.embedding), colours(seen))
        tell_progress("encoding clips", number, len(clips))


def read_clips(
    clips: Sequence[Wanted], viewing: Viewing, sampling: Sampling, *, processes: int
) -> Iterator[UInt8[np.ndarray, "W T S S 3"] | Skipped]:
    """Yield the windows of each clip in order, or why there are none; see `encoded`."""
    jobs = [_Job(clip, viewing, sampling) for clip in clips]
    processes = min(processes or usable_processors(), max(1, len(jobs)))
    done: Iterable[tuple[_Job, np.ndarray | Skipped | WorkerLost]] = (
        ((job, _seen(job)) for job in jobs) if processes == 1 else in_order(_seen, jobs, processes)
    )
    for job, seen in done:
        yield Skipped(job.wanted.name, seen.reason) if isinstance(seen, WorkerLost) else seen


def _seen(job: _Job) -> UInt8[np.ndarray, "W T S S 3"] | Skipped:
    wanted = job.wanted
    try:
        if wanted.seed is None:
            return watched(wanted.path, wanted.stretch, job.viewing, job.sampling)
        chance = np.random.default_rng(wanted.seed)
        return watched_by_chance(wanted.path, wanted.stretch, job.viewing, job.sampling, chance)
    except (ClipError, OSError) as error:
        return Skipped(wanted.name, str(error))


def enough(found: int, wanted: int, skipped: Sequence[Skipped], what: str, least: int = 1) -> None:
    """Refuse to compute figures of too little.

    Raises:
        ProbeError: fewer than `least` were found; it names the first that was skipped.
    """
    if found < least:
        first = f"; the first: {skipped[0].file}: {skipped[0].reason}" if skipped else ""
        raise ProbeError(f"{found} of {wanted} {what} can be used{first}")
