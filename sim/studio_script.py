"""Scripts of the studio: beats that say where body, hands, feet, knees and seat belong, and the paths in between.

What touches follows from the beats: a hand or a foot touches from the first to the last of neighbouring beats that put
it to the same place. While nothing touches, the centre of mass is thrown.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.interpolate import CubicSpline, PchipInterpolator, PPoly

from motion.body import Body
from motion.skeleton import CONTACT_SITES

GRAVITY = 9.81
"""[m/s^2]."""
LIMBS = CONTACT_SITES
"""Feet are named by the ankle, hands by the fingers."""
SHOULDERS = 0.8
"""Height of the shoulders over the centre of mass, along the trunk and over its length [1]."""
CHEST = 0.9
"""The same of the neck [1]."""
SWING = 0.25
"""How high a foot is lifted over the straight way between two places on the ground, over the length of the way [1]."""
MAX_SWING, MAX_LIFT = 0.13, 0.03
"""Bounds on it, of feet and of knees [m]."""


TO_TOES, TO_HEEL = 0.96, 0.86
"""From the middle of a sole to the toes and to the heel, over the length of the foot from ankle to ball [1]."""


class Goal(NamedTuple):
    """Where the middle of a sole, or the knuckles of a hand, are to be."""

    place: tuple[float, float, float]
    """In the world [m]; of a loose limb, from the centre of mass (feet) or the shoulders (hands): ahead, left, up."""
    touch: bool = False
    loose: bool = False
    pitch: float = 0.0
    """Of a foot: how far the heel is up [rad]."""
    yaw: float = 0.0
    """Of a foot: turned out to the left [rad]; of a loose foot, from the heading."""

    def same_place(self, other: Goal) -> bool:
        """Whether both touch, and at the same place: heels may rise in between."""
        return self.touch and other.touch and np.allclose(self.place, other.place)


class Beat(NamedTuple):
    """What is to be at a time [s]."""

    time: float
    com: tuple[float, float, float]
    """Centre of mass [m]."""
    limbs: tuple[Goal, ...]
    """In the order of `LIMBS`."""
    lean: float = 0.0
    """Of the trunk, forwards [rad]."""
    heading: float = 0.0
    """About the vertical, to the left [rad]."""
    tilt: float = 0.0
    """Of the trunk, to the left [rad]."""
    rests: tuple[Goal | None, ...] = (None, None, None, None)
    """Where knees and seat bear, in the order of `RESTING_SITES`; None: they are where they happen to be."""


class Plan(NamedTuple):
    """Paths for a body to follow."""

    com: Float[np.ndarray, "T 3"]
    """[m]."""
    frame: Float[np.ndarray, "T 3 3"]
    """Columns: ahead and left (level), and up along the trunk."""
    places: Float[np.ndarray, "T 4 3"]
    """Middles of the soles and knuckles of the hands [m]."""
    pitch: Float[np.ndarray, "T 2"]
    yaw: Float[np.ndarray, "T 2"]
    """Of the feet [rad]."""
    loose: Float[np.ndarray, "T 4"]
    """0 where a place in the world is meant, 1 where one beside the body."""
    touch: Bool[np.ndarray, "T 4"]
    rests: Float[np.ndarray, "T 4 3"]
    """Places of knees and seat [m]; NaN where none is meant."""
    resting: Bool[np.ndarray, "T 4"]
    """Where they touch."""


def planned(beats: tuple[Beat, ...], body: Body, times: Float[np.ndarray, "T"]) -> Plan:
    """Paths through all beats at some times [s]; before the first and after the last one, everything rests."""
    at = np.array([beat.time for beat in beats])
    t = np.clip(times, at[0], at[-1])
    piece = np.clip(np.searchsorted(at, t, side="right") - 1, 0, len(at) - 2)
    u = (t - at[piece]) / np.diff(at)[piece]
    held = np.array([[a.same_place(b) for a, b in zip(p.limbs, q.limbs, strict=True)] for p, q in pairwise(beats)])
    rests, bears = _rests(beats, piece, u)
    com = centre_path(beats, np.concatenate([held, bears], axis=1))(t)
    lean, heading, tilt = (
        _eased(at, [getattr(beat, name) for beat in beats], t) for name in ("lean", "heading", "tilt")
    )
    frame = _frames(heading, lean, tilt)
    zero, trunk = np.zeros_like(com), body.bones["trunk"] * frame[..., 2]
    origin = np.stack([com, com, com + SHOULDERS * trunk, com + SHOULDERS * trunk], axis=1)
    level = np.stack([frame[..., 0], frame[..., 1], np.add(zero, [0, 0, 1])], axis=-1)
    s = (u**3 * (10 - 15 * u + 6 * u**2))[:, None]
    places, loose = np.empty((len(t), 4, 3)), np.empty((len(t), 4))
    pitch, yaw = np.empty((len(t), 2)), np.empty((len(t), 2))
    for limb in range(len(LIMBS)):
        goals = [beat.limbs[limb] for beat in beats]
        is_loose = np.array([goal.loose for goal in goals], float)
        local = np.array([goal.place for goal in goals])
        ends = [
            np.where(is_loose[k][:, None] > 0, origin[:, limb] + np.einsum("tij,tj->ti", level, local[k]), local[k])
            for k in (piece, piece + 1)
        ]
        way = np.linalg.norm(ends[1] - ends[0], axis=1)
        lift = np.minimum(SWING * way, MAX_SWING) * 16 * (u * (1 - u)) ** 2 * (limb < 2)
        both_fixed = (is_loose[piece] + is_loose[piece + 1]) == 0
        places[:, limb] = (1 - s) * ends[0] + s * ends[1] + (lift * both_fixed)[:, None] * [0, 0, 1]
        loose[:, limb] = (1 - s[:, 0]) * is_loose[piece] + s[:, 0] * is_loose[piece + 1]
        if limb < 2:
            turned = np.array([goal.yaw for goal in goals])[:, None] + np.outer(is_loose, heading)
            pitch[:, limb] = _eased(at, [goal.pitch for goal in goals], t)
            rows = np.arange(len(t))
            # Nobody's toes go through the ground.
            sole = body.bones["foot"] * (
                TO_TOES * np.maximum(np.sin(pitch[:, limb]), 0) + TO_HEEL * np.maximum(-np.sin(pitch[:, limb]), 0)
            )
            places[:, limb, 2] = np.maximum(places[:, limb, 2], np.where(held[piece, limb], 0, sole))
            yaw[:, limb] = (1 - s[:, 0]) * turned[piece, rows] + s[:, 0] * turned[piece + 1, rows]
    return Plan(com, frame, places, pitch, yaw, loose, held[piece], rests, bears[piece])


def _rests(
    beats: tuple[Beat, ...], piece: np.ndarray, u: np.ndarray
) -> tuple[Float[np.ndarray, "T 4 3"], Bool[np.ndarray, "B 4"]]:
    """Places of knees and seat, and in which pieces they bear; a knee is lifted a little from place to place."""
    goals = [beat.rests for beat in beats]
    bears = np.array(
        [[bool(a and b and a.same_place(b)) for a, b in zip(p, q, strict=True)] for p, q in pairwise(goals)]
    )
    at = np.array([[(np.nan,) * 3 if goal is None else goal.place for goal in row] for row in goals])
    s = (u**3 * (10 - 15 * u + 6 * u**2))[:, None, None]
    way = np.linalg.norm(at[piece + 1] - at[piece], axis=-1)
    lift = np.minimum(SWING * way, MAX_LIFT) * (16 * (u * (1 - u)) ** 2)[:, None]
    return (1 - s) * at[piece] + s * at[piece + 1] + lift[..., None] * [0, 0, 1], bears


def centre_path(beats: tuple[Beat, ...], held: Bool[np.ndarray, "B C"]) -> PPoly:
    """Path of the centre of mass: as smooth as can be while something is held on to, a throw where nothing is."""
    at, com = np.array([beat.time for beat in beats]), np.array([beat.com for beat in beats])
    flying = np.asarray(~held.any(axis=1))
    stretches = _stretches(flying)
    down = np.array([0, 0, -0.5 * GRAVITY])
    thrown = {}
    for first, last in stretches:
        if flying[first]:
            duration = at[last] - at[first]
            v = (com[last] - com[first]) / duration - down * duration
            thrown[first], thrown[last] = v, v + 2 * duration * down
    coefficients = np.zeros((4, len(at) - 1, 3))
    for first, last in stretches:
        pieces = slice(first, last)
        since = (at[pieces] - at[first])[:, None]
        if flying[first]:
            v = thrown[first]
            coefficients[1:, pieces] = np.stack(
                [0 * since + down, v + 2 * since * down, com[first] + since * v + since**2 * down]
            )
        else:
            ends = tuple((1, thrown[k]) if k in thrown else (2, np.zeros(3)) for k in (first, last))
            coefficients[:, pieces] = CubicSpline(at[first : last + 1], com[first : last + 1], bc_type=ends).c
    return PPoly(coefficients, at)


def _stretches(flying: Bool[np.ndarray, "B"]) -> list[tuple[int, int]]:
    """First and last beat of each stretch of pieces that are alike."""
    edges = [0, *(np.flatnonzero(np.diff(flying)) + 1).tolist(), len(flying)]
    return list(pairwise(edges))


def _eased(at: np.ndarray, values: list[float], t: np.ndarray) -> np.ndarray:
    return np.asarray(PchipInterpolator(at, values)(t))


def _frames(heading: np.ndarray, lean: np.ndarray, tilt: np.ndarray) -> Float[np.ndarray, "T 3 3"]:
    """Ahead, left and the trunk's up, as columns."""
    zero = 0 * heading
    ahead = np.stack([np.cos(heading), np.sin(heading), zero], axis=1)
    left = np.stack([-np.sin(heading), np.cos(heading), zero], axis=1)
    vertical = np.stack([zero, zero, 1 + zero], axis=1)
    up = np.sin(lean)[:, None] * ahead + np.cos(lean)[:, None] * (
        np.sin(tilt)[:, None] * left + np.cos(tilt)[:, None] * vertical
    )
    return np.stack([ahead, left, up], axis=-1)
