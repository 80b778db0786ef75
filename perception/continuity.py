"""One person cannot be in two places: detections that jump elsewhere for a while are not of them."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Bool

from records import Keypoints

FASTEST = 20.0
"""Mean speed of the points of a body [trunk lengths/s]: the fastest sprinters reach 12 m/s."""

JUMP = 0.5
"""What detections of one body may differ by on top of that [trunk lengths]: a limb that is found elsewhere."""

LONGEST_GAP = 1.0
"""Seconds after which a person may be anywhere."""


def continuous(person: Keypoints, trunk: float) -> Bool[np.ndarray, "T"]:
    """False in frames that no body at the places of the others could reach in time; True where nobody is seen.

    The frames are cut where points jump. Of the stretches, those are kept that follow each other without a jump and
    are most frames together.

    Args:
        person: detections.
        trunk: length of the trunk [px].
    """
    good = np.ones(person.num_frames, bool)
    seen = np.flatnonzero(person.seen.any(axis=1))
    if len(seen) < 2 or trunk <= 0:
        return good
    jumps = [_jumps(person, a, b, trunk) for a, b in itertools.pairwise(seen.tolist())]
    stretches = [stretch.tolist() for stretch in np.split(seen, 1 + np.flatnonzero(jumps))]
    best = [len(stretch) for stretch in stretches]
    before = [-1] * len(stretches)
    oldest = 0
    for j, stretch in enumerate(stretches):
        # Of those that ended so long ago that the person may be anywhere, the best one stands for all.
        while stretch[0] - stretches[oldest][-1] > LONGEST_GAP * person.fps:
            oldest += 1
        longest = [int(np.argmax(best[:oldest]))] if oldest else []
        for i in [*longest, *range(oldest, j)]:
            if best[i] + len(stretch) > best[j] and not _jumps(person, stretches[i][-1], stretch[0], trunk):
                best[j], before[j] = best[i] + len(stretch), i
    kept: list[int] = []
    j = int(np.argmax(best))
    while j >= 0:
        kept += stretches[j]
        j = before[j]
    good[seen] = False
    good[kept] = True
    return good


def _jumps(person: Keypoints, a: int, b: int, trunk: float) -> bool:
    """Whether no body gets from its place in frame `a` to that in frame `b`; points that both show are compared."""
    weight = np.minimum(person.confidence[a], person.confidence[b])
    gap = (b - a) / person.fps
    if gap > LONGEST_GAP or not weight.any():
        return False
    step = weight @ np.linalg.norm(person.uv[b] - person.uv[a], axis=1) / weight.sum()
    return bool(step > (JUMP + FASTEST * gap) * trunk)
