"""Work that is done ahead in threads: decoders let go of the interpreter while they decode."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")

_END: Any = object()


def ahead(items: Iterable[T], count: int) -> Iterator[T]:
    """The same items, of which up to `count` are made ahead in a thread; what making one raises is raised here."""
    iterator = iter(items)
    worker = ThreadPoolExecutor(1)
    try:
        waiting: deque[Future[T]] = deque(worker.submit(next, iterator, _END) for _ in range(count))
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(worker.submit(next, iterator, _END))
            yield item
    finally:
        worker.shutdown(cancel_futures=True)


def in_turn(sources: Iterable[Iterator[T]], at_once: int) -> Iterator[T]:
    """Items of `at_once` sources in turn; one that ends makes room for the next. The order depends on nothing else."""
    rest = iter(sources)
    active = deque(islice(rest, at_once))
    while active:
        source = active.popleft()
        item = next(source, _END)
        if item is _END:
            active.extend(islice(rest, 1))
        else:
            active.append(source)
            yield item
