"""Synthetic strokes: a person pushes a spade through something on the ground, lifts it, and carries it away."""

from __future__ import annotations

import numpy as np
from pouring import seen_with_noise

from motion.tool import SPADE
from records import Motion
from sim.keyframes import Key, stroke_of
from sim.tool_shape import BLADE_TILT


def random_digging(seed: int, **fixed: float) -> Motion:
    """A stroke with everything drawn at random, and 1 to 3 cm of noise; how the blade is tipped is not seen."""
    rng = np.random.default_rng([seed, 17])
    drawn = {
        "fps": float(rng.choice([24.0, 25.0, 30.0, 50.0, 60.0])),
        "way": rng.uniform(0.8, 1.4),
        "aside": rng.uniform(-1.5, 1.5),
        "dig": rng.uniform(0.4, 0.8),
        "slope": float(BLADE_TILT) + rng.normal(0, 0.1),
        "lean": rng.uniform(0.1, 0.4),
        "height": rng.uniform(0.3, 0.6),
        "pace": rng.uniform(0.8, 1.5),
        "heading": rng.uniform(-np.pi, np.pi),
        "noise": rng.uniform(0.005, 0.02),
        "jitter": rng.uniform(0.01, 0.03),
    } | fixed
    heading, slope, pace, up = drawn["heading"], drawn["slope"], drawn["pace"], drawn["height"]
    ahead = np.array([np.cos(heading), np.sin(heading)])
    aside = np.array([np.cos(heading + drawn["aside"]), np.sin(heading + drawn["aside"])])

    def at(dug: float, carried: float, height: float) -> tuple[float, float, float]:
        x, y = dug * ahead + carried * aside
        return float(x), float(y), height

    deep, far = drawn["dig"], drawn["way"]
    back = slope - drawn["lean"]
    keys = [
        Key(0.0, at(0.0, 0.0, 0.2), pitch=slope, yaw=heading),
        Key(0.6 * pace, at(0.0, 0.0, 0.0), pitch=slope, yaw=heading),
        Key(1.0 * pace, at(deep, 0.0, 0.0), pitch=slope, yaw=heading),
        Key(0.5 * pace, at(deep, 0.0, 0.08), pitch=back, yaw=heading),
        Key(0.7 * pace, at(deep, 0.0, up), pitch=back, yaw=heading),
        Key(1.2 * pace, at(deep, far, up), pitch=back, yaw=heading + 0.5 * drawn["aside"]),
        Key(1.2 * pace, at(deep, far, 0.8 * up), pitch=back, yaw=heading + 0.5 * drawn["aside"]),
    ]
    return seen_with_noise(stroke_of(SPADE, keys, fps=drawn["fps"]), rng, drawn["noise"], drawn["jitter"])
