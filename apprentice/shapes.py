"""What is drawn of a run, as line segments in the world: body, tool, contact forces, ground, robot.

The overlay, the stills and the 3D scene all draw these, so that a colour or a length means the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from motion.body import body_of, rotations
from motion.robot import build_arm
from motion.tool import head_positions, tool_of
from records import ContactForces, Demonstration, Motion

Colour = tuple[int, int, int]

LEFT: Colour = (77, 163, 255)
RIGHT: Colour = (255, 145, 77)
MIDDLE: Colour = (226, 232, 240)
TOOL: Colour = (250, 204, 21)
FORCE: Colour = (74, 222, 128)
TRUTH: Colour = (148, 163, 184)
SEEN: Colour = (244, 114, 182)
ROBOT: Colour = (203, 213, 225)
GRID: Colour = (51, 65, 85)

METRES_PER_NEWTON = 1 / 1000
"""Length of a force's arrow: 1 m for 1000 N, so that a standing person's feet carry arrows of a third of a metre."""
LEAST_FORCE = 5.0
"""Forces below this [N] are not drawn."""

_SIDE_CHAIN = (
    ("neck", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "fingers"), ("pelvis", "hip"),
    ("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"), ("heel", "toes"), ("ankle", "toes"),
)  # fmt: skip
_UNSIDED = ("neck", "pelvis", "head", "nose")
_BOX_EDGES = tuple((a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1)
"""Corners of a box that differ in one bit of their number are joined by an edge."""
_EDGE = 0.4
"""Width of the edges of a tool's head, in widths of its handle."""


class Lines(NamedTuple):
    """Segments that move together."""

    name: str
    """Path of the entity in the 3D scene."""
    ends: Float[np.ndarray, "T N 2 3"]
    """Start and end of each segment in the world [m]."""
    colour: UInt8[np.ndarray, "N 3"]
    """RGB."""
    width: Float[np.ndarray, "N"]
    """[m]."""
    arrow: bool = False
    """Whether each segment points from its start to its end."""


def person_lines(person: Motion, *, name: str = "person", colour: Colour | None = None, width: float = 0.028) -> Lines:
    """Bones of a person; left and right in their colours unless one is given."""
    bones = [("pelvis", "neck", MIDDLE), ("neck", "head", MIDDLE), ("head", "nose", MIDDLE)]
    for side, tone in (("l", LEFT), ("r", RIGHT)):
        for pair in _SIDE_CHAIN:
            a, b = (part if part in _UNSIDED else f"{side}_{part}" for part in pair)
            bones.append((a, b, tone))
    body = body_of(person)
    starts, tips = (
        body.site_positions(person.q, names) for names in ([a for a, *_ in bones], [b for _, b, _ in bones])
    )
    return _lines(name, np.stack([starts, tips], axis=2), [colour or tone for _, _, tone in bones], width)


def tool_lines(motion: Motion, *, name: str = "tool", colour: Colour = TOOL, width: float = 0.025) -> Lines:
    """Handle of a tool and the edges of its head."""
    tool = tool_of(motion)
    R, p = rotations(motion.q[:, 3:7]), motion.q[:, :3]
    signs = np.array([[(corner >> axis & 1) - 0.5 for axis in range(3)] for corner in range(8)])
    corners = tool.p_head + signs * np.array(tool.head_size)
    local = np.array([(np.zeros(3), tool.p_head), *((corners[a], corners[b]) for a, b in _BOX_EDGES)])
    ends = np.einsum("tij,nkj->tnki", R, local) + p[:, None, None]
    return _lines(name, ends, [colour], width * np.array([1.0] + [_EDGE] * len(_BOX_EDGES)))


def force_lines(forces: ContactForces, *, name: str = "forces", colour: Colour = FORCE) -> Lines:
    """Arrows of the contact forces on the person, from where they act; those too small to matter have no length."""
    force = forces.wrench[..., :3]
    large = np.linalg.norm(force, axis=-1, keepdims=True) >= LEAST_FORCE
    tips = forces.point + np.where(large, METRES_PER_NEWTON * force, 0.0)
    ends = np.stack([forces.point, tips], axis=2)
    return _lines(name, ends, [colour], 0.022, arrow=True)


def ground_lines(around: Float[np.ndarray, "N 3"], *, margin: float = 0.8, cell: float = 0.5) -> Lines:
    """Grid on z = 0 below some points, of square cells [m]."""
    low = np.floor((around[:, :2].min(axis=0) - margin) / cell).astype(int)
    high = np.ceil((around[:, :2].max(axis=0) + margin) / cell).astype(int)
    columns, rows = range(low[0], high[0] + 1), range(low[1], high[1] + 1)
    segments = [((x, y, 0), (x + 1, y, 0)) for x in columns[:-1] for y in rows]
    segments += [((x, y, 0), (x, y + 1, 0)) for x in columns for y in rows[:-1]]
    return _lines("ground", cell * np.array(segments, float)[None], [GRID], 0.008)


def trail_lines(path: Float[np.ndarray, "T 3"], *, colour: Colour = TOOL, name: str = "trail") -> Lines:
    """The whole path of a point, the same in every frame."""
    return _lines(name, np.stack([path[:-1], path[1:]], axis=1)[None], [colour], 0.006)


def robot_lines(demonstration: Demonstration) -> Lines | None:
    """Links of the robot from its base to its hand; None where the demonstration has no robot."""
    robot = demonstration.robot
    if robot is None:
        return None
    points = build_arm(robot.model, tool_of(demonstration.tool)).link_positions(robot)
    ends = np.stack([points[:, :-1], points[:, 1:]], axis=2)
    return _lines("robot", ends, [ROBOT], 0.08)


def swung_point(person: Motion, tool: Motion | None) -> Float[np.ndarray, "T 3"]:
    """What the eye follows: the tool's head, or the right hand where there is no tool [m]."""
    if tool is not None:
        return head_positions(tool_of(tool), tool)
    return body_of(person).site_positions(person.q, ["r_wrist"])[:, 0]


def _lines(
    name: str, ends: np.ndarray, colours: Sequence[Colour], width: float | np.ndarray, *, arrow: bool = False
) -> Lines:
    """Give every segment a colour and a width; a single one is that of all."""
    count = ends.shape[1]
    tones = np.broadcast_to(np.array(colours, np.uint8), (count, 3))
    return Lines(name, ends, tones, np.broadcast_to(np.asarray(width, float), (count,)), arrow)
