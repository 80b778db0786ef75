"""Where the ground is: the height at which the soles of a moving person come to rest."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.skeleton import SOLE_SITES

REST_SPEED = 0.3
"""Speed below which a point of the sole may rest on something [m/s]: walking feet swing at 3 to 5 m/s."""

SPREAD = 0.06
"""Heights that belong to one ground [m]: errors of an estimated foot, and heel against toe."""

LOWEST_SHARE = 0.05
"""Share of the resting heights below which they count as errors [1]."""


def ground_height(body: Body, q: Float[np.ndarray, "T 99"], fps: float) -> float:
    """Height of the ground [m]: the lowest level at which points of the soles rest; a box is not taken for it.

    Where no point ever rests (a single frame, a jump) it is the lowest point of the soles.
    """
    feet = [body.site_positions(q, names) for names in SOLE_SITES.values()]
    lowest = np.stack([np.take_along_axis(p, np.argmin(p[..., 2:], axis=1)[:, None], axis=1)[:, 0] for p in feet], 1)
    heights = lowest[..., 2]
    if len(q) < 3:
        return float(heights.min())
    speed = np.stack([np.linalg.norm(np.gradient(p, axis=0) * fps, axis=-1).min(axis=1) for p in feet], axis=1)
    resting = heights[speed < REST_SPEED]
    if not resting.size:
        return float(heights.min())
    base = np.quantile(resting, LOWEST_SHARE)
    return float(np.median(resting[resting <= base + SPREAD]))
