"""Quadratic of a clip whose unknowns are tied to the next frame's at most: what `motion.nonnegative` minimises."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


class BlockQuadratic:
    """1/2 x'Hx + g'x over frames of N unknowns, block tridiagonal, as a sum of squares that are added one by one."""

    H: Float[np.ndarray, "T N N"]
    coupling: Float[np.ndarray, "Tm1 N N"]
    """Blocks (t, t + 1)."""
    g: Float[np.ndarray, "T N"]

    def __init__(self, frames: int, size: int) -> None:
        self.H = np.zeros((frames, size, size))
        self.coupling = np.zeros((frames - 1, size, size))
        self.g = np.zeros((frames, size))

    def add(self, rows: Float[np.ndarray, "T R N"], target: Float[np.ndarray, "T R"]) -> None:
        """Add 1/2 |rows x - target|^2 in every frame; a part of the columns may be given, the first ones."""
        n = rows.shape[-1]
        self.H[:, :n, :n] += rows.swapaxes(1, 2) @ rows
        self.g[:, :n] -= np.einsum("trn,tr->tn", rows, target)

    def tie(
        self,
        before: Float[np.ndarray, "Tm1 R N"],
        after: Float[np.ndarray, "Tm1 R N"],
        target: Float[np.ndarray, "Tm1 R"] | float = 0.0,
    ) -> None:
        """Add 1/2 |before x_t + after x_{t+1} - target|^2 for every two frames that follow one another."""
        self.H[:-1] += before.swapaxes(1, 2) @ before
        self.H[1:] += after.swapaxes(1, 2) @ after
        self.coupling += before.swapaxes(1, 2) @ after
        if not np.isscalar(target):
            self.g[:-1] -= np.einsum("trn,tr->tn", before, target)
            self.g[1:] -= np.einsum("trn,tr->tn", after, target)
