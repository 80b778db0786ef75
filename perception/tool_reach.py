"""How far from the hands a tool can be: what a search finds further away than that is something else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import label

from perception.image_motion import hand, trunk_length
from records import Keypoints

FORESHORTENED = 1.5
"""How much longer a tool may look than it ever did while it was followed: cos 48 degrees is 1 / 1.5."""
HAND_ERROR = 0.2
"""Error of a hand's image point [trunk lengths]: about 10 cm, as a detector finds a swinging hand."""


def within_reach(
    uv: Float[np.ndarray, "T 2"], seen: Bool[np.ndarray, "T"], clicked: Sequence[int], person: Keypoints
) -> Bool[np.ndarray, "T"]:
    """Whether an endpoint is as near to a hand as it was in the frames around its clicks.

    A tool is rigid and stays in the hand. Frames that a track reaches from a click without a gap tell how far from the
    nearer hand the endpoint is, in trunk lengths; where it is found again after a gap it can be little further away.

    Args:
        uv: the endpoint [px].
        seen: where it is seen.
        clicked: frames of its clicks.
        person: whoever holds the tool. Frames in which no hand is seen are not judged.
    """
    distance = hand_distance(uv, person)
    pieces, _ = label(seen)
    followed = np.isin(pieces, np.unique(pieces[list(clicked)])) & seen
    known = distance[followed & np.isfinite(distance)]
    if not len(known):
        return np.ones(len(uv), bool)
    return followed | ~(distance > FORESHORTENED * float(known.max()) + HAND_ERROR)


def hand_distance(uv: Float[np.ndarray, "T 2"], person: Keypoints) -> Float[np.ndarray, "T"]:
    """Distance of an image point from the nearer hand [trunk lengths]; NaN where no hand is seen."""
    hands = [hand(person, side) for side in ("l", "r")]
    away = np.stack([np.where(h.seen, np.linalg.norm(uv - h.uv, axis=1), np.nan) for h in hands])
    nearer = np.fmin(*away)
    scale = trunk_length(person)
    return np.divide(nearer, scale, out=np.full(len(uv), np.nan), where=scale > 0)
