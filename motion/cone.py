"""Friction cones of the sole, linearised from within."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

FRICTION = 0.6
"""Coefficient of friction of a rubber sole on a dry floor: the low end of what tables give for rubber on concrete (0.6
to 0.85). Li et al. 2019 use tan(pi/8) = 0.41."""


def generators(friction: float = FRICTION, count: int = 4) -> Float[np.ndarray, "3 G"]:
    """Edges of a pyramid inside the friction cone about world z: every non-negative mix obeys |f_xy| <= mu f_z."""
    angle = 2 * np.pi * np.arange(count) / count
    return np.stack([friction * np.cos(angle), friction * np.sin(angle), np.ones(count)])
