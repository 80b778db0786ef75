"""Work shared by the processors: every thread has tools of its own, and results come in the order of the tasks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Concatenate, Generic, ParamSpec, TypeVar

from records.processors import usable_processors

AHEAD = 4
"""Items, for each processor, that may wait for their results: what they hold (images) stays in memory."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Tool = TypeVar("Tool")
Input = ParamSpec("Input")


class Crew(Generic[Tool]):
    """As many threads as processors, each with one tool that is made when the thread is first given work."""

    def __init__(self, make: Callable[[], AbstractContextManager[Tool]]) -> None:
        """Have tools made by `make`; they are put away when the crew is left."""
        self._make = make
        self._own = threading.local()
        self._tools = ExitStack()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(usable_processors())

    def __enter__(self) -> Crew[Tool]:
        """Give the crew itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop what has not begun, wait for the rest, put the tools away."""
        self._pool.shutdown(cancel_futures=True)
        self._tools.close()

    def later(
        self, work: Callable[Concatenate[Tool, Input], Result], *args: Input.args, **options: Input.kwargs
    ) -> Callable[[], Result]:
        """Begin `work(tool, ...)` on one of the threads; calling what is returned waits for its result."""
        return self._pool.submit(lambda: work(self._tool(), *args, **options)).result

    def _tool(self) -> Tool:
        if not hasattr(self._own, "tool"):
            with self._lock:
                self._own.tool = self._tools.enter_context(self._make())
        tool: Tool = self._own.tool
        return tool


def in_order(begun: Iterable[Item]) -> Iterator[Item]:
    """Run some way ahead of what is taken: items that begin work as they come up are given later, in their order."""
    waiting: deque[Item] = deque()
    for item in begun:
        waiting.append(item)
        if len(waiting) > AHEAD * usable_processors():
            yield waiting.popleft()
    yield from waiting
