"""What is believed of a contact force before the dynamics are asked: likely, slow and low contacts bear more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from motion.contact_basis import FEET, POINTS, SOLE
from motion.force_options import ForceOptions
from motion.scene import Scene, clearance
from motion.skeleton import CONTACT_SITES
from records import Camera, ContactStates

SPREAD = 0.1
"""Share of a foot's prior that asks for even pressure over the points of the sole; the rest is on its whole force."""


def precision(
    points: np.ndarray,
    velocity: np.ndarray,
    probability: np.ndarray,
    held: bool,
    options: ForceOptions,
    scene: Scene | None = None,
    resting: Sequence[str] = (),
) -> np.ndarray:
    """Prior precision (T, G) of each of `ContactBasis.groups`, in body weights (and metres) to the power -2.

    A moving contact gives less force. Height over ground and scene is evidence against the contact of a foot or a knee
    (its odds fall), so that a contact which is certain bears at any height; a seat may be anywhere. A foot bears less
    where its knee kneels or the body sits.
    """
    soles, each, limbs = len(SOLE), len(SOLE) // len(FEET), len(CONTACT_SITES)
    speed = np.linalg.norm(velocity, axis=-1)
    high = clearance(scene, points)
    doubt = 1 + (np.maximum(high, 0) / options.foot_height) ** 3
    motion = 1 + (speed / np.where(np.arange(speed.shape[1]) < soles, options.foot_speed, options.hand_speed)) ** 3
    absent, present = options.absent_force**2, options.contact_force**2
    columns = dict(zip(resting, probability[:, limbs:].T, strict=True))
    nothing = np.zeros(len(points))
    sits = np.maximum(columns.get("l_hip", nothing), columns.get("r_hip", nothing))
    eased = np.stack([np.maximum(sits, columns.get(f"{foot[0]}_knee", nothing)) for foot in FEET], axis=1)
    bears = np.repeat(present * (1 - eased * (1 - options.eased_share)), each, axis=1)
    sole = np.repeat(probability[:, : len(FEET)], each, axis=1)
    sole = sole / (sole + (1 - sole) * doubt[:, :soles])
    on_sole = motion[:, :soles] / (sole * bears + (1 - sole) * absent)
    on_foot = on_sole.reshape(len(points), len(FEET), each).min(axis=2)
    hand = probability[:, len(FEET) : limbs]
    grip = present if held else options.hand_force**2
    hand_motion = np.ones_like(hand) if held else motion[:, soles : len(POINTS)]
    on_hand = hand_motion / (hand * grip + (1 - hand) * absent)
    rest = probability[:, limbs:]
    kneels = np.array([name.endswith("knee") for name in resting], bool)
    rest = rest / (rest + (1 - rest) * np.where(kneels, doubt[:, len(POINTS) :], 1.0))
    on_rest = motion[:, len(POINTS) :] / (rest * present + (1 - rest) * absent)
    parts = [SPREAD * each * on_sole, on_hand, on_rest, on_hand * grip / options.hand_moment**2, (1 - SPREAD) * on_foot]
    return np.concatenate(parts, axis=1)


def probabilities(contacts: ContactStates, resting: Sequence[str] = ()) -> np.ndarray:
    """Contact probabilities (T, C) of feet, hands, then some of `RESTING_SITES`; 0 for a site that is not listed."""
    names = (*CONTACT_SITES, *resting)
    probability = np.zeros((len(contacts.probability), len(names)))
    for c, name in enumerate(names):
        if name in contacts.names:
            probability[:, c] = contacts.probability[:, contacts.names.index(name)]
    return probability


def across_sight(velocity: np.ndarray, points: np.ndarray, camera: Camera) -> np.ndarray:
    """Velocities (T, P, 3) [m/s] of points (T, P, 3) [m] without their part along the line of sight."""
    ray = points - camera.T_world_camera[:, None, :3, 3]
    ray /= np.maximum(np.linalg.norm(ray, axis=-1, keepdims=True), 1e-9)
    return velocity - (velocity * ray).sum(-1, keepdims=True) * ray
