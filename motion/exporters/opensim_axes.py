"""OpenSim's axes: x as in the world, y up, z = -y of the world (to the right of someone who faces x)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

R_OPENSIM_WORLD = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Takes world vectors (z up) to OpenSim vectors (y up)."""


def to_opensim(vectors: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
    """Express world vectors (points, forces, moments) in OpenSim's axes."""
    return vectors @ R_OPENSIM_WORLD.T
