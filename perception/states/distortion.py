"""The distortion that couples the action of a clip with its states: by how much their order is violated.

Alayrac et al., ICCV 2017, section 3.4.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def distortion(label: Float[np.ndarray, "T 3"], middle: Float[np.ndarray, "T"]) -> float:
    """1/2 sum_t z_t sum_k [y_k1 (tau_k - tau_t)+ + y_k2 (tau_t - tau_k)+] [s]; not yet divided by a number of windows.

    z is the action's column, y_1 and y_2 those of the states. It is bilinear in action and states.

    Args:
        label: initial state, action, final state.
        middle: of each window, in order of time [s].
    """
    early, late = _states_out_of_order(label, middle)
    return 0.5 * float(label[:, 1] @ (early + late))


def gradient_of_distortion(label: Float[np.ndarray, "T 3"], middle: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T 3"]:
    """Derivative by each label [s]."""
    early, late = _states_out_of_order(label, middle)
    action = label[:, 1]
    return 0.5 * np.stack([_sum_before(action, middle), early + late, _sum_after(action, middle)], axis=1)


def _states_out_of_order(label: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For an action at each window: initial states after it and final states before it, times the seconds between."""
    return _sum_after(label[:, 0], middle), _sum_before(label[:, 2], middle)


def _sum_before(mass: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Sum over k of mass_k (tau_t - tau_k)+ for each t, by running sums."""
    return middle * np.cumsum(mass) - np.cumsum(mass * middle)


def _sum_after(mass: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Sum over k of mass_k (tau_k - tau_t)+ for each t, by running sums."""
    return np.cumsum((mass * middle)[::-1])[::-1] - middle * np.cumsum(mass[::-1])[::-1]
