"""Dynamic time warping: which moments of two courses belong together (Sakoe and Chiba, 1978)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def warp(cost: Float[np.ndarray, "N M"]) -> tuple[float, Int[np.ndarray, "P 2"]]:
    """Least sum of costs along a path from (0, 0) to (N - 1, M - 1) by steps (1, 1), (1, 0) and (0, 1), and that path.

    Of paths that cost the same, the one with the latest diagonal steps is taken.
    """
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(rows):
        for j in range(columns):
            total[i + 1, j + 1] = cost[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    path = [(rows - 1, columns - 1)]
    while path[-1] != (0, 0):
        i, j = path[-1]
        before = ((i - 1, j - 1), (i - 1, j), (i, j - 1))
        path.append(min(before, key=lambda at: total[at[0] + 1, at[1] + 1]))
    return float(total[rows, columns]), np.array(path[::-1])
