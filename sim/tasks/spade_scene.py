"""The scene of the spade task: a heap of sand between three walls, and the box that it shall go to.

Geometry of Zorina et al. (RA-L 2021); their 200 grains of 2 cm radius are 60 larger ones of the same volume and mass,
see `benchmarks/grains.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from sim.bullet import Bullet
from sim.bullet.drives import brake
from sim.conditions import Conditions
from sim.grains import GrainKind, settle
from sim.tasks.task import TaskError, checked_scene
from sim.tool_shape import open_box
from sim.urdf import box_urdf, sliding_urdf, write_urdf

SCENE = {"sand_x": 0.5, "sand_y": 0.0, "sand_yaw": 0.0, "box_x": 0.3, "box_y": 0.75}
"""Middle of the deposit and of the box [m], and the direction in which the spade goes into the deposit [rad]: the
deposit is open on the side that the spade comes from, -x where the yaw is 0. The ground is z = 0."""
DEPOSIT = 0.40
"""Side of the deposit, inside [m]."""
BOX = 0.50
"""Side of the box, inside [m]."""
HEIGHT = 0.07
"""Of the walls of both [m]."""
WALL = 0.01
"""Their thickness [m]."""
MASS = 5.0
"""Of each [kg]."""
FRICTION = 1.0
"""Coulomb friction of both; the engine multiplies it with that of what touches them."""
GROUND = 0.5
"""Coulomb friction of the ground."""
APART = 0.70
"""The middles of deposit and box are at least this far apart [m]: else sand is pushed over, not carried."""
SAND = GrainKind(count=200, radius=0.02, mass=0.001, friction=0.9).divided(60)
"""The sand: 0.2 kg, 11 l with the room between the grains."""
NEEDED = 5 / 60
"""Share of the grains in the box that solves the task."""
BOX_MOVED, DEPOSIT_MOVED = 0.05, 0.10
"""Displacements of box and deposit beyond which the task is spoilt [m]."""


def places(scene: Mapping[str, float]) -> tuple[Float[np.ndarray, "3"], float, Float[np.ndarray, "3"]]:
    """Middle of the deposit [m], its yaw [rad], middle of the box [m]; on the ground.

    Raises:
        TaskError: a parameter that the task does not have, or deposit and box too close to each other.
    """
    place = checked_scene(scene, SCENE)
    sand = np.array([place["sand_x"], place["sand_y"], 0.0])
    box = np.array([place["box_x"], place["box_y"], 0.0])
    distance = float(np.linalg.norm(box - sand))
    if distance < APART - 1e-6:
        raise TaskError(f"the box stands {distance:.2f} m from the sand; at least {APART} m are needed")
    return sand, float(place["sand_yaw"]), box


class Slider:
    """A frame of walls that stands on the ground by its own weight and can be pushed along, against dry friction."""

    def __init__(self, bullet: Bullet, folder: Path, name: str, side: float, sides: str) -> None:
        """Create it at the origin; `side` is that of its inside [m], `sides` its walls as in `open_box`."""
        parts = open_box((side, side, HEIGHT), WALL, "0.45 0.32 0.22 1", sides=sides, floor=False)
        inertia = pin.Inertia.FromBox(MASS, side, side, HEIGHT)
        self._bullet, self._side = bullet, side
        self.body = bullet.load_urdf(write_urdf(folder, name, sliding_urdf(name, parts, inertia)))
        self._joints = list(bullet.joints(self.body).values())
        self._links = list(bullet.links(self.body).values())
        self._home = np.zeros(3)
        self.reset(np.zeros(3), 0.0, Conditions())

    def reset(self, position: Float[np.ndarray, "3"], yaw: float, conditions: Conditions) -> None:
        """Put it at its place [m, rad]."""
        self._bullet.place(self.body, position, [0.0, 0.0, np.sin(yaw / 2), np.cos(yaw / 2)])
        self._bullet.reset_joints(self.body, self._joints, [0.0, 0.0, 0.0])
        self.look()
        self.belong(position, yaw, conditions)

    def belong(self, position: Float[np.ndarray, "3"], yaw: float, conditions: Conditions) -> None:
        """Know its place [m, rad], and set mass and friction to those of an episode."""
        self._home = np.array([position[0], position[1], yaw])
        weight = 9.81 * MASS * conditions.mass * GROUND * conditions.friction
        for link in self._links:
            self._bullet.set_friction(self.body, link, lateral=conditions.friction * FRICTION)
        self._bullet.set_mass(self.body, self._joints[-1], conditions.mass)
        # Turning on the spot, the walls slide at half a side from the middle.
        for joint, force in zip(self._joints, (weight, weight, weight * self._side / 2), strict=True):
            brake(self._bullet, self.body, joint, force)

    def look(self) -> None:
        """See where it is, once a control step."""
        self._moved: list[float] = self._bullet.joint_state(self.body, self._joints)[0].tolist()

    @property
    def pushed(self) -> float:
        """How far it has been pushed from its place [m]."""
        return math.hypot(*self._moved[:2])

    def pose(self) -> tuple[np.ndarray, float]:
        """Its middle on the ground [m], and its yaw [rad]."""
        x, y, turn = self._moved
        x_home, y_home, yaw = self._home.tolist()
        c, s = math.cos(yaw), math.sin(yaw)
        return np.array([x_home + c * x - s * y, y_home + s * x + c * y, 0.0]), yaw + turn


def deposit(bullet: Bullet, folder: Path) -> Slider:
    """Create the deposit, open towards -x."""
    return Slider(bullet, folder, "deposit", DEPOSIT, "+x +y -y")


def goal_box(bullet: Bullet, folder: Path) -> Slider:
    """Create the box. Like the authors', it has no floor."""
    return Slider(bullet, folder, "goal_box", BOX, "+x -x +y -y")


@lru_cache(maxsize=8)
def heap(kind: GrainKind) -> Float[np.ndarray, "N 3"]:
    """Where the grains lie in a deposit at the origin [m]: filled behind a fourth wall, which is then taken away."""

    def build(bullet: Bullet, folder: Path) -> list[int]:
        ground = write_urdf(folder, "ground", box_urdf("ground", (6.0, 6.0, 0.5), "1 1 1 1"))
        bullet.set_friction(bullet.load_urdf(ground), -1, lateral=GROUND)
        deposit(bullet, folder)
        return [Slider(bullet, folder, "gate", DEPOSIT, "-x").body]

    half = DEPOSIT / 2
    found = settle(kind, build, centre=(0.0, 0.0), half=(half, half), floor=0.0)
    found.setflags(write=False)
    return found
