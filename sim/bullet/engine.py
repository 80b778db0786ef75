"""PyBullet itself, held back from printing, and what its functions take and give."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator, Sequence

import numpy as np


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """PyBullet prints to file descriptors 1 and 2 whatever it is told, on import too: hold that back."""
    kept = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    with open(os.devnull, "wb") as nowhere:
        for descriptor in kept:
            os.dup2(nowhere.fileno(), descriptor)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        for descriptor, copy in kept.items():
            os.dup2(copy, descriptor)
            os.close(copy)


with silent():
    import pybullet as pb

__all__ = ["ANY", "STILL", "UPRIGHT", "Pose", "SimulationError", "Triple", "Vector", "pb", "silent"]

Vector = Sequence[float] | np.ndarray
"""Three or four numbers."""
Triple = tuple[float, float, float]
Pose = tuple[tuple[float, ...], tuple[float, ...]]
"""Position [m] and quaternion xyzw, as the engine gives them."""

ANY = -2
"""Instead of a link: all of them."""
UPRIGHT = 0.0, 0.0, 0.0, 1.0
"""Quaternion xyzw of what is not turned."""
STILL = 0.0, 0.0, 0.0
"""Velocity of what rests."""


class SimulationError(RuntimeError):
    """The physics engine refuses a request."""
