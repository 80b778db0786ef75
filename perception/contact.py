"""Which hands and feet touch something: kinematic, geometric and dynamic evidence of what the image shows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from perception.contact_evidence import (
    DWELL,
    FOOT_PRIOR,
    HAND_PRIOR,
    TOOL_DWELL,
    contact_probabilities,
    discounted,
    either_log_odds,
    falling_log_odds,
    grip_log_odds,
    height_log_odds,
    holding_log_odds,
    resting_log_odds,
)
from perception.image_motion import foot, hand, smooth, trunk, trunk_length, velocity
from perception.placement import SEGMENTS, place
from records import Camera, ContactStates, Keypoints

NAMES = ("l_ankle", "r_ankle", "l_fingers", "r_fingers")
DEFAULT_HEIGHT = 1.7
"""Body height, which turns trunk lengths into metres [m]."""
ANKLE_HEIGHT = 0.039
"""Height of the ankle over the sole, over body height (Winter, Biomechanics and Motor Control, figure 4.1)."""
ACCELERATION_SMOOTHING = 0.08
"""Standard deviation of the Gaussian for second derivatives [s]."""


def estimate_contacts(person: Keypoints, camera: Camera, tool: Keypoints | None = None) -> ContactStates:
    """Estimate contact probabilities of both feet (named by the ankles) and both hands.

    Feet: slow, and low over the ground. Hands: they stay where they are while the trunk moves, or, with a tool, they
    are close to the line between its endpoints, which changes less often than other contacts do. All four: a body that
    does not fall is carried by at least one of them. Evidence counts as much as the detection is to be trusted; a point
    that is not seen has none of its own.
    """
    scale = np.maximum(trunk_length(person), 1e-9)
    body = trunk(person)
    v_body = velocity(body, person.fps) / scale[:, None]
    heights = sole_heights(person, camera)
    log_odds = np.zeros((person.num_frames, len(NAMES)))
    for column, side in enumerate(("l", "r")):
        sole, palm = foot(person, side), hand(person, side)
        v_sole, v_palm = (velocity(track, person.fps) / scale[:, None] for track in (sole, palm))
        resting = resting_log_odds(v_sole) + height_log_odds(heights[:, column])
        holding = holding_log_odds(v_palm, v_body)
        log_odds[:, column] = discounted(resting, sole.confidence * sole.seen)
        held = discounted(holding, palm.confidence * (palm.seen & body.seen))
        if tool is not None:
            distance = distance_to_tool(palm.uv, tool) / scale
            grip = discounted(grip_log_odds(distance), palm.confidence * palm.seen * tool.confidence.min(axis=1))
            held = either_log_odds(grip, held)
        log_odds[:, column + 2] = held
    prior = np.array([FOOT_PRIOR, FOOT_PRIOR, HAND_PRIOR, HAND_PRIOR])
    falling = falling_log_odds(vertical_acceleration(person, camera))
    falling = discounted(falling, body.confidence * body.seen)
    # Hands that may be on the tool are not what keeps the body from falling.
    carries = np.array([True, True, tool is None, tool is None])
    dwell = np.where(carries, DWELL, TOOL_DWELL)
    probability = contact_probabilities(log_odds, falling, prior, person.fps, carries=carries, dwell=dwell)
    return ContactStates(names=NAMES, probability=probability, fps=person.fps, source=person.source)


def vertical_acceleration(person: Keypoints, camera: Camera) -> Float[np.ndarray, "T"]:
    """Upward acceleration of the trunk [m/s^2], from the image alone: scaled by the trunk's length."""
    body = trunk(person)
    if person.num_frames < 3 or not body.seen.any():
        return np.zeros(person.num_frames)
    up = camera.T_world_camera[:, 2, :2] @ camera.K[:2, :2].T
    up = up / np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)
    metres = SEGMENTS["shoulder", "hip"] * DEFAULT_HEIGHT / np.maximum(trunk_length(person), 1e-9)
    height = np.sum(smooth(body, person.fps, sigma=ACCELERATION_SMOOTHING) * up, axis=1)
    return np.gradient(np.gradient(height)) * person.fps**2 * metres


def sole_heights(person: Keypoints, camera: Camera) -> Float[np.ndarray, "T 2"]:
    """Height of the soles over the ground [m] (T, 2), from the rough placement; 0 where there is none."""
    placement = place(person, camera, height=DEFAULT_HEIGHT)
    heights = np.zeros((person.num_frames, 2))
    for column, side in enumerate(("l", "r")):
        name = f"{side}_ankle"
        if name in person.names:
            k = person.index(name)
            R, t = camera.T_world_camera[:, :3, :3], camera.T_world_camera[:, :3, 3]
            z = np.einsum("tj,tj->t", np.broadcast_to(R[:, 2], (person.num_frames, 3)), placement.p_camera[:, k])
            ankle = z + t[:, 2] - ANKLE_HEIGHT * DEFAULT_HEIGHT
            heights[:, column] = np.where(placement.weight[:, k] > 0, ankle, 0.0)
    return heights


def distance_to_tool(uv: Float[np.ndarray, "T 2"], tool: Keypoints) -> Float[np.ndarray, "T"]:
    """Distance of image points from the segment between the tool's endpoints [px] (T)."""
    a, b = tool.uv[:, tool.index("tool_head")], tool.uv[:, tool.index("tool_handle")]
    along = b - a
    share = np.sum((uv - a) * along, axis=1) / np.maximum(np.sum(along**2, axis=1), 1e-9)
    nearest = a + np.clip(share, 0, 1)[:, None] * along
    return np.linalg.norm(uv - nearest, axis=1)
