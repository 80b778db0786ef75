"""Synthetic episodes of a point that moves towards a goal, and rewards made from them."""

from __future__ import annotations

import numpy as np

from policies.rewards.describers import Observed
from policies.rewards.reward import Shown, Watched

NAMES = ("x", "y", "phase")
GOAL = np.array([1.0, 0.0])
STEPS = 20


def episode(seed: int = 0, *, reach: float = 1.0, steps: int = STEPS, noise: float = 0.02) -> Watched:
    """A point goes from (0, y) to (reach, 0) with a little noise; it presses with 10 N in the last half.

    Its pictures show a bright column at x.
    """
    rng = np.random.default_rng(seed)
    share = np.linspace(0, 1, steps + 1)
    start = np.array([0.0, rng.uniform(-0.5, 0.5)])
    place = start + np.minimum(1.0, 1.5 * share)[:, None] * (reach * GOAL - start)
    place = place + noise * rng.standard_normal(place.shape)
    force = np.zeros((steps, 1, 3))
    force[steps // 2 :, 0, 2] = 10.0 * reach

    def frames():
        for x, _ in place:
            picture = np.zeros((64, 64, 3), np.uint8)
            column = int(np.clip(8 + 40 * x, 0, 56))
            picture[:, column : column + 8] = (255, 128, 0)
            yield picture

    return Watched(
        obs=np.c_[place, share],
        obs_names=NAMES,
        action=np.diff(place, axis=0),
        frames=frames,
        fps=10.0,
        forces=force,
        force_names=("tool",),
        success=reach > 0.9,
    )


def shown(count: int = 6) -> Shown:
    """Demonstrations that arrive, and episodes that do not go."""
    arriving = [episode(k) for k in range(count)]
    return Shown(arriving, [episode(100 + k, reach=0.1) for k in range(count)], None, "pour the coffee")


def observed() -> Observed:
    """The point's place."""
    return Observed(("x", "y"))
