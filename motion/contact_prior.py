"""What is believed of a contact force before the dynamics are asked: likely, slow and low contacts bear more."""

from __future__ import annotations

import numpy as np

from motion.contact_basis import FEET, HANDS, SOLE
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
) -> np.ndarray:
    """Prior precision (T, G) of each of `ContactBasis.groups`, in body weights (and metres) to the power -2.

    A moving contact gives less force. Height over ground and scene is evidence against a foot's contact (its odds
    fall), so that a contact which is certain bears at any height.
    """
    soles, each = len(SOLE), len(SOLE) // len(FEET)
    speed = np.linalg.norm(velocity, axis=-1)
    doubt = 1 + (np.maximum(clearance(scene, points[:, :soles]), 0) / options.foot_height) ** 3
    sole = np.repeat(probability[:, : len(FEET)], each, axis=1)
    sole = sole / (sole + (1 - sole) * doubt)
    hand = probability[:, len(FEET) :]
    sole_motion = 1 + (speed[:, :soles] / options.foot_speed) ** 3
    hand_motion = np.ones_like(hand) if held else 1 + (speed[:, soles:] / options.hand_speed) ** 3
    absent, present = options.absent_force**2, options.contact_force**2
    grip = present if held else options.hand_force**2
    on_sole = sole_motion / (sole * present + (1 - sole) * absent)
    on_hand = hand_motion / (hand * grip + (1 - hand) * absent)
    on_foot = on_sole.reshape(len(points), len(FEET), each).min(axis=2)
    return np.concatenate(
        [SPREAD * each * on_sole, on_hand, on_hand * grip / options.hand_moment**2, (1 - SPREAD) * on_foot], axis=1
    )


def probabilities(contacts: ContactStates) -> np.ndarray:
    """Contact probabilities (T, C) in the order of feet, then hands; 0 for a site that is not listed."""
    probability = np.zeros((len(contacts.probability), len(CONTACT_SITES)))
    for c, name in enumerate([*FEET, *HANDS]):
        if name in contacts.names:
            probability[:, c] = contacts.probability[:, contacts.names.index(name)]
    return probability


def across_sight(velocity: np.ndarray, points: np.ndarray, camera: Camera) -> np.ndarray:
    """Velocities (T, P, 3) [m/s] of points (T, P, 3) [m] without their part along the line of sight."""
    ray = points - camera.T_world_camera[:, None, :3, 3]
    ray /= np.maximum(np.linalg.norm(ray, axis=-1, keepdims=True), 1e-9)
    return velocity - (velocity * ray).sum(-1, keepdims=True) * ray
