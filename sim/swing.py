"""A recorded stroke as poses over time: freed from the noise of tracking, at the rate that robots are controlled at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.fft import dct, idct
from scipy.optimize import minimize_scalar
from scipy.spatial.transform import Rotation

from motion.tool import Tool
from records import Motion

CONTROL_RATE = 24.0
"""Rate at which robots are controlled [1/s] (Zorina et al. 2021): faster recordings are thinned to about this."""
SHORTEST = 6
"""A stroke has at least this many frames."""


class Swing(NamedTuple):
    """Poses of a tool over time."""

    R: np.ndarray
    """Rotation (T, 3, 3)."""
    head: np.ndarray
    """Position of the head (T, 3) [m]."""
    fps: float
    """[1/s]."""

    def at(self, frames: Float[np.ndarray, "S"]) -> Swing:
        """Poses at fractional frames, the rotations along geodesics."""
        before = np.clip(frames.astype(int), 0, len(self.head) - 2)
        share = (frames - before)[:, None]
        step = Rotation.from_matrix(self.R[before].swapaxes(1, 2) @ self.R[before + 1]).as_rotvec()
        turned = self.R[before] @ Rotation.from_rotvec(share * step).as_matrix()
        return Swing(turned, (1 - share) * self.head[before] + share * self.head[before + 1], self.fps)

    @property
    def descent(self) -> Float[np.ndarray, "T"]:
        """Downward speed of the head [m/s]."""
        return -np.gradient(self.head[:, 2]) * self.fps


def swing_of(stroke: Motion, tool: Tool) -> Swing:
    """Poses of the tool in a recorded stroke, smoothed, at `CONTROL_RATE` or up to 1.5 times as fast.

    Head and orientation are smoothed by `smooth`, which finds the noise in the recording itself: a clean one is left
    as it is.
    """
    R = Rotation.from_quat(stroke.q[:, 3:7]).as_matrix()
    head = smooth(stroke.q[:, :3] + R[:, :, 0] * tool.length)
    axes = smooth(R.reshape(-1, 9)).reshape(-1, 3, 3)
    u, _, vt = np.linalg.svd(axes)
    u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]
    keep = max(1, round(stroke.fps / CONTROL_RATE))
    return Swing((u @ vt)[::keep], head[::keep], stroke.fps / keep)


def smooth(values: Float[np.ndarray, "T D"]) -> Float[np.ndarray, "T D"]:
    """Smooth time series by penalised third differences; generalised cross-validation weighs the penalty.

    One weight serves all columns. In the basis of the cosine transform the smoother is diagonal, and so is the score.
    Source: Garcia 2010, "Robust smoothing of gridded data", section 2 (there with second differences).
    """
    n = len(values)
    if n < SHORTEST:
        return np.array(values)
    # A straight line through the ends is taken off first: the cosine transform assumes a mirrored continuation.
    line = values[0] + np.linspace(0, 1, n)[:, None] * (values[-1] - values[0])
    spectrum = dct(values - line, axis=0, norm="ortho")
    power = (spectrum**2).sum(axis=1)
    stiffness = (2 - 2 * np.cos(np.pi * np.arange(n) / n)) ** 3

    def passed(weight: float) -> np.ndarray:
        return 1 / (1 + 10.0**weight * stiffness)

    def score(weight: float) -> float:
        lost = 1 - passed(weight)
        return float((lost**2 @ power) / max(lost.mean(), 1e-12) ** 2)

    best = minimize_scalar(score, bounds=(-4.0, 6.0), method="bounded").x
    return line + np.asarray(idct(passed(best)[:, None] * spectrum, axis=0, norm="ortho"))
