"""What a 3D motion shows of a hand or a foot that touches, as numbers that do not depend on size, side or frame rate.

Lengths are over the stature, speeds over the stature per second; all of them are the same for a mirrored motion with
left and right exchanged. Along the line of sight a motion from one video is uncertain: where there is a camera, speeds
and level distances count across it only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from motion.body import Body
from motion.contact_basis import FEET, HANDS
from motion.contact_prior import across_sight, probabilities
from motion.local_derivative import differentiate
from motion.scene import Scene, clearance
from records import Camera, ContactStates

SMOOTHING = 0.05
"""Width of the Gaussian behind velocities and accelerations [s]."""
NEAR = 0.25
"""Half of the time over which it is seen whether a point stays where it is [s]."""
SLOWEST = 0.03
"""Speeds below this tell nothing more [statures/s]."""
CERTAINTY = 0.02
"""Bound on how certain the image can be of a contact or of none [1]."""
GRAVITY = 9.81
"""[m/s^2]."""
TALLEST = 0.6
"""Heights over the ground above this tell nothing more [statures]."""

FOOT = (
    "speed", "speed of ball", "speed beside body", "rise", "strays", "strays level", "height", "below other",
    "leg", "knee", "toes down", "below centre", "aside of centre", "image",
)  # fmt: skip
HAND = (
    "speed", "speed beside body", "rise", "strays", "strays level", "height", "over shoulder", "over pelvis", "arm",
    "elbow", "aside of shoulder", "below other", "image",
)  # fmt: skip
WHOLE = ("carried", "pushed", "speed of centre", "rise of centre", "height of centre", "upright", "hands apart")
"""Names of the features of a foot, of a hand and of the whole body."""


class ContactFeatures(NamedTuple):
    """Features of each frame; left before right."""

    feet: Float[np.ndarray, "T 2 F"]
    hands: Float[np.ndarray, "T 2 H"]
    whole: Float[np.ndarray, "T W"]


def contact_features(
    body: Body,
    q: Float[np.ndarray, "T 99"],
    contacts: ContactStates,
    camera: Camera | None = None,
    scene: Scene | None = None,
) -> ContactFeatures:
    """Compute the features of each frame.

    Args:
        body: the person.
        q: configurations; the ground is at z = 0.
        contacts: what the image says, and the frame rate; contacts that it does not name count as even.
        camera: when given, speeds and level distances count across the line of sight only.
        scene: surroundings of known shape, over which the height of soles counts as over the ground.
    """
    fps, h = contacts.fps, body.height
    rate = differentiate(q, fps, SMOOTHING)
    names = [f"{side}_{part}" for side in "lr" for part in _PARTS]
    p, J = body.site_jacobian(q, names)
    v = np.einsum("tnij,tj->tni", J, rate.v)
    centre = body.centre_of_mass(q)
    upright = np.tile([0.0, 0, 0, 1], (len(q), 1))
    moved = differentiate(np.concatenate([centre, upright], axis=1), fps, SMOOTHING)
    v_centre, a_centre = moved.v[:, None, :3], moved.a[:, None, :3]
    pelvis, neck = np.moveaxis(body.site_positions(q, ["pelvis", "neck"]), 1, 0)
    axes = level_across(camera, p)

    def seen(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
        return vectors if camera is None else across_sight(vectors, points, camera)

    def aside(vectors: np.ndarray) -> np.ndarray:
        """Length of level parts, across the line of sight."""
        if axes is None:
            return np.linalg.norm(vectors[..., :2], axis=-1)
        return np.abs((vectors * axes).sum(-1))

    across, beside = seen(v, p), seen(v - v_centre, p)
    at_centre = centre[:, None]
    log_odds = _image_log_odds(contacts)
    strays = [
        wandering(p[..., 2], fps) / h,
        wandering(p[..., :2] if axes is None else (p * axes).sum(-1)[..., None], fps) / h,
    ]
    columns = {name: names.index(name) for name in names}
    feet, hands = [], []
    for column, side in enumerate("lr"):
        other = "r" if side == "l" else "l"
        ankle, ball, heel, toes, knee, hip, fingers, wrist, elbow, shoulder = (
            columns[f"{side}_{part}"] for part in _PARTS
        )
        soles = [ball, heel, toes]
        lowest = p[:, soles, 2].min(axis=1)
        above = clearance(scene, p[:, soles])
        lowest_other = p[:, [columns[f"{other}_{part}"] for part in ("ball", "heel", "toes")], 2].min(axis=1)
        speeds = np.linalg.norm(across[:, soles], axis=-1)
        foot = p[:, toes] - p[:, heel]
        feet.append(
            [
                log_speed(speeds.min(axis=1) / h),
                log_speed(speeds[:, 0] / h),
                log_speed(np.linalg.norm(beside[:, ball], axis=-1) / h),
                np.tanh(v[:, ball, 2] / h),
                np.log(0.01 + strays[0][:, ball]),
                np.log(0.01 + strays[1][:, ball]),
                np.clip(above.min(axis=1) / h, -0.1, TALLEST),
                np.clip((lowest - lowest_other) / h, -0.4, 0.4),
                np.linalg.norm(p[:, ankle] - p[:, hip], axis=-1) / (body.bones["thigh"] + body.bones["shank"]),
                cosine(p[:, hip] - p[:, knee], p[:, ankle] - p[:, knee]),
                -foot[:, 2] / np.linalg.norm(foot, axis=-1),
                (p[:, ball, 2] - centre[:, 2]) / h,
                aside(p[:, [ball]] - at_centre)[:, 0] / h,
                log_odds[:, column],
            ]
        )
        palm, palm_other = p[:, fingers], p[:, columns[f"{other}_fingers"]]
        hands.append(
            [
                log_speed(np.linalg.norm(across[:, fingers], axis=-1) / h),
                log_speed(np.linalg.norm(beside[:, fingers], axis=-1) / h),
                np.tanh(v[:, fingers, 2] / h),
                np.log(0.01 + strays[0][:, fingers]),
                np.log(0.01 + strays[1][:, fingers]),
                np.clip(palm[:, 2] / h, -0.1, 1.6),
                (palm[:, 2] - p[:, shoulder, 2]) / h,
                (palm[:, 2] - pelvis[:, 2]) / h,
                np.linalg.norm(p[:, wrist] - p[:, shoulder], axis=-1)
                / (body.bones["upper_arm"] + body.bones["forearm"]),
                cosine(p[:, shoulder] - p[:, elbow], p[:, wrist] - p[:, elbow]),
                aside((palm - p[:, shoulder])[:, None])[:, 0] / h,
                np.clip((palm[:, 2] - palm_other[:, 2]) / h, -0.5, 0.5),
                log_odds[:, 2 + column],
            ]
        )
    trunk = neck - pelvis
    palms = p[:, [columns["l_fingers"], columns["r_fingers"]]]
    whole = [
        np.tanh(0.5 * (1 + a_centre[:, 0, 2] / GRAVITY)),
        np.tanh(0.5 * aside(a_centre)[:, 0] / GRAVITY),
        log_speed(np.linalg.norm(seen(v_centre, at_centre), axis=-1)[:, 0] / h),
        np.tanh(v_centre[:, 0, 2] / h),
        np.clip(centre[:, 2] / h, 0, 1.4),
        trunk[:, 2] / np.linalg.norm(trunk, axis=-1),
        np.clip(aside((palms[:, 0] - palms[:, 1])[:, None])[:, 0] / h, 0, 0.8),
    ]
    return ContactFeatures(*(np.moveaxis(np.array(part), -1, 0).astype(float) for part in (feet, hands, whole)))


def inputs(features: ContactFeatures) -> tuple[Float[np.ndarray, "T 2 N"], Float[np.ndarray, "T 2 M"]]:
    """What tells of each foot and of each hand: its own features, its twin's, the other limbs', the whole body's."""
    feet, hands, whole = (np.asarray(part) for part in features)
    of_feet, of_hands = (
        [np.concatenate([own[:, s], own[:, 1 - s], other[:, s], other[:, 1 - s], whole], axis=1) for s in range(2)]
        for own, other in ((feet, hands), (hands, feet))
    )
    return np.stack(of_feet, axis=1), np.stack(of_hands, axis=1)


_PARTS = ("ankle", "ball", "heel", "toes", "knee", "hip", "fingers", "wrist", "elbow", "shoulder")


def level_across(camera: Camera | None, p: Float[np.ndarray, "T N 3"]) -> Float[np.ndarray, "T 1 3"] | None:
    """Level direction across the line of sight to the middle of points; None without a camera."""
    if camera is None:
        return None
    sight = p.mean(axis=1) - camera.T_world_camera[:, :3, 3]
    across = np.stack([-sight[:, 1], sight[:, 0], 0 * sight[:, 0]], axis=1)
    return np.asarray(across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9))[:, None]


def _image_log_odds(contacts: ContactStates) -> Float[np.ndarray, "T 4"]:
    listed = np.array([name in contacts.names for name in (*FEET, *HANDS)])
    believed = np.where(listed, probabilities(contacts), 0.5).clip(CERTAINTY, 1 - CERTAINTY)
    return np.log(believed / (1 - believed))


def wandering(values: Float[np.ndarray, "T N *D"], fps: float) -> Float[np.ndarray, "T N"]:
    """Standard deviation of positions about a frame, over a Gaussian of width `NEAR`."""

    def mean(x: np.ndarray) -> np.ndarray:
        return np.asarray(gaussian_filter1d(x, NEAR * fps, axis=0, mode="nearest"))

    centred = values - values.mean(axis=0)
    variance = mean(centred**2) - mean(centred) ** 2
    if variance.ndim > 2:
        variance = variance.sum(axis=-1)
    return np.asarray(np.sqrt(np.maximum(variance, 0)))


def log_speed(speed: Float[np.ndarray, "*S"]) -> Float[np.ndarray, "*S"]:
    """Logarithm of a speed [statures/s], level below `SLOWEST`."""
    return np.asarray(np.log(SLOWEST + speed))


def cosine(a: Float[np.ndarray, "T 3"], b: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T"]:
    """Cosine of the angle between vectors."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.asarray((a * b).sum(-1) / np.maximum(lengths, 1e-9))
