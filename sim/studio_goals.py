"""Words that the movements of the studio are written in: goals of feet and hands, poses of arms, mirroring."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from motion.body import Body
from sim.studio_script import Beat, Goal

STANDING = 0.55
"""Height of the centre of mass of a person who stands at ease, over the stature [1]."""
HIP = 0.055
"""Half of the distance between the feet of a person who stands at ease, over the stature [1]."""


class Prop(NamedTuple):
    """A box in the studio."""

    size: tuple[float, float, float]
    """[m]."""
    middle: tuple[float, float, float]
    """[m]."""


class Act(NamedTuple):
    """Beats, and what stands there for them."""

    beats: tuple[Beat, ...]
    props: tuple[Prop, ...] = ()


Move = Callable[[np.random.Generator, Body], Act]
"""Draws a way of doing a movement; the person starts near the origin and looks along +x."""


def on(x: float, y: float, z: float = 0.0, *, pitch: float = 0.0, yaw: float = 0.0) -> Goal:
    """A foot or a hand on something."""
    return Goal((x, y, z), touch=True, pitch=pitch, yaw=yaw)


def by(x: float, y: float, z: float, *, pitch: float = 0.0) -> Goal:
    """A foot or a hand in the air, beside the body."""
    return Goal((x, y, z), loose=True, pitch=pitch)


def arms(body: Body, ahead: float, out: float, up: float) -> tuple[Goal, Goal]:
    """Both hands in the air, from the shoulders: lengths over the stature [1]."""
    h = body.height
    return by(ahead * h, out * h, up * h), by(ahead * h, -out * h, up * h)


def at_sides(body: Body) -> tuple[Goal, Goal]:
    """Arms that hang down."""
    return arms(body, 0.04, 0.15, -0.36)


def any_arms(rng: np.random.Generator, body: Body) -> tuple[Goal, Goal]:
    """Arms as people hold them: down, ahead, overhead, on the hips, out, or each of them somewhere."""
    kinds = ((0.04, 0.15, -0.36), (0.28, 0.11, -0.10), (0.05, 0.12, 0.36), (0.02, 0.17, -0.20), (0.05, 0.42, 0.05))
    chosen = [kinds[int(rng.integers(len(kinds)))]] * 2
    if rng.uniform() < 0.4:
        chosen[1] = kinds[int(rng.integers(len(kinds)))]
    spread = 0.03 * rng.standard_normal((2, 3))
    (left, _), (_, right) = (arms(body, *np.add(kind, more)) for kind, more in zip(chosen, spread, strict=True))
    return left, right


def dangling(rng: np.random.Generator, body: Body) -> tuple[Goal, Goal]:
    """Legs that hang: straight, bent back, or drawn up ahead."""
    h, kind = body.height, rng.uniform()
    if kind < 0.5:
        place, pitch = (-0.01 + 0.03 * rng.standard_normal(), 0.04, -0.60), rng.uniform(0.6, 1.2)
    elif kind < 0.85:
        place, pitch = (
            (-0.16 + 0.04 * rng.standard_normal(), 0.05, -0.47 + 0.04 * rng.standard_normal()),
            rng.uniform(1.0, 1.6),
        )
    else:
        place, pitch = (
            (0.20 + 0.05 * rng.standard_normal(), 0.05, -0.38 + 0.05 * rng.standard_normal()),
            rng.uniform(0.2, 0.8),
        )
    x, y, z = (float(value) * h for value in place)
    spread = 0.02 * h * rng.standard_normal(2)
    return by(x + spread[0], y, z, pitch=float(pitch)), by(x + spread[1], -y, z, pitch=float(pitch))


def tucked(body: Body, ahead: float, up: float, pitch: float = 0.5) -> tuple[Goal, Goal]:
    """Feet drawn up in flight, from the centre of mass: lengths over the stature [1]."""
    h = body.height
    return by(ahead * h, HIP * h, up * h, pitch=pitch), by(ahead * h, -HIP * h, up * h, pitch=pitch)


def mirrored(act: Act) -> Act:
    """The same with left and right exchanged."""

    def goal(g: Goal) -> Goal:
        return g._replace(place=(g.place[0], -g.place[1], g.place[2]), yaw=-g.yaw)

    beats = []
    for beat in act.beats:
        l_foot, r_foot, l_hand, r_hand = (goal(g) for g in beat.limbs)
        com = (beat.com[0], -beat.com[1], beat.com[2])
        limbs = (r_foot, l_foot, r_hand, l_hand)
        l_knee, r_knee, l_hip, r_hip = (rest and goal(rest) for rest in beat.rests)
        rests = (r_knee, l_knee, r_hip, l_hip)
        beats.append(Beat(beat.time, com, limbs, beat.lean, -beat.heading, -beat.tilt, rests))
    props = tuple(p._replace(middle=(p.middle[0], -p.middle[1], p.middle[2])) for p in act.props)
    return Act(tuple(beats), props)
