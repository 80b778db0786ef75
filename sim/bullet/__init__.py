"""The only place that talks to PyBullet: physics clients with their bodies, contacts, states and pictures.

Velocities are PyBullet's: of centres of mass, in the world's axes.
"""

from sim.bullet.client import Bullet
from sim.bullet.engine import Pose, SimulationError, Triple, Vector

__all__ = ["Bullet", "Pose", "SimulationError", "Triple", "Vector"]
