"""A stroke bent by a placement in the spade's scene: cut, scaled, levelled, held up, and tipped at its end."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.tool import Tool
from sim.phases import phased
from sim.swing import Swing
from sim.tasks.spade_scene import APART, BOX, DEPOSIT, HEIGHT, WALL
from sim.tool_shape import NECK, SIDE, blade_frame

BEFORE = 1.6
"""Stretch of the stroke that is kept before the blade is deepest [s]."""
AFTER = 1.2
"""Stretch that is kept after it begins to tip [s]."""
DIG = 0.5
"""Stretch before the deepest moment in which the blade goes through the sand [s]."""
HEAP = 0.12
"""Height that clears the heap [m]."""
RISE = 1.0
"""Fastest vertical motion that is added to hold the stroke up [m/s]."""
FLOOR = 0.005
"""The tool is kept at least this far above the ground [m]."""
TURN = 3.0
"""Fastest turn of the tool that is added to the stroke [rad/s]."""
ROOM = 0.04
"""Room that is kept beside walls [m]: twice the displacement that replays are perturbed with."""
OVER_WALL = 0.02
"""Room that is kept above them [m]."""
RELEASE = (0.6, 1.8)
"""The sand leaves the blade while that is turned by this much [rad]."""
GRAVITY = 9.81
"""[m/s^2]."""


class Placement(NamedTuple):
    """Where deposit and box stand with respect to the stroke, and how the stroke is changed."""

    dig: float
    """Moment at which the blade is deepest in the sand [s]."""
    tip: float
    """Moment at which it begins to tip [s]."""
    along: float
    """How far the middle of the deposit lies ahead of the blade then, along the blade [m]."""
    across: float
    """The same across it [m]."""
    heading: float
    """Yaw of the deposit against the blade's [rad]."""
    box_x: float
    """Distance of the box from under the tipping blade [m]."""
    box_y: float
    """The same along y [m]."""
    scale: float
    """Size of the stroke."""
    height: float
    """How far its lowest point lies above the ground, before it is held up [m]."""
    push: float
    """How much further than observed the blade goes through the sand, along itself [m]: one view hardly shows depth."""
    tilt: float
    """Turn of the tool about its y axis against what was observed [rad]: its blade is not where its handle is."""
    lean: float
    """How far the blade is leant back as soon as it is loaded [rad]."""
    over: float
    """Turn of the tool about its handle that tips it [rad]; before, the blade is level from side to side."""


class Scoop(NamedTuple):
    """A changed stroke and its scene, in the stroke's world."""

    R: np.ndarray
    head: np.ndarray
    fps: float
    begin: int
    dig: int
    tip: int
    sand: np.ndarray
    yaw: float
    box: np.ndarray
    landing: np.ndarray
    """Where grains land that leave the blade while it tips (L, 3) [m]."""
    squeezed: float
    """By how much the box had to be moved away from the sand [m]."""


def scoop(swing: Swing, tool: Tool, placement: Placement) -> Scoop:
    """Bend a stroke.

    Args:
        swing: the stroke, its y axes level.
        tool: the spade.
        placement: how.
    """
    fps, last = swing.fps, len(swing.head) - 1
    dig = int(np.clip(round(placement.dig * fps), 1, last - 2))
    tip = int(np.clip(round(placement.tip * fps), dig + 1, last - 1))
    first = max(0, dig - round(BEFORE * fps))
    cut = slice(first, min(last, tip + round(AFTER * fps)) + 1)
    dig, tip = dig - first, tip - first
    t = np.arange(cut.stop - cut.start) / fps
    lean = phased(t, [dig / fps], [0.0, placement.lean], rate=TURN)
    over = phased(t, [tip / fps], [0.0, placement.over], rate=TURN)
    R = swing.R[cut] @ _about_y(placement.tilt - lean) @ _about_x(over)
    head = placement.scale * swing.head[cut]
    blade = R[dig] @ blade_frame(tool).rotation[:, 0]
    facing = float(np.arctan2(blade[1], blade[0]))
    begin = max(0, dig - round(DIG * fps))
    ahead = about_z(facing)[:, 0]
    gone = np.clip((np.arange(len(head)) - begin) / (dig - begin), 0, 1)[:, None]
    head = head - placement.push * (1 - gone * gone * (3 - 2 * gone)) * ahead
    head[:, 2] += placement.height - float(lowest(R, head, tool)[begin : dig + 1].min())
    sand = head[dig] + about_z(facing) @ np.array([placement.along, placement.across, 0.0])
    landing = _landing(head, fps)[(np.abs(over) > RELEASE[0]) & (np.abs(over) < RELEASE[1])]
    if not len(landing):
        landing = _landing(head, fps)[tip:]
    under = landing.mean(axis=0) + np.array([placement.box_x, placement.box_y, 0.0])
    sand[2] = under[2] = 0.0
    away = under - sand
    distance = max(float(np.linalg.norm(away)), 1e-6)
    box = sand + away / distance * max(distance, APART + 1e-3)
    made = Scoop(
        R, head, fps, begin, dig, tip, sand, facing + placement.heading, box, landing, max(0.0, APART - distance)
    )
    head[:, 2] += _lift(made, tool)
    return made


def _lift(made: Scoop, tool: Tool) -> Float[np.ndarray, "T"]:
    """Vertical displacement that keeps the tool out of the ground, of the walls, and of the heap before it digs."""
    points = made.head[:, None] + np.einsum("tij,cj->tci", made.R, _points(tool) - tool.p_head)
    local = (points - made.sand) @ about_z(made.yaw)
    x, y = local[..., 0], local[..., 1]
    half = DEPOSIT / 2 + WALL
    within = (np.abs(y) < half + ROOM) & (x < half + ROOM) & (x > -half)
    # The deposit is open towards -x.
    wall = within & ((np.abs(y) > half - ROOM) | (x > half - ROOM))
    out = np.abs(points - made.box)[..., :2].max(axis=-1)
    wall |= out < BOX / 2 + WALL + ROOM
    early = (np.arange(len(points)) < made.begin)[:, None]
    needed = np.where(wall, HEIGHT + OVER_WALL, FLOOR)
    needed = np.where(within & early, np.maximum(needed, HEAP), needed)
    short = (needed - points[..., 2]).max(axis=1).clip(0.0)
    frames = np.arange(len(short))
    return np.asarray((short - RISE / made.fps * np.abs(frames[:, None] - frames)).max(axis=1).clip(0.0))


def _landing(head: Float[np.ndarray, "T 3"], fps: float) -> Float[np.ndarray, "T 3"]:
    """Where grains land that leave the blade at each moment, with its velocity [m]."""
    velocity = np.gradient(head, 1 / fps, axis=0)
    up, high = velocity[:, 2], np.maximum(head[:, 2], 0.0)
    fall = (up + np.sqrt(up**2 + 2 * GRAVITY * high)) / GRAVITY
    return head + velocity * fall[:, None] * [1.0, 1.0, 0.0]


def levelled(x: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T 3 3"]:
    """Rotations of given x axes whose y axes are level, z up."""
    y = np.cross([0.0, 0.0, 1.0], x)
    y /= np.maximum(np.linalg.norm(y, axis=1, keepdims=True), 1e-9)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


@lru_cache(maxsize=8)
def _points(tool: Tool) -> Float[np.ndarray, "N 3"]:
    """Points of the blade's underside and of its rims, and of the handle's underside, in the tool frame [m]."""
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, 5), np.linspace(-0.5, 0.5, 4), indexing="ij")
    plate = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, -0.5)]) * tool.head_size
    corners = np.abs(plate[:, :2]) >= np.array(tool.head_size[:2]) / 2 - 1e-9
    rims = plate[corners.all(axis=1)] + [0.0, 0.0, SIDE]
    blade = blade_frame(tool)
    handle = np.linspace(0.0, tool.length - NECK, 5)[:, None] * [1.0, 0.0, 0.0] - [0.0, 0.0, tool.handle_radius]
    return np.vstack([np.vstack([plate, rims]) @ blade.rotation.T + blade.translation, handle])


def lowest(R: Float[np.ndarray, "T 3 3"], head: Float[np.ndarray, "T 3"], tool: Tool) -> Float[np.ndarray, "T"]:
    """Height of the tool's lowest point [m]."""
    points = _points(tool) - tool.p_head
    return np.asarray(head[:, 2] + np.einsum("tj,cj->tc", R[:, 2], points).min(axis=1))


def _about_x(angles: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T 3 3"]:
    return np.array([pin.rpy.rpyToMatrix(float(angle), 0.0, 0.0) for angle in angles])


def _about_y(angles: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T 3 3"]:
    return np.array([pin.rpy.rpyToMatrix(0.0, float(angle), 0.0) for angle in angles])


def about_z(angle: float) -> Float[np.ndarray, "3 3"]:
    """Turn about the vertical by an angle [rad]."""
    return pin.rpy.rpyToMatrix(0.0, 0.0, float(angle))
