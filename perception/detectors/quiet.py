"""MediaPipe's and LiteRT's native logs held back."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_ONE_AT_A_TIME = threading.RLock()
"""The descriptor is the whole process's: threads that took turns in the wrong order would leave it silent."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep native code from writing to file descriptor 2, where it logs whatever its level."""
    with _ONE_AT_A_TIME:
        kept = os.dup(2)
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
