"""The jug's own scripted stroke: lift, carry, tilt slowly with the spout over the cup, and back."""

from __future__ import annotations

import numpy as np

from motion.tool import JUG
from records import Demonstration
from sim.keyframes import Key, stroke_of
from sim.tasks.pour_scene import HEIGHT, SCENE, THICK, place_of
from sim.tool_shape import spout_tip

APART = 0.35
"""From where the spout stands at first to the cup [m]."""
ABOVE = 0.05
"""Height of the spout above the cup's rim while it pours [m]."""
CLEAR = 0.01
"""Of the jug above the ground at first [m]."""
BEFORE = 0.065
"""How far the spout stays before the middle of the cup [m]: grains fly on a little."""
TILT = np.radians(120.0)
"""Of the jug when it is empty [rad]."""
EARLY = np.radians(60.0)
"""Tilt at which nothing leaves it yet, and its body is no longer beside the cup [rad]."""
RATE = np.radians(45.0)
"""At which it is tilted, on average [rad/s]."""


def pour_stroke() -> Demonstration:
    """In the usual scene, along +x."""
    cup = place_of(SCENE)
    tip = spout_tip(JUG)
    low = CLEAR + JUG.head_size[2] / 2 + float(tip[2])
    rim = HEIGHT + THICK
    pours, over = rim + ABOVE, rim + JUG.head_size[2] / 2 + float(tip[2]) + ABOVE / 2
    x, y = float(cup[0]) - BEFORE, float(cup[1])
    part, full = float(EARLY), float(TILT)
    keys = [
        Key(0.0, (x - APART, y, low)),
        Key(0.6, (x - APART, y, over)),
        Key(0.9, (x, y, over)),
        Key(part / float(RATE), (x, y, pours), pitch=part),
        Key((full - part) / float(RATE), (x, y, pours), pitch=full),
        Key(0.8, (x, y, pours), pitch=full),
        Key(0.8, (x, y, over)),
        Key(0.6, (x - APART / 2, y, over)),
    ]
    return Demonstration(task="pour", scene=dict(SCENE), tool=stroke_of(JUG, keys, point=tip))
