"""What tools look like and collide with: convex parts in the tool frame. Masses are the tool's own business.

A tool of no special shape is its handle, a cylinder, and its head, a box. The spade and the jug hold something: their
heads are dishes of plates. The blade of the scythe lies at an angle to its handle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.tool import Tool

BLADE_TILT = np.radians(30.0)
"""Angle of the spade's blade to its handle [rad], as in the model of Zorina et al. (2021): toe up, handle level."""
SIDE, BACK = 0.03, 0.06
"""Height of the rims of the blade at its sides and at its back [m]."""
NECK = 0.30
"""From the centre of the blade to where the handle ends and the neck begins [m]."""
SPOUT = 0.05
"""Length of the jug's spout [m]; it leaves the front wall at half a right angle."""
SPOUT_WIDTH = 0.07
"""Width of the spout at its end [m]; at the jug it is as wide as the jug."""
NOTCH = 0.03
"""How far below the rim the spout begins [m]."""
WALL = 0.006
"""Thickness of the jug [m]."""

WOOD, STEEL = "0.55 0.36 0.2 1", "0.3 0.32 0.35 1"
_CHINA = "0.85 0.85 0.9 0.5"


LAY = np.radians(30.0)
"""The blade of a scythe lies level where its handle slopes down by this angle [rad]."""
CROOK = 0.15
"""From the line through the blade's centre back to where the scythe's handle ends and bends to the blade's heel [m]."""


class Part(NamedTuple):
    """A convex part of a body."""

    kind: str
    """`box`, or `cylinder` along its z axis."""
    size: tuple[float, ...]
    """Sides of the box; radius and length of the cylinder [m]."""
    pose: pin.SE3
    """Of its centre in the body's frame."""
    rgba: str


def tool_parts(tool: Tool) -> list[Part]:
    """Parts of a tool in the tool frame."""
    return _SHAPES.get(tool.name, _plain)(tool)


def blade_frame(tool: Tool) -> pin.SE3:
    """Frame of the spade's blade in the tool frame: at its centre, x towards the toe, z to the side that carries."""
    return pin.SE3(pin.rpy.rpyToMatrix(0.0, -BLADE_TILT, 0.0), tool.p_head)


def scythe_blade(tool: Tool) -> pin.SE3:
    """Frame of the scythe's blade in the tool frame: at its centre, x away from the edge, y to its tip, z up."""
    return pin.SE3(pin.rpy.rpyToMatrix(0.0, -LAY, 0.0), tool.p_head)


def spout_tip(tool: Tool) -> Float[np.ndarray, "3"]:
    """Middle of the edge that the jug pours over, in the tool frame [m]."""
    length, _, height = tool.head_size
    reach = SPOUT * np.cos(np.pi / 4)
    return tool.p_head + np.array([length / 2 + reach, 0.0, height / 2 - NOTCH + reach])


def open_box(inner: tuple[float, float, float], wall: float, rgba: str, *, sides: str, floor: bool) -> list[Part]:
    """A box without a lid whose inside stands on the origin.

    Args:
        inner: sides of the inside [m].
        wall: thickness of the walls; they stand outside the inner sides [m].
        rgba: colour.
        sides: which walls there are, of `+x`, `-x`, `+y`, `-y`, separated by blanks.
        floor: whether there is a floor, below the inside.
    """
    x, y, z = inner
    parts = []
    for side in sides.split():
        along = 0 if side[1] == "x" else 1
        size = (wall, y + 2 * wall, z) if along == 0 else (x, wall, z)
        place = np.array([0.0, 0.0, z / 2])
        place[along] = (1 if side[0] == "+" else -1) * (inner[along] + wall) / 2
        parts.append(Part("box", size, pin.SE3(np.eye(3), place), rgba))
    if floor:
        below = pin.SE3(np.eye(3), np.array([0.0, 0.0, -wall / 2]))
        parts.append(Part("box", (x + 2 * wall, y + 2 * wall, wall), below, rgba))
    return parts


def _plain(tool: Tool) -> list[Part]:
    head = Part("box", tool.head_size, pin.SE3(np.eye(3), tool.p_head), STEEL)
    return [_rod(np.zeros(3), tool.p_head, tool.handle_radius, WOOD), head]


def _spade(tool: Tool) -> list[Part]:
    """A dished blade, and a handle that a neck joins to the top of its back."""
    length, width, thick = tool.head_size
    blade = blade_frame(tool)
    plates = {
        (length, width, thick): (0.0, 0.0, 0.0),
        (thick, width, BACK): (-(length - thick) / 2, 0.0, BACK / 2),
    }
    parts = [Part("box", size, blade * pin.SE3(np.eye(3), np.array(at)), STEEL) for size, at in plates.items()]
    for side in (-1.0, 1.0):
        at = np.array([0.0, side * (width - thick) / 2, SIDE / 2])
        parts.append(Part("box", (length, thick, SIDE), blade * pin.SE3(np.eye(3), at), STEEL))
    end = np.array([tool.length - NECK, 0.0, 0.0])
    socket = blade.act(np.array([-length / 2, 0.0, BACK / 2]))
    return [
        _rod(np.zeros(3), end, tool.handle_radius, WOOD),
        _rod(end, socket, 0.6 * tool.handle_radius, STEEL),
        *parts,
    ]


def _scythe(tool: Tool) -> list[Part]:
    """A straight blade to one side, and a handle that a crook joins to its heel."""
    blade = scythe_blade(tool)
    end = np.array([tool.length - CROOK, 0.0, 0.0])
    heel = blade.act(np.array([0.0, -tool.head_size[1] / 2, tool.head_size[2] / 2]))
    return [
        _rod(np.zeros(3), end, tool.handle_radius, WOOD),
        _rod(end, heel, 0.6 * tool.handle_radius, WOOD),
        Part("box", tool.head_size, blade, STEEL),
    ]


def _jug(tool: Tool) -> list[Part]:
    """A square jug with a spout in front and a straight handle behind."""
    length, width, height = tool.head_size
    inner = (length - 2 * WALL, width - 2 * WALL, height - WALL)
    inside = pin.SE3(np.eye(3), tool.p_head + np.array([0.0, 0.0, WALL - height / 2]))
    parts = [
        part._replace(pose=inside * part.pose) for part in open_box(inner, WALL, _CHINA, sides="-x +y -y", floor=True)
    ]
    low = inner[2] - NOTCH
    front = np.array([(inner[0] + WALL) / 2, 0.0, low / 2])
    parts.append(Part("box", (WALL, width, low), inside * pin.SE3(np.eye(3), front), _CHINA))
    edge = inside * pin.SE3(np.eye(3), np.array([inner[0] / 2, 0.0, low]))
    trough = edge * pin.SE3(pin.rpy.rpyToMatrix(0.0, -np.pi / 4, 0.0), np.zeros(3))
    bottom = np.array([SPOUT / 2, 0.0, -WALL / 2])
    parts.append(Part("box", (SPOUT, width, WALL), trough * pin.SE3(np.eye(3), bottom), _CHINA))
    for side in (-1.0, 1.0):
        # The cheeks run from the jug's corners to the ends of the edge, and up to the height of the rim.
        start, end = inner[1] / 2, SPOUT_WIDTH / 2
        turn = np.arctan2(end - start, SPOUT) * side
        cheek = pin.SE3(
            pin.rpy.rpyToMatrix(0.0, 0.0, float(turn)),
            np.array([SPOUT / 2, side * ((start + end) / 2 + WALL / 2), NOTCH / 2]),
        )
        parts.append(Part("box", (np.hypot(SPOUT, start - end), WALL, NOTCH), trough * cheek, _CHINA))
    grip = tool.p_head - np.array([length / 2, 0.0, 0.0])
    return [_rod(np.zeros(3), grip, tool.handle_radius, WOOD), *parts]


def _rod(start: Float[np.ndarray, "3"], end: Float[np.ndarray, "3"], radius: float, rgba: str) -> Part:
    """A cylinder from one point to another."""
    along = end - start
    length = float(np.linalg.norm(along))
    turn = pin.Quaternion.FromTwoVectors(np.array([0.0, 0.0, 1.0]), along / length).toRotationMatrix()
    return Part("cylinder", (radius, length), pin.SE3(turn, (start + end) / 2), rgba)


_SHAPES: dict[str, Callable[[Tool], list[Part]]] = {"spade": _spade, "scythe": _scythe, "jug": _jug}
"""Tools of a special shape, by name."""
