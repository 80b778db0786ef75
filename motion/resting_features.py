"""What a 3D motion shows of a knee that kneels or a seat that bears: as `motion.contact_features` for feet and hands.

The image has no word of its own about knees and seats, and what the hands hold does not matter: a motion with a tool in
the hands has the same features.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.contact_features import GRAVITY, SMOOTHING, TALLEST, cosine, level_across, log_speed, wandering
from motion.contact_prior import across_sight
from motion.local_derivative import differentiate
from motion.scene import Scene, clearance
from motion.skeleton import FACING, SITES
from records import Camera

KNEE = (
    "speed", "speed beside body", "rise", "strays", "strays level", "height", "faces down", "knee", "thigh upright",
    "shank upright", "over foot", "over other", "below centre", "aside of centre",
)  # fmt: skip
HIP = (
    "speed", "strays", "strays level", "height", "faces down", "hip", "thigh upright", "knee", "over foot", "over knee",
    "leg", "below centre",
)  # fmt: skip
RESTING_WHOLE = (
    "carried", "pushed", "speed of centre", "rise of centre", "height of centre", "upright", "beyond feet",
    "height of feet", "speed of feet", "hands over shoulders", "speed of hands", "height of hands",
)  # fmt: skip
"""Names of the features of a knee, of a hip and of the whole body."""

DIRECTIONS = np.array([[np.cos(a), np.sin(a), 0.0] for a in np.arange(16) * np.pi / 8])
"""Level directions in which a support is measured where there is no camera."""
FARTHEST = 0.4
"""Distances of the centre of mass from the support above this tell nothing more [statures]."""

_PARTS = ("kneecap", "seat", "knee", "hip", "ankle", "heel", "ball", "toes", "fingers", "shoulder")


class RestingFeatures(NamedTuple):
    """Features of each frame; left before right."""

    knees: Float[np.ndarray, "T 2 K"]
    hips: Float[np.ndarray, "T 2 H"]
    whole: Float[np.ndarray, "T W"]


def resting_features(
    body: Body, q: Float[np.ndarray, "T 99"], fps: float, camera: Camera | None = None, scene: Scene | None = None
) -> RestingFeatures:
    """Compute the features of each frame.

    Args:
        body: the person.
        q: configurations; the ground is at z = 0.
        fps: frame rate [1/s].
        camera: when given, speeds and level distances count across the line of sight only.
        scene: surroundings of known shape, over which heights count as over the ground.
    """
    h, names = body.height, [f"{side}_{part}" for side in "lr" for part in _PARTS]
    rate = differentiate(q, fps, SMOOTHING)
    p, J = body.site_jacobian(q, names)
    v = np.einsum("tnij,tj->tni", J, rate.v)
    R, _ = body.joint_poses(q)
    centre = body.centre_of_mass(q)
    upright = np.tile([0.0, 0, 0, 1], (len(q), 1))
    moved = differentiate(np.concatenate([centre, upright], axis=1), fps, SMOOTHING)
    v_centre, a_centre = moved.v[:, None, :3], moved.a[:, 0:3]
    pelvis, neck = np.moveaxis(body.site_positions(q, ["pelvis", "neck"]), 1, 0)
    axes = level_across(camera, p)

    def seen(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
        return vectors if camera is None else across_sight(vectors, points, camera)

    def aside(vectors: np.ndarray) -> np.ndarray:
        """Length of level parts (T, 3), across the line of sight."""
        return np.linalg.norm(vectors[:, :2], axis=1) if axes is None else np.abs((vectors * axes[:, 0]).sum(axis=1))

    def column(side: str, part: str) -> int:
        return names.index(f"{side}_{part}")

    speed = np.linalg.norm(seen(v, p), axis=-1) / h
    beside = np.linalg.norm(seen(v - v_centre, p), axis=-1) / h
    level = p[..., :2] if axes is None else (p * axes).sum(-1)[..., None]
    up_down, level = wandering(p[..., 2], fps) / h, wandering(level, fps) / h
    above = np.clip(clearance(scene, p) / h, -0.1, TALLEST)
    soles = [column(side, part) for side in "lr" for part in ("heel", "ball", "toes")]
    hands = [column(side, "fingers") for side in "lr"]
    shoulders = [column(side, "shoulder") for side in "lr"]
    beyond = beyond_support(centre, p[:, soles], None if axes is None else np.concatenate([axes, -axes], axis=1))
    trunk = neck - pelvis
    knees, hips = [], []
    for side, other in ("lr", "rl"):
        kneecap, seat, knee, hip, ankle, heel = (column(side, part) for part in _PARTS[:6])
        own = soles[:3] if side == "l" else soles[3:]
        thigh, shank, lowest = p[:, hip] - p[:, knee], p[:, knee] - p[:, ankle], p[:, own, 2].min(axis=1)
        flexed, bones = cosine(p[:, hip] - p[:, knee], p[:, ankle] - p[:, knee]), body.bones
        knees.append(
            [
                log_speed(speed[:, kneecap]),
                log_speed(beside[:, kneecap]),
                np.tanh(v[:, kneecap, 2] / h),
                np.log(0.01 + up_down[:, kneecap]),
                np.log(0.01 + level[:, kneecap]),
                above[:, kneecap],
                _down(body, R, f"{side}_kneecap"),
                flexed,
                thigh[:, 2] / bones["thigh"],
                shank[:, 2] / bones["shank"],
                np.clip((p[:, kneecap, 2] - lowest) / h, -0.3, 0.5),
                np.clip((p[:, kneecap, 2] - p[:, column(other, "kneecap"), 2]) / h, -0.4, 0.4),
                (p[:, kneecap, 2] - centre[:, 2]) / h,
                aside(p[:, kneecap] - centre) / h,
            ]
        )
        hips.append(
            [
                log_speed(speed[:, seat]),
                np.log(0.01 + up_down[:, seat]),
                np.log(0.01 + level[:, seat]),
                above[:, seat],
                _down(body, R, f"{side}_seat"),
                cosine(trunk, -thigh),
                thigh[:, 2] / bones["thigh"],
                flexed,
                np.clip((p[:, seat, 2] - p[:, heel, 2]) / h, -0.2, 0.6),
                np.clip((p[:, seat, 2] - p[:, knee, 2]) / h, -0.4, 0.4),
                np.linalg.norm(p[:, ankle] - p[:, hip], axis=1) / (bones["thigh"] + bones["shank"]),
                (p[:, seat, 2] - centre[:, 2]) / h,
            ]
        )
    whole = [
        np.tanh(0.5 * (1 + a_centre[:, 2] / GRAVITY)),
        np.tanh(0.5 * aside(a_centre) / GRAVITY),
        log_speed(np.linalg.norm(seen(v_centre, centre[:, None])[:, 0], axis=1) / h),
        np.tanh(v_centre[:, 0, 2] / h),
        np.clip(centre[:, 2] / h, 0, 1.4),
        trunk[:, 2] / np.linalg.norm(trunk, axis=1),
        np.clip(beyond / h, -FARTHEST, FARTHEST),
        above[:, soles].min(axis=1),
        log_speed(speed[:, soles].min(axis=1)),
        np.clip((p[:, hands, 2] - p[:, shoulders, 2]).max(axis=1) / h, -0.5, 0.5),
        log_speed(speed[:, hands].min(axis=1)),
        above[:, hands].min(axis=1),
    ]
    return RestingFeatures(*(np.moveaxis(np.array(part), -1, 0).astype(float) for part in (knees, hips, whole)))


def beyond_support(
    centre: Float[np.ndarray, "T 3"],
    points: Float[np.ndarray, "T N 3"],
    directions: Float[np.ndarray, "T D 3"] | None = None,
) -> Float[np.ndarray, "T"]:
    """How far a centre of mass is beyond the points that could carry it [m], on the level; negative within them.

    Args:
        centre: of mass [m].
        points: that could carry [m].
        directions: level unit vectors along which it is measured; all around by default.
    """
    lines = np.broadcast_to(DIRECTIONS, (len(centre), *DIRECTIONS.shape)) if directions is None else directions
    reach = np.einsum("tdi,tni->tdn", lines, points).max(axis=2)
    return np.asarray((np.einsum("tdi,ti->td", lines, centre) - reach).max(axis=1))


def resting_inputs(features: RestingFeatures) -> tuple[Float[np.ndarray, "T 2 N"], Float[np.ndarray, "T 2 N"]]:
    """What tells of each knee and of each hip: that of its own leg, of the other leg and of the whole body."""
    legs = np.concatenate([features.knees, features.hips], axis=2)
    both = np.stack([np.concatenate([legs[:, s], legs[:, 1 - s], features.whole], axis=1) for s in range(2)], axis=1)
    return both, both


def _down(body: Body, R: Float[np.ndarray, "T 24 3 3"], site: str) -> Float[np.ndarray, "T"]:
    """How far down a point faces: 1 straight down, -1 straight up."""
    return np.asarray(-R[:, body.joint_names.index(SITES[site].joint), 2] @ np.array(FACING[site]))
