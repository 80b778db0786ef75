"""A stroke bent by a placement in the pour's scene: cut, scaled, tilted about its spout, and held up."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from motion.tool import Tool
from sim.phases import phased
from sim.swing import Swing
from sim.tasks.pour_scene import CUP, HEIGHT, THICK
from sim.tool_shape import spout_tip

BEFORE, AFTER = 2.5, 3.5
"""Stretches of the stroke that are kept before and after it begins to pour [s]."""
FLOOR = 0.01
"""The jug is kept at least this far above the ground [m]."""
ROOM = 0.04
"""Room that is kept beside the cup [m]: twice the displacement that replays are perturbed with."""
OVER = 0.015
"""Room that is kept above its rim [m]."""
RISE = 0.6
"""Fastest vertical motion that is added to hold the stroke up [m/s]."""
TURN = np.radians(60.0)
"""Fastest tilt that is added [rad/s]."""
FLOWS, EMPTY = np.radians(85.0), np.radians(110.0)
"""Tilts at which the first grains leave a jug that is tilted very slowly, and the last [rad]; measured in physics."""
LAG = 0.3
"""How much later they leave one that is tilted as people do [s]."""
TOSS = 0.07
"""How far grains fly on from the spout on the way to the cup [m]."""
GRAVITY = 9.81
"""[m/s^2]."""


class Placement(NamedTuple):
    """Where the cup stands with respect to the stroke, and how the stroke is changed."""

    pour: float
    """Moment at which the tilt that is added begins [s]."""
    ahead: float
    """Distance of the cup from where the grains would fall, in the direction that is poured in [m]."""
    aside: float
    """The same across it [m]."""
    scale: float
    """Size of the stroke."""
    height: float
    """Of the spout above the cup's rim where it pours [m]."""
    tilt: float
    """Turn of the jug about its y axis against what was observed, throughout [rad]."""
    roll: float
    """Turn about its handle [rad]."""
    more: float
    """Tilt that is added about the spout while it pours [rad]."""


class Pouring(NamedTuple):
    """A changed stroke and its scene, in the stroke's world."""

    R: np.ndarray
    tip: np.ndarray
    """Path of the spout (T, 3) [m]."""
    fps: float
    flow: np.ndarray
    """Share of the grains that leaves in each frame (T,)."""
    landing: np.ndarray
    """Where it comes to the height of the rim (T, 2) [m]."""
    cup: np.ndarray
    """Middle of the cup on the ground [m]."""


def pouring(swing: Swing, tool: Tool, placement: Placement) -> Pouring:
    """Bend a stroke.

    Args:
        swing: the stroke.
        tool: the jug.
        placement: how.
    """
    fps, last = swing.fps, len(swing.head) - 1
    begin = int(np.clip(round(placement.pour * fps), 1, last - 1))
    first = max(0, begin - round(BEFORE * fps))
    cut = slice(first, min(last, begin + round(AFTER * fps)) + 1)
    begin -= first
    t = np.arange(cut.stop - cut.start) / fps
    turned = Rotation.from_euler("xy", [placement.roll, placement.tilt]).as_matrix()
    R = swing.R[cut] @ turned
    arm = spout_tip(tool) - tool.p_head
    tip = placement.scale * swing.head[cut] + R @ arm
    more = phased(t, [begin / fps], [0.0, placement.more], rate=float(TURN))
    R = R @ Rotation.from_rotvec(np.outer(more, [0.0, 1.0, 0.0])).as_matrix()
    flow = np.diff(emptied(R, fps), prepend=0.0)
    weight = flow / max(float(flow.sum()), 1e-9)
    rim = HEIGHT + THICK
    pours = tip[flow > 0] if weight.any() else tip[begin:]
    tip[:, 2] += rim + placement.height - float(pours[:, 2].min())
    ahead = _ahead(R[flow > 0] if weight.any() else R[begin:])
    landing = _landing(tip, ahead, fps, rim)
    middle = weight @ landing if weight.any() else landing[begin:].mean(axis=0)
    across = np.array([-ahead[1], ahead[0]])
    cup = np.append(middle + placement.ahead * ahead + placement.aside * across, 0.0)
    tip[:, 2] += _lift(R, tip, tool, fps, cup)
    return Pouring(R, tip, fps, flow, _landing(tip, ahead, fps, rim), cup)


def emptied(R: Float[np.ndarray, "T 3 3"], fps: float) -> Float[np.ndarray, "T"]:
    """Share of the grains that has left a jug which is turned like this."""
    tilt = np.arctan2(-R[:, 2, 0], R[:, 2, 2])
    late = np.maximum(np.arange(len(R)) - round(LAG * fps), 0)
    return np.asarray(np.maximum.accumulate(np.clip((tilt - FLOWS) / (EMPTY - FLOWS), 0, 1))[late])


def _ahead(R: Float[np.ndarray, "P 3 3"]) -> Float[np.ndarray, "2"]:
    """Horizontal direction that is poured in: across the jug's level axis."""
    y = R[:, :2, 1].mean(axis=0)
    return np.array([y[1], -y[0]]) / max(float(np.linalg.norm(y)), 1e-9)


def _landing(tip: Float[np.ndarray, "T 3"], ahead: Float[np.ndarray, "2"], fps: float, rim: float) -> np.ndarray:
    """Where grains that leave the spout come to the height of the rim (T, 2) [m]."""
    fall = np.sqrt(2 * np.maximum(tip[:, 2] - rim, 0.0) / GRAVITY)
    return np.asarray(tip[:, :2] + np.gradient(tip[:, :2], axis=0) * fps * fall[:, None] + TOSS * ahead)


def _lift(
    R: Float[np.ndarray, "T 3 3"], tip: Float[np.ndarray, "T 3"], tool: Tool, fps: float, cup: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "T"]:
    """Vertical displacement that keeps the jug off the ground and off the cup."""
    points = tip[:, None] + np.einsum("tij,cj->tci", R, _points(tool) - spout_tip(tool))
    near = np.abs(points - cup)[..., :2].max(axis=-1) < CUP / 2 + THICK + ROOM
    needed = np.where(near, HEIGHT + THICK + OVER, FLOOR)
    short = (needed - points[..., 2]).max(axis=1).clip(0.0)
    frames = np.arange(len(short))
    return np.asarray((short - RISE / fps * np.abs(frames[:, None] - frames)).max(axis=1).clip(0.0))


@lru_cache(maxsize=8)
def _points(tool: Tool) -> Float[np.ndarray, "N 3"]:
    """Points of the jug's surface and the end of its handle, in the tool frame [m]."""
    grid = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    surface = grid[(np.abs(grid) > 0.49).any(axis=1)]
    return np.vstack([surface * tool.head_size + tool.p_head, spout_tip(tool), np.zeros(3)])
