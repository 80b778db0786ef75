"""Movements of the studio through the air and onto a box: jumps, drops, steps up and down."""

from __future__ import annotations

import numpy as np

from motion.body import Body
from sim.studio_goals import HIP, STANDING, Act, Prop, any_arms, arms, at_sides, on, tucked
from sim.studio_script import Beat, Goal

CROUCH = 0.43
"""Height of the centre of mass at the lowest, when jumping and landing, over the stature [1]."""
TIPTOE = 0.605
"""The same when the feet leave the ground."""


def stance(x: float, half: float, z: float = 0.0, pitch: float = 0.0) -> tuple[Goal, Goal]:
    """Both feet side by side."""
    return on(x, half, z, pitch=pitch), on(x, -half, z, pitch=pitch)


def leap(
    rng: np.random.Generator,
    body: Body,
    time: float,
    start: tuple[float, float],
    end: tuple[float, float],
    flight: float,
) -> list[Beat]:
    """Crouch, jump, land and come to stand: between places and heights [m], in a time of flight [s]."""
    h, half = body.height, float(rng.uniform(0.8, 1.5)) * HIP * body.height
    (x0, z0), (x1, z1) = start, end
    push, absorb = float(rng.uniform(0.22, 0.32)), float(rng.uniform(0.25, 0.4))
    up = arms(body, 0.15, 0.14, 0.25) if rng.uniform() < 0.6 else at_sides(body)
    low = arms(body, -0.15, 0.16, -0.28)
    ahead = 0.25 * (x1 - x0)
    crouched = (x0 + 0.03 * h, 0.0, z0 + CROUCH * h)
    air = tucked(body, 0.02 + float(rng.uniform(0, 0.1)), float(rng.uniform(-0.58, -0.40)), 0.7)
    left, landed = (x0 + ahead * 0.5, 0.0, z0 + TIPTOE * h), (x1 - 0.03 * h, 0.0, z1 + 0.555 * h)
    beats = [
        Beat(time + 0.35, crouched, (*stance(x0, half, z0), *low), 0.7),
        Beat(time + 0.35 + push, left, (*stance(x0, half, z0, pitch=0.9), *up), 0.1),
        Beat(time + 0.35 + push + 0.5 * flight, left, (*air, *up), 0.1),
        Beat(time + 0.35 + push + flight, landed, (*stance(x1, half, z1), *up), 0.25),
    ]
    time = beats[-1].time + absorb
    beats.append(
        Beat(time, (x1 + 0.03 * h, 0, z1 + (CROUCH - 0.02) * h), (*stance(x1, half, z1), *at_sides(body)), 0.7)
    )
    time += float(rng.uniform(0.35, 0.6))
    beats.append(Beat(time, (x1 + 0.02 * h, 0, z1 + STANDING * h), (*stance(x1, half, z1), *any_arms(rng, body)), 0.05))
    return beats


def jump(rng: np.random.Generator, body: Body) -> Act:
    """Jump on the spot and forwards."""
    h = body.height
    half = HIP * h
    beats = [Beat(0.0, (0.02 * h, 0, STANDING * h), (*stance(0, half), *at_sides(body)), 0.05)]
    for _ in range(3):
        further = float(rng.uniform(0, 0.5)) * h * (rng.uniform() < 0.6)
        flight = float(rng.uniform(0.28, 0.5))
        start = beats[-1]
        x0 = start.limbs[0].place[0]
        # Feet of the next jump stand where those of the last one landed.
        more = leap(rng, body, start.time + float(rng.uniform(0, 0.3)), (x0, 0), (x0 + further, 0), flight)
        width = abs(start.limbs[0].place[1])
        more[0] = more[0]._replace(limbs=(*stance(x0, width), *more[0].limbs[2:]))
        more[1] = more[1]._replace(limbs=(*stance(x0, width, pitch=0.9), *more[1].limbs[2:]))
        beats += more
    return Act(tuple(beats))


def drop(rng: np.random.Generator, body: Body) -> Act:
    """Jump down from a box."""
    h, high = body.height, float(rng.uniform(0.2, 0.55))
    x1 = float(rng.uniform(0.22, 0.4)) * h
    half = HIP * h
    beats = [
        Beat(0.0, (0.02 * h, 0, high + STANDING * h), (*stance(0, half, high), *any_arms(rng, body)), 0.05),
        Beat(0.7, (0.02 * h, 0, high + STANDING * h), (*stance(0, half, high), *at_sides(body)), 0.05),
    ]
    # Time to fall from the tip of the toes to the ground, after a small hop.
    fall = float(np.sqrt(2 * (high + 0.05 * h) / 9.81)) + float(rng.uniform(0.02, 0.12))
    more = leap(rng, body, 0.7, (0, high), (x1, 0), fall)
    more[0] = more[0]._replace(limbs=(*stance(0, half, high), *more[0].limbs[2:]))
    more[1] = more[1]._replace(limbs=(*stance(0, half, high, pitch=0.9), *more[1].limbs[2:]))
    return Act((*beats, *more), (Prop((0.5, 0.6, high), (-0.08, 0, 0.5 * high)),))


def box(rng: np.random.Generator, body: Body) -> Act:
    """Step onto a box and down again on its other side."""
    h, high = body.height, float(rng.uniform(0.15, 0.45))
    half, deep = HIP * h, float(rng.uniform(0.4, 0.55))
    near, far = -0.35 * h, deep + 0.28 * h
    top = 0.5 * deep
    period = float(rng.uniform(0.5, 0.75))
    hands = at_sides(body)

    def beat(n: float, x: float, y: float, z: float, left: Goal, right: Goal, lean: float = 0.15) -> Beat:
        return Beat(n * period, (x, y, z), (left, right, *hands), lean)

    l0, r0, l1, r1 = on(near, half), on(near, -half), on(top, half, high), on(top, -half, high)
    l2, r2 = on(far, half), on(far, -half)
    stood, bent = STANDING * h, 0.52 * h
    beats = (
        beat(0, near, 0, stood, l0, r0),
        beat(0.7, near, -0.8 * half, stood, l0, r0),
        beat(1.7, near + 0.1 * h, 0, bent, l1, r0, 0.35),
        beat(2.3, 0.6 * near + 0.5 * top, 0.5 * half, high + 0.42 * h, l1, r0._replace(pitch=0.9), 0.5),
        beat(3.3, top, 0, high + stood, l1, r1),
        beat(4.0, top, 0.8 * half, high + stood, l1, r1),
        beat(5.0, 0.5 * (top + far), 0.4 * half, 0.5 * high + 0.53 * h, l1._replace(pitch=0.7), r2, 0.2),
        beat(5.4, far - 0.12 * h, -0.4 * half, bent, l1._replace(pitch=1.0), r2, 0.2),
        beat(6.3, far, 0, stood, l2, r2, 0.1),
        beat(7.3, far, 0, stood, l2, r2, 0.05),
    )
    return Act(beats, (Prop((deep, 0.7, high), (top, 0, 0.5 * high)),))
