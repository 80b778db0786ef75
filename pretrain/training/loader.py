"""Batches of training, made in other processes while the model learns from those before.

A process that dies costs nothing but time: its batch is made again. Where it dies again, the example that kills it is
found, named, and replaced by another.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from pretrain.clips import NarratedClip
from pretrain.training.examples import Collated, Examples, collate, joined
from pretrain.training.order import Order
from pretrain.vocabulary import Vocabulary
from pretrain.workers import WorkerLost, in_order

_PIECE = 16
"""Clips that a worker makes at a time: what lies ready is bounded by this, not by the batch."""
_AHEAD = 2
"""Pieces that each worker has ready."""

_log = logging.getLogger(__name__)


class LoaderError(RuntimeError):
    """Examples cannot be made."""


class Share(NamedTuple):
    """Which part of every batch this process takes, of all that train together."""

    rank: int = 0
    processes: int = 1

    def of(self, numbers: Sequence[int]) -> list[int]:
        """Its numbers: consecutive ones, so that all shares in order of rank are the batch."""
        size = len(numbers) // self.processes
        return list(numbers[self.rank * size : (self.rank + 1) * size])


class Loader:
    """Batches of steps `first` to `last` (exclusive), in order."""

    def __init__(
        self,
        examples: Examples,
        order: Order,
        vocabulary: Vocabulary,
        *,
        length: int,
        share: Share | None = None,
        processes: int = 0,
    ) -> None:
        """Take examples in an order.

        Args:
            examples: by number; pickled where there are processes.
            order: which of them make a step.
            vocabulary: of the model.
            length: words that are read of a sentence.
            share: which part of each batch is made; all by default.
            processes: that make examples; 0 makes them in this one.
        """
        self._examples, self._order, self._vocabulary = examples, order, vocabulary
        self._length, self._share, self._processes = length, share or Share(), processes

    def steps(self, first: int, last: int) -> Iterator[Collated]:
        """Yield a batch for each step; each file that could not be read is logged once.

        Raises:
            Exception: what making an example raises.
        """
        told: set[str] = set()
        for batch in self._batches(first, last):
            for problem in batch.passed_over:
                file, _, _ = problem.partition(": ")
                if file not in told:
                    told.add(file)
                    _log.warning("skipped: %s", problem)
            yield batch

    def _batches(self, first: int, last: int) -> Iterator[Collated]:
        lost_at = -1
        step = first
        while step < last:
            try:
                for batch in self._made(range(step, last)):
                    yield batch
                    step += 1
            except _WorkerDied:
                if lost_at != step:
                    _log.warning("a process that makes examples has died at step %d; its batch is made again", step)
                    lost_at = step
                    continue
                yield self._salvaged(step)
                step += 1

    def _numbers(self, step: int) -> list[int]:
        return self._share.of(self._order.numbers(step))

    def _made(self, steps: range) -> Iterator[Collated]:
        if not self._processes:
            for step in steps:
                yield self._collated(self._numbers(step))
            return
        from torch.utils.data import DataLoader

        pieces = _Pieces(self, steps)
        context = multiprocessing.get_context("spawn")
        loader: DataLoader[Any] = DataLoader(
            _Maker(self._examples, self._vocabulary, self._length),  # type: ignore[arg-type]
            batch_size=None,
            sampler=pieces,
            num_workers=self._processes,
            prefetch_factor=_AHEAD,
            multiprocessing_context=context,
            worker_init_fn=_undisturbed,
            collate_fn=_as_made,  # type: ignore[arg-type]
        )
        with _deaths_heard():
            made = iter(loader)
        count = len(pieces.of(steps[0]))
        for _ in steps:
            yield joined([self._next(made) for _ in range(count)])

    @staticmethod
    def _next(made: Iterator[Collated | Exception]) -> Collated:
        with _deaths_heard():
            found = next(made)
        if isinstance(found, Exception):
            raise found
        return found

    def _collated(self, numbers: Sequence[int]) -> Collated:
        return _Maker(self._examples, self._vocabulary, self._length).made(numbers)

    def _salvaged(self, step: int) -> Collated:
        """The batch of a step at which processes die: each example in turn; what kills is replaced."""
        numbers = self._numbers(step)
        clips: list[NarratedClip | None] = []
        for number, found in in_order(self._examples.__getitem__, numbers, 1):
            if isinstance(found, WorkerLost):
                _log.warning("skipped: %s kills the process that reads it", self._name(number))
            clips.append(None if isinstance(found, WorkerLost) else found)
        alive = [k for k, clip in enumerate(clips) if clip is not None]
        if not alive:
            raise LoaderError(f"every example of step {step} kills the process that makes it; is there enough memory?")
        taken = [k if clip is not None else alive[k % len(alive)] for k, clip in enumerate(clips)]
        kept = [clip for k in taken if (clip := clips[k]) is not None]
        return collate(kept, [numbers[k] for k in taken], len(self._examples), self._vocabulary, self._length)

    def _name(self, number: int) -> str:
        source = getattr(self._examples, "source", None)
        return source.name(number % len(self._examples)) if source is not None else f"example {number}"


class _WorkerDied(RuntimeError):
    """A worker has ended without a word."""


@contextmanager
def _deaths_heard() -> Iterator[None]:
    """Hear within the block of workers that have died, or do so now.

    Left to itself torch raises whenever a worker dies, in whatever the main thread is at: mostly in the model.

    Raises:
        _WorkerDied: one has.
    """
    from torch.utils.data._utils.signal_handling import _error_if_any_worker_fails

    listens = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGCHLD)
    try:
        if listens:
            signal.signal(signal.SIGCHLD, lambda *_: _error_if_any_worker_fails())
        _error_if_any_worker_fails()
        yield
    except RuntimeError as error:
        if "DataLoader worker" in str(error):
            raise _WorkerDied from error
        raise
    finally:
        if listens:
            signal.signal(signal.SIGCHLD, before)


class _Pieces:
    """Numbers of each piece of each step, worked out as they are needed."""

    def __init__(self, loader: Loader, steps: range) -> None:
        self._loader, self._steps = loader, steps

    def of(self, step: int) -> list[list[int]]:
        numbers = self._loader._numbers(step)
        return [numbers[k : k + _PIECE] for k in range(0, len(numbers), _PIECE)]

    def __iter__(self) -> Iterator[list[int]]:
        for step in self._steps:
            yield from self.of(step)


class _Maker:
    """Pieces by the numbers of their examples, in a worker. An exception is handed over, as it is."""

    def __init__(self, examples: Examples, vocabulary: Vocabulary, length: int) -> None:
        self._examples, self._vocabulary, self._length = examples, vocabulary, length

    def __getitem__(self, numbers: list[int]) -> Collated | Exception:
        try:
            return self.made(numbers)
        except Exception as error:
            return error

    def made(self, numbers: Sequence[int]) -> Collated:
        clips = [self._examples[number] for number in numbers]
        return collate(clips, numbers, len(self._examples), self._vocabulary, self._length)


def _as_made(piece: Collated | Exception) -> Collated | Exception:
    return piece


def _undisturbed(_: int) -> None:
    """An interrupt of the training is for the process that trains; it ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
