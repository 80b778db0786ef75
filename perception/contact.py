"""Which hands and feet touch something: geometric and kinematic evidence, as log-odds, smoothed over time.

Every kind of evidence is a pure function that returns the logarithm of a likelihood ratio, contact over no contact;
independent evidence adds up. Speeds are in trunk lengths per second, so that no camera is needed for them. Numbers are
from reasoning on how people move and how well detectors see, not fitted to recordings.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from perception.image_motion import hand, point, trunk, trunk_length, velocity
from perception.placement import place
from records import Camera, ContactStates, Keypoints

NAMES = ("l_ankle", "r_ankle", "l_fingers", "r_fingers")
DEFAULT_HEIGHT = 1.7
REST_SPEED = 0.15
"""Standard deviation, per axis, of the apparent velocity of a resting point [trunk lengths/s]: detection noise."""
SWING_SPEED = 1.5
"""The same for a foot in the air: a walking foot swings at 4 to 8 trunk lengths/s, but slows at both ends."""
FOOT_PRIOR = np.log(0.6 / 0.4)
"""Feet are on the ground for 60 % of a walking cycle (Perry, Gait Analysis)."""
HAND_PRIOR = np.log(0.2 / 0.8)
HAND_IDLE_SPEED = 0.4
"""Per-axis velocity of a free hand of a person who stands still [trunk lengths/s]."""
HAND_SWING = 0.7
"""Velocity of a free hand against the trunk, per trunk speed: arms swing in step with the body."""
HEIGHT_SCALE = 0.12
"""Error of a foot's height over the ground [m]."""
MAX_HEIGHT_EVIDENCE = 2.0
"""Height over the ground is no proof: there may be a box under the foot."""
TOOL_REACH = 0.15
"""Distance of a holding hand's centre from the tool's axis, with detection noise [trunk lengths]: 7 cm."""
TOOL_SLOPE = 0.04
GRAVITY = 9.81
TRUNK_OVER_HEIGHT = 0.288
EVIDENCE_TIME = 0.1
"""Time over which errors of a detector are alike [s]: frames closer than that are not independent evidence."""
DWELL = 0.5
"""Mean time for which a contact, or its absence, lasts [s]."""
MAX_LOG_ODDS = 6.0


def estimate_contacts(person: Keypoints, camera: Camera, tool: Keypoints | None = None) -> ContactStates:
    """Estimate contact probabilities of both feet (named by the ankles) and both hands.

    Feet: slow, and low over the ground. Hands: they stay where they are while the trunk moves; or they are what must
    carry a body that neither falls nor stands; or, with a tool, they are close to the line between its endpoints. A
    point that is not seen has the prior probability, pulled by the frames before and after.
    """
    scale = np.maximum(trunk_length(person), 1e-9)
    body, body_seen = trunk(person)
    v_body = velocity(body, body_seen, person.fps) / scale[:, None]
    heights = _foot_heights(person, camera)
    log_odds = np.zeros((person.num_frames, len(NAMES)))
    for column, side in enumerate(("l", "r")):
        uv, seen = point(person, f"{side}_ankle")
        v = velocity(uv, seen, person.fps) / scale[:, None]
        evidence = resting_log_odds(v) + height_log_odds(heights[:, column])
        log_odds[:, column] = np.where(seen, evidence, 0.0)
        uv, seen = hand(person, side)
        v = velocity(uv, seen, person.fps) / scale[:, None]
        log_odds[:, column + 2] = np.where(seen & body_seen, holding_log_odds(v, v_body), 0.0)
        if tool is not None:
            grip = np.where(seen, grip_log_odds(_distance_to_tool(uv, tool) / scale), 0.0)
            known = (tool.confidence > 0).all(axis=1)
            log_odds[:, column + 2] = np.where(
                known, np.maximum(grip, log_odds[:, column + 2]), log_odds[:, column + 2]
            )
    prior = np.array([FOOT_PRIOR, FOOT_PRIOR, HAND_PRIOR, HAND_PRIOR])
    columns = [
        persist(np.clip(log_odds[:, c], -MAX_LOG_ODDS, MAX_LOG_ODDS), float(prior[c]), person.fps)
        for c in range(len(NAMES))
    ]
    return ContactStates(names=NAMES, probability=np.stack(columns, axis=1), fps=person.fps, source=person.source)


def resting_log_odds(v: Float[np.ndarray, "T 2"]) -> Float[np.ndarray, "T"]:
    """Evidence of an image velocity [trunk lengths/s]: a resting point shows noise only, a free one swings.

    Both are isotropic Gaussians, so that log L = 2 ln(s_free / s_rest) - |v|^2 / 2 (1 / s_rest^2 - 1 / s_free^2).
    """
    squared = np.sum(v**2, axis=1)
    return 2 * np.log(SWING_SPEED / REST_SPEED) - squared / 2 * (1 / REST_SPEED**2 - 1 / SWING_SPEED**2)


def holding_log_odds(v_hand: Float[np.ndarray, "T 2"], v_body: Float[np.ndarray, "T 2"]) -> Float[np.ndarray, "T"]:
    """Evidence of a hand's velocity beside the trunk's [trunk lengths/s].

    A holding hand rests. A free hand goes with the trunk and swings about it the more, the faster the trunk goes; so a
    hand at rest tells much while the body moves, and little while the body is at rest too.
    """
    speed = np.linalg.norm(v_body, axis=1)
    s_free = np.hypot(HAND_IDLE_SPEED, HAND_SWING * speed)
    at_rest = np.sum(v_hand**2, axis=1) / (2 * REST_SPEED**2)
    swinging = np.sum((v_hand - v_body) ** 2, axis=1) / (2 * s_free**2)
    return 2 * np.log(s_free / REST_SPEED) - at_rest + swinging


def height_log_odds(height: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """Evidence of a sole's height over the ground [m]: none near it, against contact the higher it is."""
    above = np.maximum(height, 0) / HEIGHT_SCALE
    return -MAX_HEIGHT_EVIDENCE * (1 - np.exp(-(above**2) / 8))


def grip_log_odds(distance: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """Evidence of a hand's distance from the tool's axis [trunk lengths]."""
    return (TOOL_REACH - distance) / TOOL_SLOPE


def persist(log_odds: Float[np.ndarray, "T"], prior: float, fps: float) -> Float[np.ndarray, "T"]:
    """Probability of contact given the evidence of all frames: the forward-backward algorithm with two states.

    States last `DWELL` on average. The evidence of a frame is tempered, since neighbouring frames err alike.
    """
    evidence = log_odds / max(1.0, EVIDENCE_TIME * fps)
    p = 1 / (1 + np.exp(-prior))
    change = min(1.0, 1 / (DWELL * fps))
    A = np.array([[1 - change * p, change * p], [change * (1 - p), 1 - change * (1 - p)]])
    likelihood = np.stack([np.exp(-np.maximum(evidence, 0)), np.exp(np.minimum(evidence, 0))], axis=1)
    ahead, back = np.empty_like(likelihood), np.ones_like(likelihood)
    state = np.array([1 - p, p])
    for t, value in enumerate(likelihood):
        state = (state @ A if t else state) * value
        state = state / state.sum()
        ahead[t] = state
    for t in range(len(likelihood) - 2, -1, -1):
        message = A @ (likelihood[t + 1] * back[t + 1])
        back[t] = message / message.sum()
    joint = ahead * back
    return joint[:, 1] / joint.sum(axis=1)


def _foot_heights(person: Keypoints, camera: Camera) -> np.ndarray:
    """Height of the soles over the ground [m] (T, 2), from the rough placement; 0 where there is none."""
    placement = place(person, camera, height=DEFAULT_HEIGHT)
    heights = np.zeros((person.num_frames, 2))
    for column, side in enumerate(("l", "r")):
        name = f"{side}_ankle"
        if name in person.names:
            k = person.index(name)
            R, t = camera.T_world_camera[:, :3, :3], camera.T_world_camera[:, :3, 3]
            z = np.einsum("tj,tj->t", np.broadcast_to(R[:, 2], (person.num_frames, 3)), placement.p_camera[:, k])
            ankle = z + t[:, 2] - 0.039 * DEFAULT_HEIGHT
            heights[:, column] = np.where(placement.weight[:, k] > 0, ankle, 0.0)
    return heights


def _distance_to_tool(uv: np.ndarray, tool: Keypoints) -> np.ndarray:
    """Distance of image points from the segment between the tool's endpoints [px] (T)."""
    a, b = tool.uv[:, tool.index("tool_head")], tool.uv[:, tool.index("tool_handle")]
    along = b - a
    share = np.sum((uv - a) * along, axis=1) / np.maximum(np.sum(along**2, axis=1), 1e-9)
    nearest = a + np.clip(share, 0, 1)[:, None] * along
    return np.linalg.norm(uv - nearest, axis=1)
