"""Movements of the studio on a bar: hang, pull up, go over it, let go; feet dangle, often close to the ground."""

from __future__ import annotations

import numpy as np

from motion.body import Body
from sim.studio_goals import HIP, STANDING, Act, Prop, any_arms, at_sides, dangling, on
from sim.studio_moves_air import CROUCH, TIPTOE, stance
from sim.studio_script import Beat, Goal

HANG = 0.61
"""Height of a bar over the centre of mass of a person who hangs from it at full length, over the stature [1]."""
CHIN = 0.32
"""The same at the top of a pull-up."""
SUPPORT = -0.14
"""The same of a person who props on the bar with straight arms."""
CLEAR = (0.02, 0.45)
"""How far the feet of a person who hangs are above the ground [m]."""
LEGS = 0.64
"""From the centre of mass down to the toes of stretched legs, over the stature [1]."""
BAR = 0.04
"""Thickness of the bar [m]."""


def hang(rng: np.random.Generator, body: Body) -> Act:
    """Hang from a bar, pull up a few times, and perhaps let go or begin from the ground."""
    bar, hands, props = _bar(rng, body)
    beats = _mounted(rng, body, bar, hands) if rng.uniform() < 0.4 else [_hanging(rng, body, bar, hands, 0.0)]
    for _ in range(int(rng.integers(1, 4))):
        beats += _pull_up(rng, body, bar, hands, beats[-1].time)
    if rng.uniform() < 0.5:
        beats += _let_go(rng, body, bar, hands, beats[-1].time)
    return Act(tuple(beats), props)


def muscle_up(rng: np.random.Generator, body: Body) -> Act:
    """Pull up, go over the bar, and prop on it with straight arms."""
    h, (bar, hands, props) = body.height, _bar(rng, body)
    beats = _mounted(rng, body, bar, hands) if rng.uniform() < 0.3 else [_hanging(rng, body, bar, hands, 0.0)]
    for _ in range(2):
        time, legs = beats[-1].time, dangling(rng, body)
        slow = float(rng.uniform(0.7, 1.4))
        for after, x, above, lean in (
            (0.4, -0.12, HANG - 0.03, 0.0),
            (1.0, -0.15, CHIN - 0.02, -0.1),
            (1.5, -0.12, 0.10, 0.7),
            (2.1, -0.10, SUPPORT, 0.15),
            (2.1 + float(rng.uniform(0.2, 1.2)), -0.10, SUPPORT, 0.1),
        ):
            beats.append(Beat(time + after * slow, (x * h, 0, bar - above * h), (*legs, *hands), lean))
        time = beats[-1].time
        beats.append(Beat(time + 0.6 * slow, (-0.13 * h, 0, bar - 0.14 * h), (*legs, *hands), 0.6))
        beats.append(_hanging(rng, body, bar, hands, time + 1.3 * slow))
    return Act(tuple(beats), props)


def _bar(rng: np.random.Generator, body: Body) -> tuple[float, tuple[Goal, Goal], tuple[Prop, ...]]:
    """Height of the bar [m], hands on it, and the bar on its posts."""
    h = body.height
    bar = (HANG + LEGS) * h + float(rng.uniform(*CLEAR))
    half = float(rng.uniform(0.9, 1.6)) * body.bones["shoulder_half_width"]
    wide = 1.3
    posts = tuple(Prop((BAR, BAR, bar), (0.0, y, 0.5 * bar)) for y in (wide / 2, -wide / 2))
    return bar, (on(0, half, bar), on(0, -half, bar)), (*posts, Prop((BAR, wide, BAR), (0, 0, bar)))


def _hanging(rng: np.random.Generator, body: Body, bar: float, hands: tuple[Goal, Goal], time: float) -> Beat:
    h = body.height
    com = (float(0.03 * rng.standard_normal()) * h, 0.0, bar - float(HANG - rng.uniform(0, 0.02)) * h)
    return Beat(time, com, (*dangling(rng, body), *hands), float(rng.uniform(-0.05, 0.1)))


def _pull_up(rng: np.random.Generator, body: Body, bar: float, hands: tuple[Goal, Goal], time: float) -> list[Beat]:
    h, beats = body.height, []
    time += float(rng.uniform(0.2, 1.0))
    beats.append(_hanging(rng, body, bar, hands, time))
    legs = beats[-1].limbs[:2] if rng.uniform() < 0.5 else dangling(rng, body)
    time += float(rng.uniform(0.6, 1.2))
    top = (float(rng.uniform(-0.12, -0.05)) * h, 0.0, bar - float(CHIN + rng.uniform(0, 0.12)) * h)
    for pause in (0.0, float(rng.uniform(0.05, 0.4))):
        time += pause
        beats.append(Beat(time, top, (*legs, *hands), float(rng.uniform(-0.2, 0.0))))
    beats.append(_hanging(rng, body, bar, hands, time + float(rng.uniform(0.5, 1.2))))
    return beats


def _mounted(rng: np.random.Generator, body: Body, bar: float, hands: tuple[Goal, Goal]) -> list[Beat]:
    """From standing under the bar, by a jump, to hanging."""
    h, half = body.height, HIP * body.height
    feet, up = (
        stance(-0.05 * h, half),
        tuple(hand._replace(place=(0, hand.place[1], bar - 0.1), touch=False) for hand in hands),
    )
    caught = bar - (HANG - 0.02) * h
    # Thrown so that it rises to where it is caught: no faster than people jump.
    rise = max(caught - TIPTOE * h, 0.01)
    flight = float(np.sqrt(2 * rise / 9.81)) * float(rng.uniform(1.0, 1.15))
    low, tall = (0.0, 0.0, CROUCH * h), (0.0, 0.0, TIPTOE * h)
    return [
        Beat(0.0, (0, 0, STANDING * h), (*feet, *at_sides(body)), 0.05),
        Beat(0.5, low, (*feet, *at_sides(body)), 0.5),
        Beat(0.8, tall, (*(f._replace(pitch=0.9) for f in feet), *up), 0.0),
        Beat(0.8 + flight, (0, 0, caught), (*dangling(rng, body), *hands), 0.0),
        _hanging(rng, body, bar, hands, 1.2 + flight),
    ]


def _let_go(rng: np.random.Generator, body: Body, bar: float, hands: tuple[Goal, Goal], time: float) -> list[Beat]:
    """From hanging to standing."""
    h, half = body.height, HIP * body.height
    from_, to = bar - HANG * h, 0.57 * h
    flight = float(np.sqrt(2 * max(from_ - to, 0.02) / 9.81))
    time += float(rng.uniform(0.2, 0.6))
    feet, legs = stance(0.0, half), dangling(rng, body)
    open_ = tuple(hand._replace(place=(0.1, hand.place[1], bar - 0.15), touch=False) for hand in hands)
    return [
        Beat(time, (0, 0, from_), (*legs, *hands), 0.0),
        Beat(time + flight, (0, 0, to), (*feet, *open_), 0.1),
        Beat(time + flight + 0.3, (0.02 * h, 0, 0.48 * h), (*feet, *any_arms(rng, body)), 0.5),
        Beat(time + flight + 0.8, (0.02 * h, 0, STANDING * h), (*feet, *any_arms(rng, body)), 0.05),
    ]
