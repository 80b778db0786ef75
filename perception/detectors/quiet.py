"""MediaPipe's and LiteRT's native logs held back."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator


class _Silence:
    """File descriptor 2 led nowhere while anybody is inside: it is the whole process's, not a thread's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._kept = -1

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._kept = os.dup(2)
                with open(os.devnull, "wb") as nowhere:
                    os.dup2(nowhere.fileno(), 2)
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                os.dup2(self._kept, 2)
                os.close(self._kept)


_SILENCE = _Silence()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep native code from writing to file descriptor 2, where it logs whatever its level.

    Threads that are inside together do not wait for one another; the last one out lets it speak again.
    """
    _SILENCE.enter()
    try:
        yield
    finally:
        _SILENCE.leave()
