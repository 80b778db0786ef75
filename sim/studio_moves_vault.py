"""Movements of the studio over an obstacle: kong vault, safety vault and speed vault, with a run before and after."""

from __future__ import annotations

import numpy as np

from motion.body import Body
from sim.studio_goals import HIP, STANDING, Act, Prop, arms, at_sides, by, on, tucked
from sim.studio_moves_air import stance
from sim.studio_script import Beat, Goal

HEIGHT = (0.36, 0.50)
"""Height of the obstacle over the stature [1]."""


def kong(rng: np.random.Generator, body: Body) -> Act:
    """Dive over the obstacle with both hands on it, feet drawn through between the arms."""
    h, high = body.height, float(rng.uniform(*HEIGHT)) * body.height
    speed, deep = float(rng.uniform(1.2, 1.8)) * h, float(rng.uniform(0.10, 0.5))
    off, first, on_for, second = _draw(rng, (0.22, 0.28), (0.12, 0.20), (0.20, 0.28), (0.18, 0.26))
    x1 = -0.22 * h
    left = x1 - 0.9 * speed * first
    beats, time = _approach(rng, body, left - 0.9 * speed * off, speed, together=rng.uniform() < 0.5)
    hands = on(0.06, 0.13 * h, high), on(0.06, -0.13 * h, high)
    time += off
    feet = tuple(
        goal._replace(pitch=0.9) if goal.touch else by(0.0, goal.place[1], -0.42 * h, pitch=1.0)
        for goal in beats[-1].limbs[:2]
    )
    beats.append(Beat(time, (left, 0, 0.60 * h), (*feet, *arms(body, 0.30, 0.12, -0.05)), 0.6))
    time += first
    beats.append(Beat(time, (x1, 0, high + 0.22 * h), (*tucked(body, -0.32, -0.22, 1.4), *hands), 1.15))
    x2 = x1 + 0.75 * speed * on_for
    middle = (0.5 * (x1 + x2), 0, high + 0.205 * h)
    beats.append(Beat(time + 0.5 * on_for, middle, (*tucked(body, -0.10, -0.27, 0.9), *hands), 1.0))
    time += on_for
    beats.append(Beat(time, (x2, 0, high + 0.20 * h), (*tucked(body, 0.08, -0.30, 0.3), *hands), 0.8))
    beats += _landing(rng, body, time, x2, speed, second, arms(body, 0.05, 0.16, -0.30))
    return Act(tuple(beats), (_obstacle(deep, high),))


def safety(rng: np.random.Generator, body: Body) -> Act:
    """Step over: the left hand and the right foot on the obstacle, the left leg goes through between them."""
    h, high = body.height, float(rng.uniform(0.30, 0.42)) * body.height
    speed, deep = float(rng.uniform(0.8, 1.2)) * h, float(rng.uniform(0.10, 0.4))
    push, rise, over, drop, flight = _draw(rng, (0.28, 0.38), (0.16, 0.22), (0.14, 0.22), (0.12, 0.18), (0.16, 0.26))
    beats, time = _approach(rng, body, -0.22 * h - 0.8 * speed * push, speed, together=False)
    hand, foot, free = on(0.03, 0.20 * h, high), on(0.08, -0.10 * h, high), by(0.10 * h, -0.20 * h, -0.18 * h)
    stood, top = beats[-1].limbs[0]._replace(pitch=0.9), high + 0.32 * h
    steps = (
        (push, -0.22, 0.60 * h, stood, by(0.15 * h, -0.1 * h, -0.28 * h, pitch=0.2), 0.45),
        (rise, -0.06, top - 0.01 * h, by(-0.15 * h, 0.05 * h, -0.35 * h, pitch=1.0), foot, 0.5),
        (over, 0.07, top, by(0.12 * h, 0.04 * h, -0.25 * h, pitch=0.3), foot, 0.4),
        (drop, 0.20, top - 0.01 * h, by(0.16 * h, 0.04 * h, -0.42 * h, pitch=0.3), foot._replace(pitch=0.8), 0.25),
    )
    for after, x, z, left, right, lean in steps:
        time += after
        beats.append(Beat(time, (x * h, 0.02, z), (left, right, hand, free), lean))
    beats += _landing(rng, body, time, 0.20 * h, speed, flight, at_sides(body))
    return Act(tuple(beats), (_obstacle(deep, high),))


def speed_vault(rng: np.random.Generator, body: Body) -> Act:
    """Jump, and pass both legs sideways over the obstacle, with one hand on it."""
    h, high = body.height, float(rng.uniform(0.36, 0.48)) * body.height
    speed, deep = float(rng.uniform(1.1, 1.7)) * h, float(rng.uniform(0.10, 0.3))
    off, first, on_for, second = _draw(rng, (0.22, 0.28), (0.12, 0.18), (0.18, 0.28), (0.14, 0.22))
    x1 = -0.16 * h
    left = x1 - 0.9 * speed * first
    beats, time = _approach(rng, body, left - 0.9 * speed * off, speed, together=False)
    hand, free = on(0.05, 0.22 * h, high), by(0.12 * h, -0.25 * h, -0.10 * h)
    time += off
    stood, top = beats[-1].limbs[0]._replace(pitch=0.9), max(high + 0.20 * h, 0.60 * h)
    reach = by(0.25 * h, 0.15 * h, -0.15 * h)
    beats.append(
        Beat(time, (left, 0, 0.60 * h), (stood, by(0.05 * h, -0.25 * h, -0.28 * h, pitch=0.5), reach, free), 0.35)
    )
    time += first
    legs = by(0.0, -0.30 * h, -0.16 * h, pitch=0.8), by(0.05 * h, -0.38 * h, -0.10 * h, pitch=0.8)
    beats.append(Beat(time, (x1, 0, top), (*legs, hand, free), 0.45, 0.0, 0.5))
    x2 = x1 + 0.8 * speed * on_for
    time += on_for
    legs = by(0.15 * h, -0.20 * h, -0.28 * h, pitch=0.5), by(0.18 * h, -0.25 * h, -0.25 * h, pitch=0.5)
    beats.append(Beat(time, (x2, 0, top - 0.01 * h), (*legs, hand, free), 0.3, 0.0, 0.35))
    beats += _landing(rng, body, time, x2, speed, second, at_sides(body))
    return Act(tuple(beats), (_obstacle(deep, high),))


def _draw(rng: np.random.Generator, *bounds: tuple[float, float]) -> list[float]:
    """A number between each pair of bounds."""
    return [float(rng.uniform(*pair)) for pair in bounds]


def _obstacle(deep: float, high: float) -> Prop:
    return Prop((deep, 1.4, high - 0.02), (0.5 * deep, 0.0, 0.5 * high - 0.01))


def _approach(
    rng: np.random.Generator, body: Body, x0: float, speed: float, *, together: bool
) -> tuple[list[Beat], float]:
    """Steps towards the obstacle; the last one lands on the left foot, or on both, at `x0` [m]."""
    h, steps = body.height, int(rng.integers(1, 4))
    stance_time, flight = 0.20, 0.06
    width = 0.4 * HIP * h
    beats, time = [], 0.0
    for n in range(steps, 0, -1):
        x = x0 - n * speed * (stance_time + flight)
        foot = n % 2
        y = width if foot == 0 else -width
        ball = on(x + 0.5 * speed * stance_time, y)
        for share, pitch in ((0.0, 0.0), (1.0, 0.9)):
            free = by((-0.18 + 0.28 * share) * h, -y, -0.38 * h, pitch=1.0 - 0.8 * share)
            feet = (ball._replace(pitch=pitch), free) if foot == 0 else (free, ball._replace(pitch=pitch))
            com = (x + share * speed * stance_time, 0.3 * y, STANDING * h)
            beats.append(Beat(time + share * stance_time, com, (*feet, *_pumping(body, foot)), 0.2))
        time += stance_time + flight
    half = HIP * h
    place = x0 + 0.11 * h
    feet = stance(place, half) if together else (on(place, width), by(-0.15 * h, -width, -0.34 * h, pitch=1.1))
    beats.append(Beat(time, (x0, 0, 0.53 * h), (*feet, *arms(body, 0.0, 0.18, -0.25)), 0.35))
    return beats, time


def _pumping(body: Body, foot: int) -> tuple[Goal, Goal]:
    h = body.height
    ahead, back = 0.20 * h, -0.14 * h
    left, right = (back, ahead) if foot == 0 else (ahead, back)
    return by(left, 0.14 * h, -0.27 * h), by(right, -0.14 * h, -0.27 * h)


def _landing(
    rng: np.random.Generator, body: Body, time: float, x: float, speed: float, flight: float, hands: tuple[Goal, Goal]
) -> list[Beat]:
    """Land on one foot or on both, and run on or stop."""
    h, one = body.height, rng.uniform() < 0.6
    width = 0.5 * HIP * h
    time += flight
    x += 0.8 * speed * flight
    ball = on(x + 0.06 * h, -width)
    first = (by(-0.12 * h, width, -0.36 * h, pitch=0.9), ball) if one else stance(x + 0.06 * h, HIP * h)
    beats = [Beat(time, (x, 0, 0.555 * h), (*first, *hands), 0.25)]
    if not one:
        time += 0.28
        beats.append(Beat(time, (x + 0.10 * h, 0, 0.42 * h), (*first, *hands), 0.6))
        return [*beats, Beat(time + 0.5, (x + 0.08 * h, 0, STANDING * h), (*first, *at_sides(body)), 0.1)]
    time += 0.18
    beats.append(
        Beat(time, (x + 0.5 * speed * 0.18, 0, 0.46 * h), (by(0, width, -0.34 * h, pitch=0.8), ball, *hands), 0.35)
    )
    time += 0.20
    x += 0.6 * speed * 0.38
    ahead = on(x + 0.22 * h, width)
    beats.append(Beat(time, (x, 0, 0.55 * h), (by(0.15 * h, width, -0.42 * h), ball._replace(pitch=0.8), *hands), 0.2))
    time += 0.08
    beats.append(
        Beat(
            time,
            (x + 0.6 * speed * 0.08, 0, 0.54 * h),
            (ahead, by(-0.18 * h, -width, -0.36 * h, pitch=1.0), *hands),
            0.15,
        )
    )
    time += 0.4
    still = on(x + 0.22 * h, -width)
    beats.append(Beat(time, (x + 0.20 * h, 0, STANDING * h), (ahead, still, *at_sides(body)), 0.1))
    return [*beats, Beat(time + 0.4, (x + 0.20 * h, 0, STANDING * h), (ahead, still, *at_sides(body)), 0.05)]
