"""Movements of the studio close to the ground: kneeling, crawling, sitting on the ground and on a box, and rising."""

from __future__ import annotations

import numpy as np

from motion.body import Body
from sim.studio_goals import HIP, STANDING, Act, Prop, any_arms, arms, at_sides, on
from sim.studio_script import Beat, Goal

Rests = tuple[Goal | None, ...]

SHANK = 0.28
"""From the ball of a foot that stands on its toes to the kneecap ahead of it, both on the ground, over the stature."""
INSTEP, TOES = 2.7, 1.45
"""Pitch of a foot that lies on its instep, and of one whose toes are tucked under, behind a knee that kneels [rad]."""
ON_INSTEP = 0.02
"""Height of the sole's middle above the ground, of a foot on its instep, over the stature [1]."""
KNEELING, ON_HEELS, ON_FOURS, SEATED = 0.32, 0.22, 0.32, 0.14
"""Height of the centre of mass: upright on knees, sitting on the heels, on hands and knees; and over the seat [1]."""


def kneel(rng: np.random.Generator, body: Body) -> Act:
    """Go down on one knee, perhaps on both, do something with the arms, and rise the same way."""
    h, half = body.height, float(rng.uniform(0.9, 1.4)) * HIP * body.height
    back = -float(rng.uniform(0.42, 0.50)) * h
    knee_x = back + 0.037 * h + SHANK * h
    front, rear = on(0, half), on(back, -half, pitch=TOES)
    r_knee, l_knee = on(knee_x, -half), on(knee_x, half)
    hands, both = at_sides(body), rng.uniform() < 0.6
    stood = Beat(0.0, (0.02 * h, 0, STANDING * h), (front, on(0, -half), *hands), 0.05)
    stepped = Beat(
        float(rng.uniform(0.3, 0.6)), (-0.12 * h, 0, 0.49 * h), (front, rear._replace(pitch=0.9), *hands), 0.15
    )
    down = float(rng.uniform(0.5, 0.9))
    half_kneel = Beat(
        stepped.time + down,
        (knee_x + 0.06 * h, -0.2 * half, (KNEELING - 0.005) * h),
        (front, rear, *hands),
        0.1,
        rests=(None, r_knee, None, None),
    )
    way = [stood, stepped, half_kneel]
    if both:
        other = on(back, half, pitch=TOES)
        way.append(
            Beat(
                half_kneel.time + float(rng.uniform(0.5, 0.8)),
                (knee_x - 0.03 * h, 0, KNEELING * h),
                (other, rear, *hands),
                0.1,
                rests=(l_knee, r_knee, None, None),
            )
        )
    low, beats = way[-1], list(way)
    time, on_heels = low.time, both and rng.uniform() < 0.3
    for _ in range(int(rng.integers(2, 5))):
        time += float(rng.uniform(0.4, 0.9))
        x, y, z = low.com
        sway = float(rng.uniform(-0.03, 0.03)) * h
        com = (knee_x - 0.15 * h + sway, 0.0, ON_HEELS * h) if on_heels else (x + sway, y, z)
        lean = float(rng.uniform(0.0, 0.4))
        beats.append(low._replace(time=time, com=com, limbs=(*low.limbs[:2], *any_arms(rng, body)), lean=lean))
    return Act(_and_back(beats, way, rng))


def crawl(rng: np.random.Generator, body: Body) -> Act:
    """Crawl on hands and knees: a hand and the knee across from it at a time; pauses."""
    h, half = body.height, float(rng.uniform(0.9, 1.5)) * HIP * body.height
    step, reach = float(rng.uniform(0.10, 0.2)) * h, float(rng.uniform(0.28, 0.36)) * h
    period, wide = float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.9, 1.4)) * 0.11 * h
    x_knee, x_hand = [0.0, step / 2], [reach + step / 2, reach]
    beats, time = [], 0.0
    for n in range(9):
        feet = tuple(
            on(x - (SHANK + 0.03) * h, y, ON_INSTEP * h, pitch=INSTEP)
            for x, y in zip(x_knee, (half, -half), strict=True)
        )
        hands = tuple(on(x, y) for x, y in zip(x_hand, (wide, -wide), strict=True))
        knees = (on(x_knee[0], half), on(x_knee[1], -half), None, None)
        com = (float(np.mean(x_knee)) + 0.45 * reach, 0.0, ON_FOURS * h)
        lean = float(rng.uniform(1.25, 1.4))
        for pause in (0.0, float(rng.uniform(0.05, 0.4))):
            time += pause
            beats.append(Beat(time, com, (*feet, *hands), lean, rests=knees))
        time += period
        moving = n % 2
        x_knee[moving] += step
        x_hand[1 - moving] += step
    return Act(tuple(beats))


def sit_down(rng: np.random.Generator, body: Body) -> Act:
    """Squat, reach back to the ground, sit, and rise the same way."""
    h, half = body.height, float(rng.uniform(1.0, 2.0)) * HIP * body.height
    seat_x = -float(rng.uniform(0.30, 0.42)) * h
    feet = (on(0, half, yaw=0.2), on(0, -half, yaw=-0.2))
    palms = (on(seat_x - 0.10 * h, 0.16 * h), on(seat_x - 0.10 * h, -0.16 * h))
    ahead = arms(body, 0.25, 0.11, -0.15)
    slow = float(rng.uniform(0.8, 1.4))
    seat = _seat(body, seat_x, 0.0)
    sat = (seat_x + 0.05 * h, 0.0, 0.20 * h)
    way = [
        Beat(0.0, (0.02 * h, 0, STANDING * h), (*feet, *at_sides(body)), 0.05),
        Beat(0.8 * slow, (0.0, 0, 0.32 * h), (*feet, *ahead), 0.8),
        Beat(1.4 * slow, (0.6 * seat_x, 0, 0.27 * h), (*feet, *palms), 0.3, rests=_above(seat, 0.06 * h)),
        Beat(2.0 * slow, sat, (*feet, *palms), 0.0, rests=seat),
    ]
    beats, time = list(way), way[-1].time
    for _ in range(int(rng.integers(2, 5))):
        time += float(rng.uniform(0.4, 0.9))
        propped = rng.uniform() < 0.35
        lean = float(rng.uniform(-0.4, -0.1)) if propped else float(rng.uniform(-0.15, 0.35))
        com = (sat[0] + 0.10 * lean * h, 0.0, sat[2])
        hands = palms if propped else any_arms(rng, body)
        beats.append(Beat(time, com, (*feet, *hands), lean, rests=seat))
    beats.append(way[-1]._replace(time=time + float(rng.uniform(0.4, 0.7))))
    return Act(_and_back(beats, way, rng))


def sit_box(rng: np.random.Generator, body: Body) -> Act:
    """Sit down on a box, sit, and rise."""
    h, half = body.height, float(rng.uniform(0.9, 1.8)) * HIP * body.height
    high, seat_x = float(rng.uniform(0.17, 0.32)) * h, -float(rng.uniform(0.20, 0.28)) * h
    feet = (on(float(rng.uniform(-0.05, 0.05)) * h, half, yaw=0.1), on(0, -half, yaw=-0.1))
    seat = _seat(body, seat_x, high)
    sat = (seat_x + 0.06 * h, 0.0, high + SEATED * h)
    slow = float(rng.uniform(0.8, 1.5))
    hands = arms(body, 0.18, 0.12, -0.22)
    way = [
        Beat(0.0, (0.02 * h, 0, STANDING * h), (*feet, *at_sides(body)), 0.05),
        Beat(
            0.5 * slow,
            (-0.02 * h, 0, 0.5 * (STANDING * h + sat[2])),
            (*feet, *hands),
            0.6,
            rests=_above(seat, 0.15 * h),
        ),
        Beat(0.9 * slow, (sat[0] + 0.03 * h, 0, sat[2] + 0.005 * h), (*feet, *hands), 0.55, rests=seat),
        Beat(1.5 * slow, sat, (*feet, *hands), 0.1, rests=seat),
    ]
    beats, time = list(way), way[-1].time
    for _ in range(int(rng.integers(2, 5))):
        time += float(rng.uniform(0.4, 0.9))
        lean = float(rng.uniform(-0.2, 0.5))
        com = (sat[0] + 0.12 * lean * h, 0.0, sat[2] - 0.02 * abs(lean) * h)
        tilt, heading = float(rng.uniform(-0.08, 0.08)), float(rng.uniform(-0.2, 0.2))
        beats.append(Beat(time, com, (*feet, *any_arms(rng, body)), lean, heading, tilt, rests=seat))
    beats.append(way[-1]._replace(time=time + float(rng.uniform(0.4, 0.7))))
    prop = Prop((0.42, 0.6, high), (seat_x - 0.06, 0.0, 0.5 * high))
    return Act(_and_back(beats, way, rng), (prop,))


def _seat(body: Body, x: float, z: float) -> Rests:
    """Both halves of the seat on something at a height [m]."""
    y = body.bones["hip_half_width"]
    return None, None, on(x, y, z), on(x, -y, z)


def _above(rests: Rests, height: float) -> Rests:
    """The same places, not yet touched, that much higher [m] and as much further ahead."""

    def raised(goal: Goal) -> Goal:
        x, y, z = goal.place
        return goal._replace(place=(x + height, y, z + height), touch=False)

    return tuple(goal and raised(goal) for goal in rests)


def _and_back(beats: list[Beat], way: list[Beat], rng: np.random.Generator) -> tuple[Beat, ...]:
    """Beats, then the way that they began with in reverse."""
    last, quick = beats[-1].time, float(rng.uniform(0.8, 1.2))
    first = way[-1].time
    pause = float(rng.uniform(0.2, 0.5))
    reversed_ = [beat._replace(time=last + pause + (first - beat.time) * quick) for beat in reversed(way)]
    if beats[-1].limbs == reversed_[0].limbs and beats[-1].com == reversed_[0].com:
        reversed_[0] = reversed_[0]._replace(time=last + pause)
    return (*beats, *reversed_)
