"""What is constant in each phase of a stroke: a turn of the tool that no video shows, roll about its axis above all.

Zorina et al. (RA-L 2021) draw a roll that is constant in pieces at random. Here the pieces are the stroke's own phases,
and their moments are searched with everything else. A strike and a sweep are one phase each, so that hammer and scythe
have one constant, which is searched. Sand is dug, carried and tipped: while it is dug and carried, the roll is the one
that levels the blade, which needs no search, and the last one is searched. (To search all three took more simulations
to the first robust placement, not fewer.)
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def phased(
    t: Float[np.ndarray, "T"], moments: Sequence[float], angles: Sequence[float], *, rate: float
) -> Float[np.ndarray, "T"]:
    """Angle over time that is constant in each phase [rad].

    Args:
        t: times [s].
        moments: when the second and later phases begin [s].
        angles: of every phase, one more than moments [rad].
        rate: at which the tool is turned from one to the next, from the moment on [rad/s].
    """
    found = np.full(len(t), float(angles[0]))
    for moment, (before, after) in zip(moments, itertools.pairwise(angles), strict=True):
        found += np.sign(after - before) * np.clip((t - moment) * rate, 0, abs(after - before))
    return found
