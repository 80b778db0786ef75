"""Friction cones, linearised from within."""

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


def turned_to(normals: Float[np.ndarray, "*S 3"], edges: Float[np.ndarray, "3 G"]) -> Float[np.ndarray, "*S 3 G"]:
    """Edges about world z, turned the shortest way to stand about unit normals."""
    x, y, z = np.moveaxis(normals, -1, 0)
    # Rodrigues' formula for the turn from z to n; a half turn, about x, where n points straight down.
    down = z < -1 + 1e-9
    scale = 1 / np.where(down, 1.0, 1 + z)
    R = np.stack(
        [
            np.stack([1 - scale * x * x, -scale * x * y, x], axis=-1),
            np.stack([-scale * x * y, 1 - scale * y * y, y], axis=-1),
            np.stack([-x, -y, z], axis=-1),
        ],
        axis=-2,
    )
    R = np.where(down[..., None, None], np.diag([1.0, -1.0, -1.0]), R)
    return np.asarray(R @ edges)
