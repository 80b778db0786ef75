"""What a 3D motion says of contacts: log-likelihoods of rest, of height, and of the wrench that the motion demands.

None of the numbers is the result of a fit; that hands go together, and how the evidence is combined, was decided while
looking at the parkour clips.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pinocchio as pin
from jaxtyping import Float, Int

from motion.body import Body
from motion.centroidal import demand
from motion.contact_basis import FEET, HANDS, POINTS, SOLE, points_of
from motion.contact_prior import across_sight
from motion.force_options import ForceOptions
from motion.local_derivative import differentiate
from motion.rotation import skew
from motion.scene import Scene, clearance
from motion.scene_contact import hands_log_odds
from records import Camera

GRAVITY = 9.81
"""[m/s^2]."""
REST_SPEED = 0.2
"""Standard deviation, per axis, of the estimated velocity of a point at rest [m/s]."""
FOOT_SWING, HAND_SWING = 1.0, 0.7
"""The same of points in the air [m/s]; slow phases included."""
SPEED_SHARE = 0.5
"""Share of the evidence of speeds that the image has not given before [1]."""
HEIGHT_ERROR = 0.08
"""Standard error of the height of a sole over the ground, estimated from a video [m]."""
MAX_HEIGHT_EVIDENCE = 2.0
"""Height over the ground is no proof: there may be a box under the foot."""
BEARING, SHEARING = 0.5, 0.3
"""Standard deviations of the vertical and of each level force of a contact about an even share [body weights]."""
SOLE_REACH = 0.08
"""Standard deviation of the centre of pressure about the middle of a sole, times the weight: arm of a moment [m]."""
TAIL = 4
"""Degrees of freedom of the Student distribution of the balance's error: accelerations from videos have outliers."""

KNEE_REACH, SEAT_REACH = 0.05, 0.12
"""The same about a knee and about half of a seat: shins and thighs bear, too [m]."""


def combinations(count: int) -> Int[np.ndarray, "S C"]:
    """All combinations of some contacts."""
    return (np.arange(2**count)[:, None] >> np.arange(count)) & 1


COMBINATIONS = combinations(len((*FEET, *HANDS)))
"""Those of feet, then hands."""


def motion_log_odds(
    body: Body,
    q: Float[np.ndarray, "T 99"],
    fps: float,
    camera: Camera | None,
    options: ForceOptions,
    scene: Scene | None = None,
) -> Float[np.ndarray, "T C"]:
    """Evidence, for each foot and hand, of speed (across the line of sight, if there is a camera) and of height.

    A foot is what its slowest and its lowest point are. The ground is at z = 0. With a scene, its surface counts for
    feet as the ground does, and the distance of hands from it is evidence, too.
    """
    points, J = body.site_jacobian(q, POINTS)
    velocity = np.einsum("tnij,tj->tni", J, differentiate(q, fps, options.smoothing).v)
    if camera is not None:
        velocity = across_sight(velocity, points, camera)
    speed = np.linalg.norm(velocity, axis=-1)
    soles, each = len(SOLE), len(SOLE) // len(FEET)
    feet = speed[:, :soles].reshape(len(q), len(FEET), each).min(axis=2)
    above = clearance(scene, points[:, :soles]).reshape(len(q), len(FEET), each).min(axis=2).clip(0) / HEIGHT_ERROR
    height = -MAX_HEIGHT_EVIDENCE * (1 - np.exp(-(above**2) / 8))
    resting = [rest_log_odds(feet, FOOT_SWING), rest_log_odds(speed[:, soles:], HAND_SWING)]
    touching = np.zeros_like(height) if scene is None else hands_log_odds(scene, points[:, soles:])
    return np.asarray(SPEED_SHARE * np.concatenate(resting, axis=1) + np.concatenate([height, touching], axis=1))


def rest_log_odds(speed: Float[np.ndarray, "*S"], swing: float) -> Float[np.ndarray, "*S"]:
    """Evidence of a speed [m/s] for rest over swinging: Student distributions with 2 degrees of freedom."""
    narrow, wide = (-2 * np.log(s) - 2 * np.log1p(speed**2 / (2 * s**2)) for s in (REST_SPEED, swing))
    return narrow - wide


def balance_log_likelihood(
    body: Body,
    q: Float[np.ndarray, "T 99"],
    fps: float,
    options: ForceOptions,
    *,
    carrying: tuple[bool, ...],
    resting: Sequence[str] = (),
) -> Float[np.ndarray, "T S"]:
    """Log-likelihood of the demanded wrench for each of the `combinations` of contacts, up to a constant per frame.

    Contacts that can carry share the weight evenly, more or less; what they can not balance is an error of the
    motion. A fall is explained best by no contact, a weight over one foot by that foot alone.

    Args:
        body: the person.
        q: its configurations, world z up.
        fps: frame rate [1/s].
        options: how exact the balance is.
        carrying: for each foot, hand, knee and hip, whether it can carry the body; a hand on a tool does not.
        resting: which knees and hips there are, of `RESTING_SITES`.
    """
    needed = demand(body.model, q, differentiate(q, fps, options.smoothing))
    weight = GRAVITY * pin.computeTotalMass(body.model)
    wrench = needed.wrench / weight
    points = body.site_positions(q, points_of(resting))
    soles = points[:, : len(SOLE)].reshape(len(q), len(FEET), -1, 3).mean(axis=2)
    lever = np.concatenate([soles, points[:, len(SOLE) :]], axis=1) - needed.com[:, None]
    unit = np.concatenate([np.broadcast_to(np.eye(3), (*lever.shape, 3)), skew(lever)], axis=2)
    size = np.linalg.norm(wrench.reshape(-1, 2, 3), axis=2).repeat(3, axis=1) * options.mass_error
    noise = np.repeat([options.acceleration_sigma / GRAVITY, options.moment_arm_sigma], 3)
    error = np.hypot(noise, size)[:, None] ** 2 * np.eye(6)
    spread = unit * np.array([SHEARING, SHEARING, BEARING])
    arm = np.repeat([SOLE_REACH, options.hand_moment], [len(FEET), len(HANDS)])
    arm = np.append(arm, [KNEE_REACH if name.endswith("knee") else SEAT_REACH for name in resting])
    covariance = spread @ spread.swapaxes(2, 3) + arm[:, None, None] ** 2 * np.diag([0, 0, 0, 1.0, 1, 1])
    bears = combinations(len(carrying)) * np.asarray(carrying)
    share = bears / np.maximum(bears.sum(axis=1, keepdims=True), 1)
    found = np.empty((len(q), len(bears)))
    for s, row in enumerate(bears):
        miss = wrench - np.einsum("c,tci->ti", share[s], unit[..., 2])
        S = error + np.einsum("c,tcij->tij", row, covariance)
        squared = (miss * np.linalg.solve(S, miss[..., None])[..., 0]).sum(axis=1)
        found[:, s] = -0.5 * (TAIL + 6) * np.log1p(squared / TAIL) - 0.5 * np.linalg.slogdet(S)[1]
    return found
