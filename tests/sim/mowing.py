"""Synthetic strokes: a person turns to and fro and swings a scythe low over the ground, once or several times."""

from __future__ import annotations

import numpy as np

from motion.tool import SCYTHE, Tool, tool_motion
from records import Motion


def mowing(
    seed: int = 0,
    *,
    fps: float = 24.0,
    reach: float = 1.6,
    arc: float = 1.6,
    speed: float = 3.0,
    slope: float = 0.5,
    dip: float = 0.15,
    heading: float = 0.5,
    swings: int = 1,
    idle: float = 0.3,
    noise: float = 0.0,
    jitter: float = 0.0,
    tool: Tool = SCYTHE,
) -> Motion:
    """Swings from right to left, each after a slower backswing.

    Args:
        seed: of the noise.
        fps: frame rate [1/s].
        reach: distance of the blade from the axis that the person turns about [m].
        arc: angle of a swing [rad].
        speed: greatest speed of the blade [m/s].
        slope: of the handle, down to the blade [rad].
        dip: how much lower the blade is in the middle of a swing than at its ends [m].
        heading: direction of the middle of the swings about the vertical [rad].
        swings: how many.
        idle: rest before the first and after the last one [s].
        noise: standard deviation of both endpoints, independent in every frame [m].
        jitter: standard deviation of a slow wandering of both endpoints together [m].
        tool: the scythe.
    """
    # A cosine from end to end is fastest in the middle, by pi/2 times the mean.
    swing = np.pi * arc * reach / (2 * speed)
    quick, slow = (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, max(3, round(k * swing * fps)))) for k in (1.0, 1.8))
    rest = np.zeros(round(idle * fps))
    share = np.concatenate([rest, *[np.concatenate([quick, 1 - slow])] * (swings - 1), quick, rest + 1])
    angle = heading + arc * (share - 0.5)
    out = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
    up = np.array([0.0, 0.0, 1.0])
    head = reach * out + np.outer(dip * (2 * share - 1) ** 2, up)
    free = head - tool.length * (np.cos(slope) * out - np.sin(slope) * up)
    rng = np.random.default_rng(seed)
    wander = rng.standard_normal((len(angle) // 8 + 2, 3))
    drift = np.stack([np.interp(np.arange(len(angle)) / 8, np.arange(len(wander)), w) for w in wander.T], axis=1)
    head = head + jitter * drift + noise * rng.standard_normal(head.shape)
    free = free + jitter * drift + noise * rng.standard_normal(free.shape)
    return tool_motion(tool, head, free, fps)


def random_mowing(seed: int, **fixed: float) -> Motion:
    """A stroke with everything drawn at random, and 1 to 3 cm of noise."""
    rng = np.random.default_rng([seed, 11])
    drawn = {
        "fps": float(rng.choice([24.0, 25.0, 30.0, 50.0, 60.0])),
        "reach": rng.uniform(1.0, 2.0),
        "arc": rng.uniform(1.2, 2.2),
        "speed": rng.uniform(1.8, 5.0),
        "slope": rng.uniform(0.1, 0.8),
        "dip": rng.uniform(0.0, 0.3),
        "heading": rng.uniform(-np.pi, np.pi),
        "swings": int(rng.integers(1, 4)),
        "idle": rng.uniform(0.2, 1.0),
        "noise": rng.uniform(0.005, 0.02),
        "jitter": rng.uniform(0.01, 0.03),
    }
    return mowing(seed, **(drawn | fixed))
