"""Linear algebra on one thread.

For many small matrices a multi-threaded BLAS is slower by itself and, on a machine that does other work as well, ten or
twenty times slower: its threads wait for each other.
"""

from __future__ import annotations

from contextlib import AbstractContextManager


def single_thread() -> AbstractContextManager[object]:
    """Context in which BLAS uses one thread."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits
