"""Interrupts that are answered where nothing is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from pretrain.distributed import processes


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """A function that says whether an interrupt or a request to end has come; the step that is under way is finished.

    Many processes cannot all stop after the same step: there signals do what they always do.
    """
    if processes() > 1 or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
