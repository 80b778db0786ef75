"""The spade's own scripted stroke: into the heap along the ground, up, over to the box, and tip."""

from __future__ import annotations

import numpy as np

from motion.tool import SPADE
from records import Demonstration
from sim.keyframes import Key, stroke_of
from sim.tasks.spade_scene import DEPOSIT, SCENE, places
from sim.tool_shape import BLADE_TILT

CLEAR = 0.006
"""Of the blade's underside above the ground while it digs [m]."""
SHORT = 0.02
"""What the toe stays short of the deposit's wall [m]."""
BACK = np.radians(15.0)
"""How far the blade is leant back to carry [rad]."""
CARRY, TIP = 0.40, 0.30
"""Height of the blade on the way and when it tips [m]."""
OVER = np.radians(130.0)
"""Turn of the blade about the handle that tips it [rad]."""


def spade_stroke() -> Demonstration:
    """In the usual scene."""
    sand, yaw, box = places(SCENE)
    ahead = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    half, low = SPADE.head_size[0] / 2, SPADE.head_size[2] / 2 + CLEAR
    level, leant = float(BLADE_TILT), float(BLADE_TILT - BACK)

    def at(distance: float, height: float) -> tuple[float, float, float]:
        x, y, _ = sand + distance * ahead
        return float(x), float(y), height

    deepest = DEPOSIT / 2 - SHORT - half
    over = (float(box[0]), float(box[1]), CARRY)
    keys = [
        Key(0.0, at(-DEPOSIT / 2 - half - 0.1, 0.15), pitch=level, yaw=yaw),
        Key(0.5, at(-DEPOSIT / 2 - half - 0.03, low), pitch=level, yaw=yaw),
        Key(1.2, at(deepest, low), pitch=level, yaw=yaw),
        Key(0.4, at(deepest - 0.01, low + half * float(np.sin(BACK)) + 0.01), pitch=leant, yaw=yaw),
        Key(0.8, at(deepest - 0.02, CARRY), pitch=leant, yaw=yaw),
        Key(1.3, over, pitch=leant, yaw=yaw),
        Key(0.3, (*over[:2], TIP), pitch=leant, yaw=yaw),
        Key(0.8, (*over[:2], TIP), roll=float(OVER), pitch=leant, yaw=yaw),
        Key(0.5, (*over[:2], TIP), roll=float(OVER), pitch=leant, yaw=yaw),
    ]
    return Demonstration(task="spade", scene=dict(SCENE), tool=stroke_of(SPADE, keys))
