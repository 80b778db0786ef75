"""The only place that talks to PyBullet: physics clients with their bodies, contacts, states and pictures.

World velocities of PyBullet are handed on as they are here; `local_velocity` converts them to Pinocchio's convention.
"""

from sim.bullet.client import CONTACT_RANGE, Bullet, local_velocity
from sim.bullet.engine import Pose, SimulationError, Triple, Vector

__all__ = ["CONTACT_RANGE", "Bullet", "Pose", "SimulationError", "Triple", "Vector", "local_velocity"]
