"""Work on many files in several processes: results in order, and a process that dies costs one file alone."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

_AHEAD = 4
"""Jobs per process that are handed out before the oldest is finished."""


class WorkersError(ValueError):
    """A number of processes that cannot be."""


class WorkerLost:
    """Stands for the result of a job whose process died twice: killed for memory, or by a fault in a decoder."""

    reason = "its process died twice (for want of memory, or by a fault in a decoder)"


def in_order(
    function: Callable[[Job], Result], jobs: Iterable[Job], processes: int
) -> Iterator[tuple[Job, Result | WorkerLost]]:
    """Yield each job with its result, in order of the jobs, a few of which are held at a time.

    When a process dies, each job that was under way is tried once more in a process of its own, to find the one that
    is to blame. What `function` raises is raised here. Processes end with the one that started them.

    Raises:
        WorkersError: less than one process.
    """
    if processes < 1:
        raise WorkersError(f"{processes} processes: expected at least one")
    pool = _pool(processes)
    waiting: deque[tuple[Job, Future[Result] | WorkerLost]] = deque()
    rest = iter(jobs)
    try:
        while True:
            while len(waiting) < _AHEAD * processes and (job := next(rest, None)) is not None:
                waiting.append((job, _submitted(pool, function, job)))
            if not waiting:
                return
            job, future = waiting[0]
            try:
                result: Result | WorkerLost = future if isinstance(future, WorkerLost) else future.result()
            except BrokenProcessPool:
                pool.shutdown(wait=False, cancel_futures=True)
                waiting = deque((job, _retried(function, job, future)) for job, future in waiting)
                pool = _pool(processes)
                continue
            waiting.popleft()
            yield job, result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, function: Callable[[Job], Result], job: Job) -> Future[Result]:
    try:
        return pool.submit(function, job)
    except BrokenProcessPool as error:
        broken: Future[Result] = Future()
        broken.set_exception(error)
        return broken


def _retried(
    function: Callable[[Job], Result], job: Job, future: Future[Result] | WorkerLost
) -> Future[Result] | WorkerLost:
    """The future as it is, if its process lived; else that of a second try, finished."""
    if isinstance(future, WorkerLost) or (
        future.done() and not future.cancelled() and not isinstance(future.exception(), BrokenProcessPool)
    ):
        return future
    with _pool(1) as alone:
        again = alone.submit(function, job)
        return WorkerLost() if isinstance(again.exception(), BrokenProcessPool) else again


def _pool(processes: int) -> ProcessPoolExecutor:
    # Processes are started afresh: a copy of one that has threads may hang.
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_start)


def _start() -> None:
    """An interrupt ends a worker without a word; so does the end of the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent: Any = multiprocessing.parent_process()
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
