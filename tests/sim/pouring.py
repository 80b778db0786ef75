"""Synthetic strokes: a person lifts a jug, carries it over something, tilts it, and puts it back, seen with noise."""

from __future__ import annotations

import numpy as np

from motion.tool import JUG, head_positions, tool_motion, tool_of
from records import Motion
from sim.keyframes import Key, stroke_of
from sim.tool_shape import spout_tip


def random_pouring(seed: int, **fixed: float) -> Motion:
    """A stroke with everything drawn at random, and 0.3 to 1 cm of noise on both ends of the jug.

    Drawn are rate, way, tilt (60 to 130 degrees: people's jugs pour earlier than a jug of grains), speed, direction,
    and whether the stroke ends while the jug is tilted.
    """
    rng = np.random.default_rng([seed, 13])
    drawn = {
        "fps": float(rng.choice([24.0, 25.0, 30.0, 50.0, 60.0])),
        "way": rng.uniform(0.2, 0.6),
        "rise": rng.uniform(0.1, 0.3),
        "tilt": np.radians(rng.uniform(60, 130)),
        "slowness": rng.uniform(1.0, 3.0),
        "hold": rng.uniform(0.3, 2.0),
        "heading": rng.uniform(-np.pi, np.pi),
        "ends_tilted": float(rng.integers(2)),
        "noise": rng.uniform(0.003, 0.01),
        "jitter": rng.uniform(0.005, 0.02),
    } | fixed
    way, rise, heading = drawn["way"], drawn["rise"], drawn["heading"]
    ahead = np.array([np.cos(heading), np.sin(heading)])

    def at(along: float, height: float) -> tuple[float, float, float]:
        x, y = along * ahead
        return float(x), float(y), height

    keys = [
        Key(0.0, at(0.0, 0.0), yaw=heading),
        Key(0.4, at(0.0, 0.0), yaw=heading),
        Key(0.6, at(0.0, rise), yaw=heading),
        Key(0.8, at(way, rise), yaw=heading),
        Key(drawn["slowness"], at(way, 0.6 * rise), pitch=drawn["tilt"], yaw=heading),
        Key(drawn["hold"], at(way, 0.6 * rise), pitch=drawn["tilt"], yaw=heading),
        Key(0.8, at(way, rise), yaw=heading),
        Key(0.8, at(0.0, 0.0), yaw=heading),
    ]
    clean = stroke_of(JUG, keys[: 6 if drawn["ends_tilted"] else 8], point=spout_tip(JUG), fps=drawn["fps"])
    return seen_with_noise(clean, rng, drawn["noise"], drawn["jitter"])


def seen_with_noise(clean: Motion, rng: np.random.Generator, noise: float, jitter: float) -> Motion:
    """The same by its two ends, which err in every frame (`noise` [m]) and wander together (`jitter` [m])."""
    tool = tool_of(clean)
    head, free = head_positions(tool, clean), np.array(clean.q[:, :3])
    frames, knots = len(head), max(2, round(len(head) / clean.fps / 0.3) + 1)
    wander = jitter * rng.standard_normal((knots, 3))
    drift = np.stack([np.interp(np.linspace(0, knots - 1, frames), range(knots), w) for w in wander.T], axis=1)
    head = head + drift + noise * rng.standard_normal(head.shape)
    free = free + drift + noise * rng.standard_normal(free.shape)
    return tool_motion(tool, head, free, clean.fps)
