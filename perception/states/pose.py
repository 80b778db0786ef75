"""How a person stands and moves, as features of every frame: what keypoints tell of an action."""

from __future__ import annotations

import numpy as np

from perception.image_motion import Track, foot, hand, point, smooth, trunk, trunk_length, velocity
from records import Features, Keypoints, digest

VERSION = 1
_JOINTS = ("shoulder", "elbow", "hip", "knee")
SWIFT = 5.0
"""Speeds are divided by so many trunk lengths a second, so that they are of the size of positions."""
_GROUND = 95
"""Percentile of the height of the lower foot in the image, over the clip, that stands for the ground."""


def pose_features(person: Keypoints) -> Features:
    """One window a frame: joints about the trunk, speeds of trunk, hands and feet, and how high the trunk is.

    Lengths are in trunks; the image is mirrored where the person as a whole moves to the left, so that walking either
    way looks alike. A point that is not seen near a frame lies at the trunk, at rest.
    """
    fps = person.fps
    scale = np.maximum(trunk_length(person), 1e-9)[:, None]
    centre = smooth(trunk(person), fps)
    ends = [make(person, side) for make in (hand, foot) for side in ("l", "r")]
    tracks = [point(person, f"{side}_{name}") for name in _JOINTS for side in ("l", "r")] + ends
    places = [_near(track, smooth(track, fps) - centre, fps) / scale for track in tracks]
    drift = velocity(trunk(person), fps) / scale
    speeds = [_near(track, velocity(track, fps), fps) / scale - drift for track in ends]
    lowest = np.maximum(*(smooth(track, fps)[:, 1] for track in ends[2:]))
    height = (np.percentile(lowest, _GROUND) - centre[:, 1:]) / scale
    vectors = np.stack([*places, drift / SWIFT, *(speed / SWIFT for speed in speeds)], axis=1)
    if centre[-1, 0] < centre[0, 0]:
        vectors[..., 0] *= -1
    start = np.arange(person.num_frames) / fps
    return Features(
        value=np.concatenate([vectors.reshape(len(vectors), -1), height], axis=1),
        time=np.stack([start, start + 1 / fps], axis=1),
        encoder="pose",
        encoder_hash=digest("pose", VERSION),
    )


def _near(track: Track, value: np.ndarray, fps: float) -> np.ndarray:
    """What is known of a point (T, 2), and 0 where it is not seen within some frames."""
    seen = smooth(Track(np.ones_like(track.uv), track.confidence), fps)[:, :1] > 0.5
    return np.where(seen, value, 0.0)
