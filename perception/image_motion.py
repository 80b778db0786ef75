"""How fast points of a person move in the image, in lengths of the person's own trunk: a scale that needs no camera."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d, median_filter

from records import Keypoints

SMOOTHING = 0.06
"""Standard deviation of the Gaussian over positions before differences are taken [s]: 1.5 frames at 25 fps."""
SEEN = 0.3
"""Confidence from which a point is used."""
SCALE_WINDOW = 1.0
"""Window of the running median of the trunk's length [s]: a bent trunk is foreshortened for less than that."""
TRUNK_OVER_SHIN = 0.288 / 0.246
TRUNK_OVER_THIGH = 0.288 / 0.245
"""Ratios of segment lengths (Winter, Biomechanics and Motor Control, 4th ed., figure 4.1)."""


class Track(NamedTuple):
    """One image point over time."""

    uv: Float[np.ndarray, "T 2"]
    """Image point [px]; whatever the detector left where it is not seen."""
    confidence: Float[np.ndarray, "T"]
    """The lowest confidence of the points that it is the mean of."""

    @property
    def seen(self) -> Bool[np.ndarray, "T"]:
        """Where the confidence suffices."""
        return self.confidence >= SEEN


def point(person: Keypoints, *names: str) -> Track:
    """Track of the mean of named points; unseen throughout when the person lacks one of the names."""
    if not set(names) <= set(person.names):
        return Track(np.zeros((person.num_frames, 2)), np.zeros(person.num_frames))
    columns = [person.index(name) for name in names]
    return Track(person.uv[:, columns].mean(axis=1), person.confidence[:, columns].min(axis=1))


def first_seen(person: Keypoints, *choices: tuple[str, ...]) -> Track:
    """Track of the first choice of points that is seen at least once."""
    tracks = [point(person, *names) for names in choices]
    return next((track for track in tracks if track.seen.any()), tracks[0])


def hand(person: Keypoints, side: str) -> Track:
    """Track of the left (`l`) or right (`r`) hand: the fingers, or else the wrist."""
    return first_seen(person, (f"{side}_fingers",), (f"{side}_index", f"{side}_pinky"), (f"{side}_wrist",))


def foot(person: Keypoints, side: str) -> Track:
    """Track of the left (`l`) or right (`r`) foot: the mean of ankle, heel and toes, or else the ankle."""
    return first_seen(person, (f"{side}_ankle", f"{side}_heel", f"{side}_toes"), (f"{side}_ankle",))


def trunk(person: Keypoints) -> Track:
    """Track of the middle of the trunk, seen from the side as well as from the front.

    Its confidence is the mean of its corners': the far shoulder and hip are hidden in a side view, but not far off.
    """
    corners = ("l_shoulder", "r_shoulder", "l_hip", "r_hip")
    if set(corners) <= set(person.names):
        columns = [person.index(name) for name in corners]
        found = person.confidence[:, columns]
        return Track(person.uv[:, columns].mean(axis=1), np.where(found.min(axis=1) > 0, found.mean(axis=1), 0.0))
    return first_seen(person, ("neck", "l_hip", "r_hip"), ("l_shoulder", "r_shoulder"), ("neck",))


def trunk_length(person: Keypoints) -> Float[np.ndarray, "T"]:
    """Length of the trunk as if it were parallel to the image [px]; a running maximum over trunk, thighs and shins.

    A segment is only ever foreshortened, so that the longest evidence is the best; a running median over one second
    takes out single bad detections. Where nothing is seen the nearest value is kept; 0 when nothing is ever seen.
    """

    def span(a: Track, b: Track) -> np.ndarray:
        return np.where(a.seen & b.seen, np.linalg.norm(a.uv - b.uv, axis=1), 0.0)

    shoulders = first_seen(person, ("l_shoulder", "r_shoulder"), ("neck",))
    spans = [span(shoulders, point(person, "l_hip", "r_hip"))]
    for side in ("l", "r"):
        hip, knee, ankle = (point(person, f"{side}_{name}") for name in ("hip", "knee", "ankle"))
        spans += [TRUNK_OVER_THIGH * span(hip, knee), TRUNK_OVER_SHIN * span(knee, ankle)]
    longest = np.max(spans, axis=0)
    valid = longest > 0
    if not valid.any():
        return np.zeros(person.num_frames)
    where = np.flatnonzero(valid)
    nearest = where[np.rint(np.interp(np.arange(person.num_frames), where, np.arange(len(where)))).astype(np.int64)]
    return median_filter(longest[nearest], size=window(SCALE_WINDOW, person.fps), mode="nearest")


def window(seconds: float, fps: float) -> int:
    """Odd number of frames that covers `seconds` [s]."""
    return max(1, round(seconds * fps)) // 2 * 2 + 1


def smooth(track: Track, fps: float, *, sigma: float = SMOOTHING) -> Float[np.ndarray, "T 2"]:
    """Gaussian mean of width `sigma` [s] over the frames in which the point is seen (normalised convolution) [px]."""
    seen = track.seen.astype(np.float64)
    weight = gaussian_filter1d(seen, sigma * fps, mode="nearest")
    total = gaussian_filter1d(track.uv * seen[:, None], sigma * fps, axis=0, mode="nearest")
    return total / np.maximum(weight, 1e-9)[:, None]


def velocity(track: Track, fps: float) -> Float[np.ndarray, "T 2"]:
    """Velocity of the smoothed track [px/s]; one frame alone has none."""
    if len(track.uv) < 2:
        return np.zeros_like(track.uv)
    return np.gradient(smooth(track, fps), 1 / fps, axis=0)
