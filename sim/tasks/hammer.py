"""Hammer task: a nail on a vertical prismatic joint with dry friction is driven by the face of the hammer, only.

A hit by the handle or by a side of the head spoils the episode: without that rule, a search finds ways to push the nail
with anything. Reward is sparse: 1 in the step in which the nail has been driven by 95 % of its stroke.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.tool import Tool
from sim.bullet import Bullet, Contact
from sim.tasks.task import checked_scene
from sim.urdf import nail_urdf, write_urdf

STROKE = 0.08
"""How far the nail can be driven [m]."""
FRICTION = 40.0
"""Dry friction of the nail in its block [N]."""
SOLVED = 0.95
"""Share of the stroke that counts as driven."""
HEAD_RADIUS = 0.03
"""Radius of the nail's head [m]."""
HEAD_HEIGHT = 0.015
"""Height of the nail's head [m]."""
MASS = 0.1
"""Mass of the nail [kg]."""
FACE_DEPTH = 0.015
"""A contact within this distance of the plane of the face [m] counts as on the face."""
FACE_NORMAL = float(np.cos(np.radians(35)))
"""Cosine of the largest angle between the contact normal and the face's."""
TOUCH = 0.5
"""Contacts of less force [N] are not counted."""

SCENE = {"nail_x": 0.5, "nail_y": 0.0, "nail_z": 0.1}
"""Top centre of the undriven nail [m]; the ground is z = 0."""


class HammerTask:
    """Drive the nail."""

    tool = "hammer"
    obs_names = ("nail_x", "nail_y", "nail_z", "driven")
    term_names = ("driven",)

    def __init__(self) -> None:
        self._offset = np.zeros(2)
        self._paid = self._spoilt = False

    def build(self, bullet: Bullet, folder: Path, scene: Mapping[str, float], tool: Tool) -> None:
        """Create the nail at its place in the scene."""
        self._bullet, self._tool = bullet, tool
        place = checked_scene(scene, SCENE)
        self._top = np.array([place["nail_x"], place["nail_y"], place["nail_z"]])
        text = nail_urdf(stroke=STROKE, head_radius=HEAD_RADIUS, head_height=HEAD_HEIGHT, mass=MASS)
        self._nail = bullet.load_urdf(write_urdf(folder, "nail", text), position=self._top)
        self._joint = bullet.joints(self._nail)["driven"]
        bullet.set_friction(self._nail, self._joint, lateral=0.6)
        bullet.brake(self._nail, self._joint, FRICTION)

    def reset(self, offset: Float[np.ndarray, "2"]) -> None:
        """Pull the nail out and move its block."""
        self._offset = np.asarray(offset, float)
        self._paid = self._spoilt = False
        self._bullet.place(self._nail, self._top + np.append(self._offset, 0.0))
        self._bullet.reset_joints(self._nail, [self._joint], [0.0])
        self._bullet.brake(self._nail, self._joint, FRICTION)

    def watch(self, body: int, link: int) -> None:
        """Spoil the episode when anything but the face touches the nail."""
        touches = [c for c in self._bullet.contacts(body, self._nail) if c.link == link and c.force > TOUCH]
        if not touches or self.solved:
            return
        p, quaternion = self._bullet.pose(body) if link < 0 else self._bullet.link_pose(body, link)
        R = pin.Quaternion(quaternion).toRotationMatrix()
        self._spoilt |= not all(on_face(contact, R, p, self._tool) for contact in touches)

    def observe(self) -> Float[np.ndarray, "4"]:
        """Top of the nail [m] and the driven share of its stroke."""
        return np.append(self.target(), self.driven)

    def terms(self) -> dict[str, float]:
        """1 for the nail driven, once."""
        paid = self.solved and not self._paid
        self._paid |= paid
        return {"driven": float(paid)}

    def target(self) -> Float[np.ndarray, "3"]:
        """Top centre of the nail, as far as it is driven now [m]."""
        return self._top + np.array([*self._offset, -self.driven * STROKE])

    @property
    def driven(self) -> float:
        """Driven share of the stroke."""
        return float(self._bullet.joint_state(self._nail, [self._joint])[0][0]) / STROKE

    @property
    def solved(self) -> bool:
        """Driven deep enough, by the face."""
        return not self._spoilt and self.driven >= SOLVED

    @property
    def spoilt(self) -> bool:
        """Touched by something else than the face."""
        return self._spoilt

    def state(self) -> dict[str, float]:
        """Offset and what has happened."""
        return {
            "x": float(self._offset[0]),
            "y": float(self._offset[1]),
            "paid": float(self._paid),
            "spoilt": float(self._spoilt),
        }

    def restore(self, state: Mapping[str, float]) -> None:
        """Return to a remembered state."""
        self._offset = np.array([state["x"], state["y"]])
        self._paid, self._spoilt = bool(state["paid"]), bool(state["spoilt"])


def on_face(contact: Contact, R: Float[np.ndarray, "3 3"], p: Float[np.ndarray, "3"], tool: Tool) -> bool:
    """Whether a contact of the hammer lies on its face.

    Args:
        contact: point [m] and normal in the world, of the hammer with the nail.
        R: rotation of the tool frame.
        p: origin of the tool frame [m].
        tool: the hammer.
    """
    point, normal = R.T @ (contact.point - p), R.T @ contact.normal
    face = -tool.head_size[2] / 2
    inside = abs(point[0] - tool.length) <= tool.head_size[0] / 2 + FACE_DEPTH
    return bool(inside and point[2] <= face + FACE_DEPTH and normal[2] >= FACE_NORMAL)
