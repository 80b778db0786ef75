"""Synthetic strokes: a person's forearm swings a hammer down in a vertical plane, once or several times."""

from __future__ import annotations

import numpy as np

from motion.tool import HAMMER, Tool, tool_motion
from records import Motion

FOREARM = 0.30
"""From elbow to hand [m]."""
GRIP_TO_HEAD = 0.30
"""From hand to the head's centre [m]; the handle ends behind the hand."""
ELBOW = (0.1, -0.4, 0.75)
"""Where the elbow is [m]."""


def hammer_stroke(
    seed: int = 0,
    *,
    fps: float = 24.0,
    amplitude: float = 1.4,
    speed: float = 4.0,
    heading: float = 0.5,
    strikes: int = 1,
    idle: float = 0.4,
    noise: float = 0.0,
    jitter: float = 0.0,
    lean: float = 0.0,
    tool: Tool = HAMMER,
) -> Motion:
    """A stroke with the face level at the end of each strike.

    Args:
        seed: of the noise.
        fps: frame rate [1/s].
        amplitude: angle that the forearm is raised by [rad].
        speed: speed of the head when it strikes [m/s].
        heading: direction of the swing's plane about the vertical [rad].
        strikes: how many strikes, a second of rest between them.
        idle: rest before the first and after the last one [s].
        noise: standard deviation of both endpoints, independent in every frame [m].
        jitter: standard deviation of a slow wandering of both endpoints together, correlated over 0.3 s [m].
        lean: tilt of the swing's plane out of the vertical [rad].
        tool: the hammer.
    """
    arm = FOREARM + GRIP_TO_HEAD
    falling = 2 * amplitude * arm / speed
    times, angles, now = [0.0], [0.0], idle
    for _ in range(strikes):
        # Raised with zero speed at both ends, held, then falling with constant acceleration into the stop.
        raising = np.linspace(0, 1, 40)
        times += [*(now + 0.6 * raising), now + 0.7]
        angles += [*(amplitude * (3 * raising**2 - 2 * raising**3)), amplitude]
        down = np.linspace(0, 1, 60)[1:]
        times += [*(now + 0.7 + falling * down)]
        angles += [*(amplitude * (1 - down**2))]
        now += 0.7 + falling + 1.0
    end = now - 1.0 + max(idle, 0.3)
    t = np.arange(0, end, 1 / fps)
    raised = np.interp(t, times, angles)
    forearm = -0.5 + raised
    handle = 1.15 * raised
    head, free = _points(forearm, handle, tool)
    turn = _rotation(heading, lean)
    rng = np.random.default_rng(seed)
    head, free = head @ turn.T + ELBOW, free @ turn.T + ELBOW
    wander = _correlated(rng, len(t), fps) * jitter
    head = head + wander + noise * rng.standard_normal(head.shape)
    free = free + wander + noise * rng.standard_normal(free.shape)
    return tool_motion(tool, head, free, fps)


def random_stroke(seed: int, **fixed: float) -> Motion:
    """A stroke with everything drawn at random: rate, size, speed, direction, number of strikes, noise of 1 to 3 cm."""
    rng = np.random.default_rng([seed, 7])
    drawn = {
        "fps": float(rng.choice([24.0, 25.0, 30.0, 50.0, 60.0])),
        "amplitude": rng.uniform(0.8, 1.9),
        "speed": rng.uniform(2.0, 7.0),
        "heading": rng.uniform(-np.pi, np.pi),
        "strikes": int(rng.integers(1, 5)),
        "idle": rng.uniform(0.3, 2.0),
        "noise": rng.uniform(0.005, 0.02),
        "jitter": rng.uniform(0.01, 0.03),
        "lean": rng.normal(0, 0.1),
    }
    return hammer_stroke(seed, **(drawn | fixed))


def _points(forearm: np.ndarray, handle: np.ndarray, tool: Tool) -> tuple[np.ndarray, np.ndarray]:
    """Head and free end of the handle (T, 3) in the plane x-z about the elbow, of angles above the horizontal."""
    towards = np.stack([np.cos(handle), np.zeros_like(handle), np.sin(handle)], axis=1)
    hand = FOREARM * np.stack([np.cos(forearm), np.zeros_like(forearm), np.sin(forearm)], axis=1)
    head = hand + GRIP_TO_HEAD * towards
    return head, head - tool.length * towards


def _rotation(heading: float, lean: float) -> np.ndarray:
    c, s = np.cos(heading), np.sin(heading)
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = np.cos(lean), np.sin(lean)
    return about_z @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _correlated(rng: np.random.Generator, count: int, fps: float) -> np.ndarray:
    """Unit-variance noise (T, 3) of correlation time 0.3 s (an Ornstein-Uhlenbeck process)."""
    keep = np.exp(-1 / (0.3 * fps))
    path = [rng.standard_normal(3)]
    for _ in range(count - 1):
        path.append(keep * path[-1] + np.sqrt(1 - keep**2) * rng.standard_normal(3))
    return np.array(path)
