"""What a motion demands of the outside world: the wrench of the free-flyer rows of inverse dynamics."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.body import rotations
from motion.local_derivative import Derivatives

GRAVITY = 9.81
"""[m/s^2], as in Pinocchio."""


class Demand(NamedTuple):
    """Inverse dynamics without contacts."""

    com: Float[np.ndarray, "T 3"]
    """Centre of mass [m], world."""
    wrench: Float[np.ndarray, "T 6"]
    """External wrench that the motion needs, world axes at the centre of mass [N, N m]: m (c'' - g) and dL/dt."""
    tau: Float[np.ndarray, "T V"]
    """Generalised forces (T, nv) [N, N m] in Pinocchio order."""


def demand(model: pin.Model, q: Float[np.ndarray, "T Q"], derivatives: Derivatives) -> Demand:
    """Run inverse dynamics (RNEA) on every frame of a model whose root is a free-flyer."""
    data = model.createData()
    com, tau = np.empty((len(q), 3)), np.empty((len(q), model.nv))
    for t, (q_t, v_t, a_t) in enumerate(zip(q, derivatives.v, derivatives.a, strict=True)):
        tau[t] = pin.rnea(model, data, q_t, v_t, a_t)
        com[t] = pin.centerOfMass(model, data, q_t)
    R = rotations(q[:, 3:7])
    force = np.einsum("tij,tj->ti", R, tau[:, :3])
    moment = np.einsum("tij,tj->ti", R, tau[:, 3:6]) + np.cross(q[:, :3] - com, force)
    return Demand(com, np.concatenate([force, moment], axis=1), tau)


def accelerating(
    demanded: Demand, mass: float, J: Float[np.ndarray, "T 3 V"], acceleration: Float[np.ndarray, "T 3"]
) -> Demand:
    """Inverse dynamics of the same motion whose centre of mass accelerates otherwise: the whole body does, by as much.

    Args:
        demanded: of the motion as it is.
        mass: of the body [kg].
        J: derivative of the centre of mass by a tangent step of the configuration.
        acceleration: of the centre of mass [m/s^2], world.
    """
    force = mass * (acceleration + np.array([0.0, 0.0, GRAVITY]))
    more = force - demanded.wrench[:, :3]
    wrench = np.concatenate([force, demanded.wrench[:, 3:]], axis=1)
    return Demand(demanded.com, wrench, demanded.tau + np.einsum("tij,ti->tj", J, more))
