"""The axis of a tool held in both hands: the line through them, extended to the tool's endpoints."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from perception.image_motion import hand, trunk_length
from perception.placement import SEGMENTS
from records import Keypoints

Side = Literal["l", "r"]

REMEDY = "give clicks on the tool or its CSV file, or say that one hand holds it"
"""What a user can do about hands that do not tell the axis."""
FULL_SPREAD = 90.0
"""Percentile of the hands' distance over time at which the tool is taken to be parallel to the image."""
SHORT = 0.25
"""Below this fraction of their full distance the hands hardly tell the direction; the confidence falls from there."""


JOINT_ERROR = 2.0
"""Error of a detected hand over that of a point which is followed in the image, whose confidence counts as 1."""


class HandsAxisError(ValueError):
    """The hands do not tell the tool's axis: they are never both seen, or are always at one place."""


class ToolReach(NamedTuple):
    """How far a tool sticks out beyond the hands, along its axis."""

    head: float
    """From the hand nearer to the head, to the head [m]."""
    handle: float
    """From the other hand to the end of the handle [m]."""


def hands_axis(person: Keypoints, reach: ToolReach, *, leading: Side | None = None, height: float = 1.7) -> Keypoints:
    """Extend the line through the hands to the tool's endpoints.

    Ratios along a line survive a change of view (weak perspective): the head is as many times the hands' distance
    beyond the leading hand in the image as it is in space, however foreshortened the tool is. The hands' distance in
    space is the largest one seen (90th percentile) in units of the person's trunk.

    Args:
        person: detections; fingers, or else wrists.
        reach: how far the tool sticks out beyond the hands [m].
        leading: the hand nearer to the head; by default the one that is lower in the image on average.
        height: body height [m].

    Returns:
        Keypoints tool_head, tool_handle. The confidence is the lower one of the hands', over the variance that their
        errors are extrapolated to (in units of that of a point which is followed in the image); less where they are
        too close together in the image to tell a direction, and 0 where either is not seen.

    Raises:
        HandsAxisError: the hands are never both seen, or always at one place.
    """
    hands = {side: hand(person, side) for side in ("l", "r")}
    seen = hands["l"].seen & hands["r"].seen
    distance = np.linalg.norm(hands["l"].uv - hands["r"].uv, axis=1)
    scale = trunk_length(person) / (SEGMENTS["shoulder", "hip"] * height)
    seen &= scale > 0
    if not seen.any():
        raise HandsAxisError(f"the hands and the body are never seen together; {REMEDY}")
    spacing = float(np.percentile(distance[seen] / scale[seen], FULL_SPREAD))
    if spacing < 1e-3:
        raise HandsAxisError(f"both hands are always at one place; {REMEDY}")
    if leading is None:
        leading = "l" if np.mean(hands["l"].uv[seen, 1]) > np.mean(hands["r"].uv[seen, 1]) else "r"
    front, rear = hands[leading].uv, hands["r" if leading == "l" else "l"].uv
    along = front - rear
    uv = np.stack([front + reach.head / spacing * along, rear - reach.handle / spacing * along], axis=1)
    fraction = distance / np.where(seen, spacing * scale, 1.0)
    hand_confidence = np.minimum(hands["l"].confidence, hands["r"].confidence) * np.clip(fraction / SHORT, 0, 1)
    trust = np.array([1 / _variance(reach.head / spacing), 1 / _variance(reach.handle / spacing)])
    confidence = np.where(seen[:, None], hand_confidence[:, None] * trust, 0.0)
    return Keypoints(
        names=("tool_head", "tool_handle"),
        uv=np.where(confidence[..., None] > 0, uv, 0.0),
        confidence=confidence,
        fps=person.fps,
        size_hw=person.size_hw,
        source=person.source,
    )


def _variance(ratio: float) -> float:
    """Variance of a point that lies beyond a hand by this multiple of the hands' distance, both hands being wrong.

    The point is (1 + ratio) times the near hand less ratio times the far one. In variances of a followed point.
    """
    return JOINT_ERROR**2 * ((1 + ratio) ** 2 + ratio**2)
