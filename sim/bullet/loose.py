"""Loose spheres, many of them: sand and the like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from sim.bullet.client import Bullet
from sim.bullet.engine import STILL, UPRIGHT, Vector, pb

_RIGID = (0.0, 0.0, 0.0)
"""Moments of inertia of what does not turn: the engine takes none for infinite."""


def spheres(bullet: Bullet, count: int, *, radius: float, mass: float, rgba: Vector) -> list[int]:
    """Create loose spheres that do not turn, at the origin, and return their bodies.

    They are rigid bodies in maximal coordinates, which the engine steps faster than multibodies.
    """
    shape = pb.createCollisionShape(pb.GEOM_SPHERE, radius=radius, physicsClientId=bullet.client)
    look = pb.createVisualShape(pb.GEOM_SPHERE, radius=radius, rgbaColor=list(rgba), physicsClientId=bullet.client)
    bodies = [
        int(pb.createMultiBody(mass, shape, look, useMaximalCoordinates=1, physicsClientId=bullet.client))
        for _ in range(count)
    ]
    bullet.loose += bodies
    for body in bodies:
        pb.changeDynamics(body, -1, mass=mass, localInertiaDiagonal=_RIGID, physicsClientId=bullet.client)
    return bodies


def scatter(bullet: Bullet, bodies: Sequence[int], positions: Float[np.ndarray, "N 3"], *, asleep: bool) -> None:
    """Put spheres at places [m], at rest; asleep they cost nothing until something touches them."""
    activation = pb.ACTIVATION_STATE_SLEEP if asleep else pb.ACTIVATION_STATE_WAKE_UP
    for body, position in zip(bodies, positions.tolist(), strict=True):
        pb.resetBasePositionAndOrientation(body, position, UPRIGHT, physicsClientId=bullet.client)
        pb.resetBaseVelocity(body, STILL, STILL, physicsClientId=bullet.client)
        pb.changeDynamics(body, -1, activationState=activation, physicsClientId=bullet.client)


def positions(bullet: Bullet, bodies: Sequence[int]) -> Float[np.ndarray, "N 3"]:
    """Centres of mass of bodies [m]."""
    query, client = pb.getBasePositionAndOrientation, bullet.client
    return np.array([query(body, client)[0] for body in bodies])
