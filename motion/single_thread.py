"""Linear algebra on one thread.

The solver works on many small matrices, for which a multi-threaded BLAS is slower by itself and, on a machine that does
other work as well, twenty times slower: its threads wait for each other.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits


def single_thread() -> AbstractContextManager[object]:
    """Context in which BLAS uses one thread."""
    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits
