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
    """Whether an endpoint is as near to the hand that holds it as it was in the frames around its clicks.

    A tool is rigid and stays in the hand. Frames that a track reaches from a click without a gap tell which hand that
    is, the one that the endpoint is nearer to most of the time, and how far away it is, in trunk lengths; where it is
    found again after a gap it can be little further away.

    Args:
        uv: the endpoint [px].
        seen: where it is seen.
        clicked: frames of its clicks.
        person: whoever holds the tool. Frames in which that hand is not seen are not judged.
    """
    distance = hand_distances(uv, person)
    pieces, _ = label(seen)
    followed = np.isin(pieces, np.unique(pieces[list(clicked)])) & seen
    known = [row[followed & np.isfinite(row)] for row in distance]
    if not any(len(row) for row in known):
        return np.ones(len(uv), bool)
    holding = int(np.argmin([np.median(row) if len(row) else np.inf for row in known]))
    return followed | ~(distance[holding] > FORESHORTENED * float(known[holding].max()) + HAND_ERROR)


def hand_distances(uv: Float[np.ndarray, "T 2"], person: Keypoints) -> Float[np.ndarray, "2 T"]:
    """Distance of an image point from the left and the right hand [trunk lengths]; NaN where the hand is not seen."""
    scale = trunk_length(person)
    away = np.full((2, len(uv)), np.nan)
    for row, side in zip(away, ("l", "r"), strict=True):
        track = hand(person, side)
        np.divide(np.linalg.norm(uv - track.uv, axis=1), scale, out=row, where=track.seen & (scale > 0))
    return away
