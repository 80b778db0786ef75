"""What precision@1 costs nothing: moments chosen without looking at the clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from perception.states.precision import ACTION, FINAL, INITIAL, ORDER, UNKNOWN, hits, precision

GRID = np.arange(101) / 100
"""Shares of a clip's length that are tried as fixed times."""


def random_ordered(labels: Sequence[Int[np.ndarray, "_"]]) -> Float[np.ndarray, "C 3"]:
    """Probability that each of three different windows in order of time, drawn uniformly, is a right one; exact.

    Of the C(T, 3) triples, window t is the first in C(T - 1 - t, 2), the second in t (T - 1 - t) and the last in
    C(t, 2). A clip of fewer than three windows has none, and is never right. Where a window's label is unknown, what is
    drawn there counts neither as right nor as wrong: the probability is that among the known ones.
    """
    expected = np.zeros((len(labels), 3))
    for c, label in enumerate(labels):
        before = np.arange(len(label), dtype=float)
        after = before[::-1]
        ways = (after * (after - 1) / 2, before * after, before * (before - 1) / 2)
        for k, (wanted, count) in enumerate(zip(ORDER, ways, strict=True)):
            expected[c, k] = count[label == wanted].sum() / max(count[label != UNKNOWN].sum(), 1.0)
    return expected


def at_times(lengths: Sequence[int], times: tuple[float, float, float]) -> Int[np.ndarray, "C 3"]:
    """Windows at the same shares of the length of every clip: floor(share (T - 1))."""
    return np.array([[int(share * (length - 1) + 1e-9) for share in times] for length in lengths])


def best_times(
    labels: Sequence[Int[np.ndarray, "_"]], groups: Sequence[str] | None = None
) -> tuple[float, float, float]:
    """The fixed times of `GRID` that are right most often in these very clips: each the best for what it stands for.

    They are fitted to the labels that they are judged by, so that they are a floor that is hard to pass.
    """
    lengths = [len(label) for label in labels]
    found = {}
    for k, wanted in enumerate(ORDER):
        scores = []
        for share in GRID.tolist():
            right = hits(labels, at_times(lengths, (share, share, share)))
            # The same column thrice: whichever of the two figures is read, it is of `wanted`.
            scores.append(precision(np.repeat(right[:, k : k + 1], 3, axis=1), groups).action)
        found[wanted] = float(GRID[int(np.argmax(scores))])
    return found[INITIAL], found[ACTION], found[FINAL]
