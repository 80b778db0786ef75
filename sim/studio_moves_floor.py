"""Movements of the studio on the floor: standing about, walking, running, squatting, leaning on something."""

from __future__ import annotations

import numpy as np

from motion.body import Body
from sim.studio_goals import HIP, STANDING, Act, Prop, any_arms, arms, at_sides, by, on
from sim.studio_script import Beat, Goal


def stand(rng: np.random.Generator, body: Body) -> Act:
    """Stand, shift the weight, move the arms, and lift a foot now and then."""
    h, time, beats = body.height, 0.0, []
    half = float(rng.uniform(0.8, 1.8)) * HIP * h
    feet = [on(float(0.03 * rng.standard_normal()), y, yaw=0.15 * np.sign(y)) for y in (half, -half)]
    for _ in range(12):
        shift, lifted = float(rng.uniform(-0.7, 0.7)) * half, rng.uniform() < 0.25
        stood = list(feet)
        if lifted:
            side = int(rng.integers(2))
            shift = (-0.85 if side == 0 else 0.85) * half
            y = (half if side == 0 else -half) - shift
            stood[side] = by(float(rng.uniform(-0.1, 0.15)) * h, y, float(rng.uniform(-0.50, -0.35)) * h, pitch=0.4)
        com = (float(rng.uniform(0.0, 0.03)) * h, shift, float(STANDING - rng.uniform(0, 0.02)) * h)
        lean, tilt = float(rng.uniform(-0.05, 0.2)), float(rng.uniform(-0.08, 0.08))
        beats.append(Beat(time, com, (*stood, *any_arms(rng, body)), lean, float(rng.uniform(-0.3, 0.3)), tilt))
        time += float(rng.uniform(0.4, 1.0))
        if lifted:
            beats.append(beats[-1]._replace(time=time))
            time += float(rng.uniform(0.35, 0.6))
    return Act(tuple(beats))


def walk(rng: np.random.Generator, body: Body) -> Act:
    """Walk: each foot stands until the other one has."""
    h, time = body.height, 0.0
    step, period = float(rng.uniform(0.30, 0.46)) * h, float(rng.uniform(0.45, 0.65))
    both, width = float(rng.uniform(0.2, 0.3)) * period, float(rng.uniform(0.4, 0.9)) * HIP * h
    lean, lag = float(rng.uniform(0.0, 0.1)), float(rng.uniform(0.05, 0.2)) * h
    ball = [on(0.0, width), on(-step, -width)]
    beats = []
    for n in range(9):
        ahead, behind = n % 2, 1 - n % 2
        y = 0.3 * (width if ahead == 0 else -width)
        hands = _swung(body, lag, ahead)
        middle = ball[ahead].place[0] - 0.5 * step
        feet = _both(ball[ahead], ball[behind]._replace(pitch=0.5), ahead)
        beats.append(Beat(time, (middle, 0.0, 0.985 * STANDING * h), (*feet, *hands), lean))
        feet = _both(ball[ahead], ball[behind]._replace(pitch=0.9), ahead)
        com = (middle + step * both / period, y, STANDING * h)
        beats.append(Beat(time + both, com, (*feet, *hands), lean))
        time += period
        ball[behind] = on(ball[ahead].place[0] + step, ball[behind].place[1])
    return Act(tuple(beats))


def run(rng: np.random.Generator, body: Body) -> Act:
    """Run: one foot at a time, and none in between."""
    h, time, x = body.height, 0.0, 0.0
    speed, stance, flight = (
        float(rng.uniform(1.3, 2.2)) * h,
        float(rng.uniform(0.2, 0.28)),
        float(rng.uniform(0.05, 0.12)),
    )
    width, lag = 0.4 * HIP * h, float(rng.uniform(0.12, 0.25)) * h
    beats = []
    for n in range(12):
        foot, y = n % 2, width if n % 2 == 0 else -width
        ball = on(x + 0.5 * speed * stance + 0.03 * h, y)
        free = by(-0.20 * h, -y, -0.36 * h, pitch=1.2)
        ahead = by(0.10 * h, -y, -0.42 * h, pitch=0.2)
        hands = _swung(body, lag, foot)
        for share, pitch, other in ((0.0, 0.0, free), (0.5, 0.1, by(0, -y, -0.38 * h, pitch=0.9)), (1.0, 0.9, ahead)):
            low = 0.965 if share == 0.5 else 1.0
            com = (x + share * speed * stance, 0.5 * y, low * STANDING * h)
            feet = _both(ball._replace(pitch=pitch), other, foot)
            beats.append(Beat(time + share * stance, com, (*feet, *hands), 0.15))
        x += speed * (stance + flight)
        time += stance + flight
    return Act(tuple(beats))


def squat(rng: np.random.Generator, body: Body) -> Act:
    """Go down and come up again, with the hands where they like to be."""
    h, time, beats = body.height, 0.0, []
    half = float(rng.uniform(1.2, 2.4)) * HIP * h
    feet = (on(0, half, yaw=0.3), on(0, -half, yaw=-0.3))
    hands = any_arms(rng, body)
    for _ in range(4):
        depth, lean = float(rng.uniform(0.15, 0.26)), float(rng.uniform(0.5, 0.9))
        down = (0.03 * h, 0.0, (STANDING - depth) * h)
        up = (0.02 * h, float(rng.uniform(-0.2, 0.2)) * half, STANDING * h)
        reached = arms(body, 0.28, 0.11, -0.1) if rng.uniform() < 0.6 else hands
        beats.append(Beat(time, up, (*feet, *hands), 0.05))
        time += float(rng.uniform(0.6, 1.2))
        for pause in (0.0, float(rng.uniform(0.05, 0.5))):
            time += pause
            beats.append(Beat(time, down, (*feet, *reached), lean))
        time += float(rng.uniform(0.5, 1.1))
    return Act((*beats, Beat(time, (0.02 * h, 0, STANDING * h), (*feet, *hands), 0.05)))


def lean(rng: np.random.Generator, body: Body) -> Act:
    """Put one hand or both on a table or against a wall, lean on them, and stand up again."""
    h, time, beats = body.height, 0.0, []
    half, high = float(rng.uniform(0.8, 1.6)) * HIP * h, float(rng.uniform(0.45, 0.85)) * h
    far = float(rng.uniform(0.18, 0.28) if high < 0.6 * h else rng.uniform(0.30, 0.40)) * h
    feet = (on(0, half), on(float(rng.uniform(-0.1, 0.1)) * h, -half))
    place = (on(far, 0.12 * h, high), on(far, -0.12 * h, high))
    free = at_sides(body)
    used = [(True, True), (True, False), (False, True)][int(rng.integers(3))]
    for _ in range(4):
        hands = tuple(p if u else f for p, f, u in zip(place, free, used, strict=True))
        upright = (0.02 * h, 0.0, STANDING * h)
        beats.append(Beat(time, upright, (*feet, *free), 0.05))
        time += float(rng.uniform(0.3, 0.9))
        beats.append(Beat(time, upright, (*feet, *free), 0.05))
        time += float(rng.uniform(0.4, 0.7))
        bent = float(rng.uniform(0.25, 0.6)) if high < 0.6 * h else float(rng.uniform(0.1, 0.3))
        beats.append(Beat(time, (0.05 * h, 0.0, 0.985 * STANDING * h), (*feet, *hands), bent))
        for _ in range(int(rng.integers(1, 4))):
            time += float(rng.uniform(0.4, 0.8))
            com = (float(rng.uniform(0.03, 0.09)) * h, float(rng.uniform(-0.3, 0.3)) * half, 0.98 * STANDING * h)
            beats.append(Beat(time, com, (*feet, *hands), bent + float(rng.uniform(-0.1, 0.15))))
        time += float(rng.uniform(0.4, 0.7))
    prop = Prop((0.3, 0.5 * h, high - 0.02), (far + 0.12, 0.0, 0.5 * high - 0.01))
    return Act(tuple(beats), (prop,))


def _both(first: Goal, second: Goal, foot: int) -> tuple[Goal, Goal]:
    """Goals of left and right, of which `foot` has the first."""
    return (first, second) if foot == 0 else (second, first)


def _swung(body: Body, reach: float, foot: int) -> tuple[Goal, Goal]:
    """Arms that swing against the legs: `foot` is ahead."""
    left, right = at_sides(body)
    ahead, back = (x * reach for x in (1.0, -1.0))

    def moved(goal: Goal, x: float) -> Goal:
        return goal._replace(place=(goal.place[0] + x, goal.place[1], goal.place[2] + 0.3 * abs(x)))

    return (moved(left, back), moved(right, ahead)) if foot == 0 else (moved(left, ahead), moved(right, back))
