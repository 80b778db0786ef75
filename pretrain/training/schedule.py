"""How fast a model learns at a step."""

from __future__ import annotations

import math


def rate_at(step: int, *, steps: int, warm_up: int, peak: float) -> float:
    """Learning rate: linear from 0 to `peak` over the steps of the warm-up, then half a cosine down to 0 at the end."""
    if step < warm_up:
        return peak * (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
