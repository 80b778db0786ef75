"""The scene of the pour task: a cup that stands on the ground, and what fills the jug."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.tool import Tool
from sim.bullet import Bullet
from sim.conditions import Conditions
from sim.grains import GrainKind, settle
from sim.tasks.task import checked_scene
from sim.tool_shape import WALL, open_box, tool_parts
from sim.urdf import body_urdf, write_urdf

SCENE = {"cup_x": 0.5, "cup_y": 0.0}
"""Middle of the cup [m]; the ground is z = 0."""
CUP = 0.13
"""Width of the square cup, inside [m]."""
HEIGHT = 0.10
"""Of its inside [m]."""
THICK = 0.008
"""Of its walls and floor [m]."""
MASS = 0.5
"""Of the cup [kg]."""
FRICTION = 0.8
"""Coulomb friction of the cup; the engine multiplies it with that of what touches it."""
GRAINS = GrainKind(count=60, radius=0.011, mass=0.0055, friction=0.3, rgba=(0.35, 0.2, 0.1, 1.0))
"""Coffee beans writ large: 0.33 kg, 0.55 l with the room between them, a little less than half the jug."""
NEEDED = 0.8
"""Share of the grains in the cup that solves the task."""
MOVED = 0.05
"""Displacement of the cup beyond which the task is spoilt [m]."""
UPRIGHT = float(np.cos(np.radians(30)))
"""Cosine of the tilt beyond which the cup has been knocked over."""


def place_of(scene: Mapping[str, float]) -> Float[np.ndarray, "3"]:
    """Middle of the cup on the ground [m].

    Raises:
        TaskError: a parameter that the task does not have.
    """
    place = checked_scene(scene, SCENE)
    return np.array([place["cup_x"], place["cup_y"], 0.0])


class Cup:
    """A cup that can be pushed and knocked over; its frame is the middle of its underside."""

    def __init__(self, bullet: Bullet, folder: Path) -> None:
        """Create it at the origin."""
        raised = pin.SE3(np.eye(3), np.array([0.0, 0.0, THICK]))
        parts = open_box((CUP, CUP, HEIGHT), THICK, "0.8 0.85 0.8 0.6", sides="+x -x +y -y", floor=True)
        parts = [part._replace(pose=raised * part.pose) for part in parts]
        side = CUP + 2 * THICK
        box = pin.Inertia.FromBox(MASS, side, side, HEIGHT)
        inertia = pin.SE3(np.eye(3), np.array([0.0, 0.0, 0.4 * HEIGHT])).act(box)
        self._bullet = bullet
        self.body = bullet.load_urdf(write_urdf(folder, "cup", body_urdf("cup", parts, inertia)), fixed=False)
        self._links = list(bullet.links(self.body).values())

    def place(self, position: Float[np.ndarray, "3"], quaternion: Float[np.ndarray, "4"]) -> None:
        """Put it somewhere [m], upright."""
        self._bullet.place(self.body, position, quaternion)

    def weigh(self, conditions: Conditions) -> None:
        """Set mass and friction to those of an episode."""
        self._bullet.set_mass(self.body, -1, conditions.mass)
        for link in self._links:
            self._bullet.set_friction(self.body, link, lateral=conditions.friction * FRICTION)

    def pose(self) -> pin.SE3:
        """Where it is."""
        p, quaternion = self._bullet.pose(self.body)
        return pin.SE3(pin.Quaternion(quaternion).toRotationMatrix(), p)


@lru_cache(maxsize=8)
def filling(kind: GrainKind, jug: Tool) -> Float[np.ndarray, "N 3"]:
    """Where grains lie in an upright jug, in the tool frame [m]."""

    def build(bullet: Bullet, folder: Path) -> list[int]:
        text = body_urdf("jug", tool_parts(jug), jug.inertia())
        bullet.load_urdf(write_urdf(folder, "jug", text))
        return []

    length, width, height = jug.head_size
    half = (length / 2 - WALL, width / 2 - WALL)
    found = settle(kind, build, centre=(jug.length, 0.0), half=half, floor=WALL - height / 2)
    found.setflags(write=False)
    return found
