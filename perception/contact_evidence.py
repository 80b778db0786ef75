"""What a movement says of a contact: logarithms of likelihood ratios, contact over no contact, and their combination.

All functions are pure; independent evidence adds up. Speeds are in trunk lengths per second, so that no camera is
needed for them. The numbers come from how people move and how well detectors see; none is the result of a fit, but
which evidence to use, and in which form, was decided while looking at the parkour clips that it is measured on.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from records.forward_backward import forward_backward

REST_SPEED = 0.15
"""Standard deviation, per axis, of the apparent velocity of a resting point [trunk lengths/s]: detection noise."""
SWING_SPEED = 1.5
"""The same for a foot in the air: a walking foot swings at 4 to 8 trunk lengths/s, but slows at both ends."""
FOOT_PRIOR = np.log(0.6 / 0.4)
"""Feet are on the ground for 60 % of a walking cycle (Perry, Gait Analysis)."""
HAND_PRIOR = np.log(0.2 / 0.8)
HAND_SWING = 0.7
"""Velocity of a free hand against the trunk, per trunk speed: arms swing in step with the body."""
HEIGHT_SCALE = 0.12
"""Error of a foot's height over the ground [m]."""
MAX_HEIGHT_EVIDENCE = 2.0
"""Height over the ground is no proof: there may be a box under the foot."""
TOOL_REACH = 0.15
"""Distance of a holding hand's centre from the tool's axis, with detection noise [trunk lengths]: 7 cm."""
TOOL_SLOPE = 0.04
FALL_SCALE = 3.0
"""Scale of the error of a falling body's vertical acceleration, read from the image [m/s^2]: detection noise of 1.5 cm
through a Gaussian second derivative of 0.08 s gives 1; the scale of the image and moving limbs give the rest."""
SUPPORTED_SCALE = 5.0
"""Scale of the vertical accelerations of bodies that touch something [m/s^2]."""
GRAVITY = 9.81
EVIDENCE_TIME = 0.1
"""Time over which errors of a detector are alike [s]: frames closer than that are not independent evidence."""
DWELL = 0.5
"""Mean time for which a contact, or its absence, lasts [s]."""
TOOL_DWELL = 5.0
"""The same for a hand on a tool [s]: people keep hold of it, or keep off it, from one stroke to the next."""
MAX_LOG_ODDS = 6.0


def falling_log_odds(acceleration: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """Evidence of an upward acceleration [m/s^2] for free fall over being carried; heavy-tailed on both sides."""
    falling = -np.log(FALL_SCALE) - 1.5 * np.log1p((acceleration + GRAVITY) ** 2 / (2 * FALL_SCALE**2))
    carried = -np.log(SUPPORTED_SCALE) - 1.5 * np.log1p(acceleration**2 / (2 * SUPPORTED_SCALE**2))
    return falling - carried


def resting_log_odds(v: Float[np.ndarray, "T 2"]) -> Float[np.ndarray, "T"]:
    """Evidence of an image velocity [trunk lengths/s]: a resting point shows noise only, a free one swings."""
    return log_student(v, REST_SPEED) - log_student(v, SWING_SPEED)


def holding_log_odds(v_hand: Float[np.ndarray, "T 2"], v_body: Float[np.ndarray, "T 2"]) -> Float[np.ndarray, "T"]:
    """Evidence of a hand's velocity beside the trunk's [trunk lengths/s].

    A holding hand rests. A free hand goes with the trunk and swings about it the more, the faster the trunk goes; so a
    hand at rest tells much while the body moves, and little while the body is at rest too.
    """
    free = np.hypot(REST_SPEED, HAND_SWING * np.linalg.norm(v_body, axis=1))
    return log_student(v_hand, REST_SPEED) - log_student(v_hand - v_body, free)


def log_student(v: Float[np.ndarray, "T 2"], scale: float | Float[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """Log density, up to a constant, of the bivariate Student distribution with 2 degrees of freedom.

    Its heavy tails keep one bad detection from deciding: between scales a and b the log-odds stay within 2 ln(a / b).
    """
    return -2 * np.log(scale) - 2 * np.log1p(np.sum(v**2, axis=1) / (2 * np.square(scale)))


def discounted(log_odds: Float[np.ndarray, "*S"], trust: Float[np.ndarray, "*#S"]) -> Float[np.ndarray, "*S"]:
    """Evidence of a detection that is right with probability `trust`, and says nothing otherwise.

    L becomes trust L + 1 - trust, so that a doubtful detection cannot exclude anything.
    """
    bounded = np.clip(log_odds, -MAX_LOG_ODDS, MAX_LOG_ODDS)
    return np.log(trust * np.exp(bounded) + 1 - trust)


def height_log_odds(height: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """Evidence of a sole's height over the ground [m]: none near it, against contact the higher it is."""
    above = np.maximum(height, 0) / HEIGHT_SCALE
    return -MAX_HEIGHT_EVIDENCE * (1 - np.exp(-(above**2) / 8))


def grip_log_odds(distance: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """Evidence of a hand's distance from the tool's axis [trunk lengths]."""
    return (TOOL_REACH - distance) / TOOL_SLOPE


def either_log_odds(grip: Float[np.ndarray, "T"], holding: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """Evidence for a hand that touches the tool or something else, as likely one as the other.

    One tells itself by the distance from the tool, the other by rest; each says nothing of the other's sign.
    """
    return np.asarray(np.logaddexp(grip, holding) - np.log(2))


def contact_probabilities(
    log_odds: Float[np.ndarray, "T C"],
    falling: Float[np.ndarray, "T"],
    prior: Float[np.ndarray, "C"],
    fps: float,
    *,
    carries: Bool[np.ndarray, "C"],
    dwell: Float[np.ndarray, "C"] | float = DWELL,
) -> Float[np.ndarray, "T C"]:
    """Probability of every contact given the evidence of all frames: forward-backward over all 2^C combinations.

    Each contact changes by itself and lasts `dwell` on average; what ties them together is that a body without any
    contact that carries it falls. The evidence of a frame is tempered, since neighbouring frames err alike.

    Args:
        log_odds: evidence for each contact.
        falling: evidence for free fall over being carried.
        prior: log-odds of each contact without evidence.
        fps: frame rate [1/s].
        carries: which contacts can carry the body; a hand on a tool does not.
        dwell: mean time for which each contact, or its absence, lasts [s].
    """
    num_contacts = log_odds.shape[1]
    states = (np.arange(2**num_contacts)[:, None] >> np.arange(num_contacts)) & 1
    p = 1 / (1 + np.exp(-prior))
    change = np.minimum(1.0, 1 / (np.broadcast_to(dwell, num_contacts) * fps))
    A = np.ones((1, 1))
    for contact in range(num_contacts):
        on, off = change[contact] * np.array([p[contact], 1 - p[contact]])
        A = np.kron(np.array([[1 - on, on], [off, 1 - off]]), A)
    start = np.prod(np.where(states == 1, p, 1 - p), axis=1)
    temper = max(1.0, EVIDENCE_TIME * fps)
    bounded = np.clip(log_odds, -MAX_LOG_ODDS, MAX_LOG_ODDS)
    evidence = (bounded @ states.T + falling[:, None] * (states[:, carries].sum(axis=1) == 0)) / temper
    return np.clip(forward_backward(evidence, A, start) @ states, 0.0, 1.0)
