"""Hammer task: a nail on a vertical prismatic joint with dry friction is driven by the face of the hammer, only.

A hit by the handle or by a side of the head spoils the episode: without that rule, a search finds ways to push the nail
with anything. Reward is sparse: 1 in the step in which the nail has been driven by 95 % of its stroke.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.tool import Tool
from records import Demonstration, Motion
from sim.bullet import Bullet
from sim.bullet.contacts import Contact, contacts
from sim.bullet.drives import brake
from sim.bullet.readings import bounds, joint_position
from sim.carried import Carried, Carrier, Posture
from sim.conditions import Conditions
from sim.tasks.hammer_placement import HammerPlacer
from sim.tasks.hammer_stroke import hammer_stroke
from sim.tasks.nail import (
    BLOCK,
    FRICTION,
    HEAD_HEIGHT,
    HEAD_RADIUS,
    MASS,
    SCENE,
    SOLVED,
    STROKE,
    SURFACE_FRICTION,
)
from sim.tasks.task import Box, checked_scene
from sim.urdf import nail_urdf, write_urdf

FACE_DEPTH = 0.015
"""A contact within this distance of the plane of the face [m] counts as on the face."""
FACE_NORMAL = float(np.cos(np.radians(35)))
"""Cosine of the largest angle between the contact normal and the face's."""
LENGTH = 2 * STROKE + HEAD_HEIGHT
"""Of the nail with its head, and as far again as it is driven [m]."""
TOUCH = 0.5
"""Contacts of less force [N] are not counted."""


class HammerTask:
    """Drive the nail."""

    tool = "hammer"
    obs_names = ("nail_x", "nail_y", "nail_z", "driven")
    term_names = ("driven",)
    working = 0.15

    def __init__(self) -> None:
        self._paid = self._spoilt = False
        self._driven = 0.0

    @staticmethod
    def placer(stroke: Motion, tool: Tool) -> HammerPlacer:
        """Strikes over the nail."""
        return HammerPlacer(stroke, tool)

    @staticmethod
    def scripted() -> Demonstration:
        """A level hammer falls on the nail."""
        return hammer_stroke()

    @staticmethod
    def work(scene: Mapping[str, float]) -> Float[np.ndarray, "3"]:
        """Top centre of the undriven nail [m]."""
        place = checked_scene(scene, SCENE)
        return np.array([place["nail_x"], place["nail_y"], place["nail_z"]])

    @staticmethod
    def obstacles(scene: Mapping[str, float]) -> tuple[Box, ...]:
        """The nail, and the block that it is driven into."""
        x, y, z = HammerTask.work(scene).tolist()
        top = _block_height(z)
        nail = Box((x, y, (z + top) / 2), (HEAD_RADIUS, HEAD_RADIUS, (z - top) / 2))
        return (nail, Box((x, y, top / 2), (BLOCK, BLOCK, top / 2))) if top > 0 else (nail,)

    def build(
        self, bullet: Bullet, folder: Path, scene: Mapping[str, float], tool: Tool, ground: int, *, drawn: bool
    ) -> None:
        """Create the nail in its block at its place in the scene; the shank slides into block and ground."""
        self._bullet, self._tool = bullet, tool
        self._top = self.work(scene)
        height = _block_height(self._top[2])
        text = nail_urdf(
            stroke=STROKE,
            head_radius=HEAD_RADIUS,
            head_height=HEAD_HEIGHT,
            mass=MASS,
            block=(2 * BLOCK, 2 * BLOCK, height) if height > 0 else None,
        )
        self._nail = bullet.load_urdf(write_urdf(folder, "nail", text), position=self._top)
        self._joint = bullet.joints(self._nail)["driven"]
        self._position = joint_position(bullet, self._nail, self._joint)
        bullet.ignore_collisions(self._nail, self._joint, ground, -1)
        self._stand(Conditions())
        self._weigh(Conditions())

    def equip(self, carrier: Carrier, *, substeps: int, reach: float) -> None:
        """See where the tool is, and what touches the nail."""
        self._carrier, self._frame, self._reach = carrier, Carried(carrier, pin.SE3.Identity()), reach
        self._near = False
        """Whether the tool could come to the nail in a physics step, when it was asked last."""
        self._on_face = face_of(self._tool)
        self._bounds = bounds(self._bullet, carrier.body, carrier.link)
        self._touches = contacts(self._bullet, carrier.body, self._nail, other_link=self._joint, above=TOUCH)

    def reset(self, conditions: Conditions) -> None:
        """Pull the nail out and move its block."""
        self._paid = self._spoilt = False
        self._stand(conditions)
        self._bullet.place(self._nail, (self._x, self._y, self._z), conditions.quaternion)
        self._bullet.reset_joints(self._nail, [self._joint], [0.0])
        self._weigh(conditions)
        self._driven = 0.0

    def _stand(self, conditions: Conditions) -> None:
        """Where the undriven nail is."""
        x, y, z = float(self._top[0]) + conditions.x, float(self._top[1]) + conditions.y, float(self._top[2])
        self._x, self._y, self._z = x, y, z
        self._corners = ((x - HEAD_RADIUS, y - HEAD_RADIUS, z - LENGTH), (x + HEAD_RADIUS, y + HEAD_RADIUS, z))

    def _weigh(self, conditions: Conditions) -> None:
        """Mass of the nail, its friction against the face, and its dry friction in the block."""
        self._bullet.set_friction(self._nail, self._joint, lateral=SURFACE_FRICTION * conditions.friction)
        self._bullet.set_mass(self._nail, self._joint, conditions.mass)
        brake(self._bullet, self._nail, self._joint, FRICTION * conditions.friction)

    def quiet(self) -> int:
        """Those in which the tool cannot come to the nail."""
        (x, y, z), (x2, y2, z2) = self._bounds()
        (low_x, low_y, low_z), (high_x, high_y, high_z) = self._corners
        gap = max(low_x - x2, x - high_x, low_y - y2, y - high_y, low_z - z2, z - high_z)
        quiet = int(gap / self._reach) if gap > 0 else 0
        self._near = not quiet
        return quiet

    def watch(self) -> int:
        """Spoil the episode when anything but the face touches the nail; only the tool can, arms have no shapes for it.

        Once it is near, contacts are asked for right away, and so they are for an arm, which may swing quickly.
        """
        if self._carrier.link < 0 and not self._near:
            quiet = self.quiet()
            if quiet:
                return quiet
        touches = self._touches()
        if touches:
            self._carrier.look()
            frame, on_face = self._frame.posture(), self._on_face
            for contact in touches:
                if not on_face(contact, frame):
                    self._look()
                    self._spoilt |= not self.solved
                    break
        return 0

    def observe(self) -> Sequence[float]:
        """Top of the nail [m] and the driven share of its stroke."""
        return self._x, self._y, self._z - self._driven * STROKE, self._driven

    def terms(self) -> dict[str, float]:
        """1 for the nail driven, once."""
        self._look()
        paid = self.solved and not self._paid
        self._paid |= paid
        return {"driven": float(paid)}

    def target(self) -> Float[np.ndarray, "3"]:
        """Top centre of the nail, as far as it is driven now [m]."""
        return np.array([self._x, self._y, self._z - self._driven * STROKE])

    @property
    def driven(self) -> float:
        """Driven share of the stroke."""
        return self._driven

    def _look(self) -> None:
        self._driven = self._position() / STROKE

    @property
    def solved(self) -> bool:
        """Driven deep enough, by the face."""
        return not self._spoilt and self._driven >= SOLVED

    @property
    def spoilt(self) -> bool:
        """Touched by something else than the face."""
        return self._spoilt

    @property
    def over(self) -> bool:
        """Driven, or touched by something else than the face."""
        return self.solved or self._spoilt

    def state(self) -> dict[str, Any]:
        """What has happened."""
        return {"paid": self._paid, "spoilt": self._spoilt}

    def restore(self, state: Mapping[str, Any], conditions: Conditions) -> None:
        """Return to a remembered state."""
        self._paid, self._spoilt = state["paid"], state["spoilt"]
        self._stand(conditions)
        self._weigh(conditions)
        self._look()


def face_of(tool: Tool) -> Callable[[Contact, Posture], bool]:
    """What tells whether a contact of a hammer lies on its face.

    It takes the contact, its point [m] and normal in the world, of the hammer with the nail; and the tool's frame.
    """
    middle, half = tool.length, tool.head_size[0] / 2 + FACE_DEPTH
    highest = -tool.head_size[2] / 2 + FACE_DEPTH

    def on_face(contact: Contact, frame: Posture) -> bool:
        (ox, oy, oz), (a, b, c), (d, e, f) = frame
        (px, py, pz), (u, v, w), *_ = contact
        dx, dy, dz = px - ox, py - oy, pz - oz
        inside = abs(a * dx + b * dy + c * dz - middle) <= half
        return inside and d * dx + e * dy + f * dz <= highest and d * u + e * v + f * w >= FACE_NORMAL

    return on_face


def _block_height(nail_z: float) -> float:
    """Height of the block: up to where the head of the driven nail rests on it [m]."""
    return max(nail_z - STROKE - HEAD_HEIGHT, 0.0)
