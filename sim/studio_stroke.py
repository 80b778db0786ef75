"""A hammer stroke for the studio: who strikes, the path of hand and handle, and its timing.

The hand moves on a curve from beside the head to the nail while the handle turns from upright to level. It is raised
with least jerk, brought down at constant acceleration and stopped by the nail.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.body import Body, build_body
from motion.skeleton import BONES
from motion.tool import Tool

STATURE, STATURE_SPREAD = 1.73, 0.06
"""Height of a person [m], mean and standard deviation (NCD-RisC 2016, adults in Europe)."""
BODY_MASS_INDEX = (20.0, 28.0)
"""[kg/m^2]."""
BONE_SPREAD = 0.03
"""Standard deviation of the logarithm of a bone's length for its stature (Drillis and Contini 1966)."""
STRIKE_SPEED = (3.2, 4.5)
"""Speed of the head when it meets the nail [m/s]: light blows of a club hammer."""
NAIL_HEIGHT = (0.34, 0.42)
"""Top of the nail above the ground, over the stature: between knee and hip."""
RAISE, REST, TOP = 0.50, 0.12, 0.15
"""Time to raise the hammer, to rest it on the nail, and to hold it up [s]."""
DRIVEN = 0.015
"""How far a blow drives the nail [m]."""
LEVELLED = 0.8
"""How early the handle turns level, so that the face meets the nail flat: 0 evenly, 1 well before the nail [1]."""


class Character(NamedTuple):
    """Who acts, and how."""

    body: Body
    side: str
    """Hand that holds the tool, `l` or `r`."""
    strike_speed: float
    """[m/s]."""
    nail: Float[np.ndarray, "3"]
    """Top of the nail before the first blow [m]; the person stands at the origin and looks along +x."""
    raised: float
    """Height of the hand at the top of the stroke, over the stature."""
    cocked: float
    """Angle of the handle above the level at the top of the stroke [rad]."""
    inward: float
    """Heading of the handle towards the middle of the body [rad]."""
    lean: float
    """Lean of the trunk when striking [rad]."""
    stance: tuple[float, float]
    """Distance between the feet across and along [m]."""

    @property
    def sign(self) -> float:
        """1 for a left hand, -1 for a right one: the side of +y that it is on."""
        return 1.0 if self.side == "l" else -1.0


class Stroke(NamedTuple):
    """What a tool, and the hand on it, are to do."""

    hand: Float[np.ndarray, "T 3"]
    """Point of the handle's axis that is held [m]."""
    R_tool: Float[np.ndarray, "T 3 3"]
    progress: Float[np.ndarray, "T"]
    """0 raised, 1 on the nail."""
    nail: Float[np.ndarray, "T 3"]
    """Top of the nail [m]."""


def draw_body(rng: np.random.Generator) -> Body:
    """Draw stature, mass and bone lengths."""
    height = float(STATURE + STATURE_SPREAD * np.clip(rng.standard_normal(), -2, 2))
    bones = {name: share * height * float(np.exp(BONE_SPREAD * rng.standard_normal())) for name, share in BONES.items()}
    return build_body(height=height, mass=float(rng.uniform(*BODY_MASS_INDEX)) * height**2, bones=bones)


def draw_character(rng: np.random.Generator) -> Character:
    """Draw a person and a way of hammering."""
    body = draw_body(rng)
    height = body.height
    side = "r" if rng.uniform() < 0.7 else "l"
    across = (1.0 if side == "l" else -1.0) * float(rng.uniform(0.05, 0.13))
    ahead = height * float(rng.uniform(0.37, 0.40))
    return Character(
        body=body,
        side=side,
        strike_speed=float(rng.uniform(*STRIKE_SPEED)),
        nail=np.array([ahead, across, height * float(rng.uniform(*NAIL_HEIGHT))]),
        raised=float(rng.uniform(0.86, 0.93)),
        cocked=float(np.deg2rad(rng.uniform(88, 105))),
        inward=float(np.deg2rad(rng.uniform(5, 18))),
        lean=float(np.deg2rad(rng.uniform(16, 24))),
        stance=(float(rng.uniform(0.30, 0.38)), float(rng.uniform(0.10, 0.22))),
    )


def stroke(character: Character, tool: Tool, num_frames: int, fps: float) -> Stroke:
    """Blow after blow for `num_frames` frames, from the hammer resting on the nail on."""
    near = 1e-4
    hand, R = _path(character, tool, np.array([1 - near, 1.0]), character.nail)
    head = hand + (tool.length - tool.grip) * R[:, :, 0]
    # From rest at constant acceleration, the speed at the end is twice the length over the time.
    down = 2 * float(np.linalg.norm(head[1] - head[0])) / near / character.strike_speed
    period = RAISE + TOP + down + REST
    t = np.arange(num_frames) / fps - REST
    phase = np.mod(t, period)
    up = np.clip(phase / RAISE, 0, 1)
    fall = np.clip((phase - RAISE - TOP) / down, 0, 1)
    progress = np.where(t < 0, 1.0, 1 - up**3 * (10 - 15 * up + 6 * up**2) + fall**2)
    blows = np.where(t < 0, 0, np.floor(t / period) + (fall >= 1))
    nail = character.nail - blows[:, None] * [0, 0, DRIVEN]
    hand, R = _path(character, tool, progress, nail)
    return Stroke(hand, R, progress, nail)


def _path(
    character: Character, tool: Tool, progress: Float[np.ndarray, "T"], nail: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Held point (T, 3) [m] and rotation of the tool (T, 3, 3) at a progress, for a nail at (3,) or (T, 3) [m]."""
    heading = -character.sign * character.inward
    ahead = np.array([np.cos(heading), np.sin(heading), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    height, shoulder = character.body.height, character.sign * character.body.bones["shoulder_half_width"]
    end = np.add(nail, [0, 0, tool.head_size[2] / 2]) - (tool.length - tool.grip) * ahead
    start = np.array([0.23 * height, 1.75 * shoulder, character.raised * height])
    control = np.array([end[..., 0].mean() + 0.03 * height, 1.3 * shoulder, 0.80 * height])
    u = progress[:, None]
    hand = (1 - u) ** 2 * start + 2 * u * (1 - u) * control + u**2 * end
    angle = character.cocked * (1 - u) * (1 - LEVELLED * u)
    x = np.cos(angle) * ahead + np.sin(angle) * up
    z = -np.sin(angle) * ahead + np.cos(angle) * up
    return hand, np.stack([x, np.cross(z, x), z], axis=-1)
