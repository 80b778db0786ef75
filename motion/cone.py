"""Friction cones of the sole, linearised from within."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

FRICTION = 0.8
"""Coefficient of friction of a rubber sole on a dry floor (0.6 to 1.0, Chang et al. 2001, Ergonomics 44)."""


def generators(friction: float = FRICTION, count: int = 8) -> Float[np.ndarray, "3 G"]:
    """Edges of a pyramid inside the friction cone about world z: every non-negative mix obeys |f_xy| <= mu f_z."""
    angle = 2 * np.pi * np.arange(count) / count
    return np.stack([friction * np.cos(angle), friction * np.sin(angle), np.ones(count)])
