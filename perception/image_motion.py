"""How fast points of a person move in the image, in lengths of the person's own trunk: a scale that needs no camera."""

from __future__ import annotations

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


def point(person: Keypoints, *names: str) -> tuple[Float[np.ndarray, "T 2"], Bool[np.ndarray, "T"]]:
    """Track of the mean of named points [px] and where all of them are seen; unseen throughout when one is unknown."""
    known = [name for name in names if name in person.names]
    if len(known) < len(names):
        return np.zeros((person.num_frames, 2)), np.zeros(person.num_frames, bool)
    columns = [person.index(name) for name in names]
    return person.uv[:, columns].mean(axis=1), person.confidence[:, columns].min(axis=1) >= SEEN


def first_known(person: Keypoints, *choices: tuple[str, ...]) -> tuple[Float[np.ndarray, "T 2"], Bool[np.ndarray, "T"]]:
    """Track of the first choice of points whose names the person has at all and which is seen at least once."""
    tracks = [point(person, *names) for names in choices]
    return next((track for track in tracks if track[1].any()), tracks[0])


def hand(person: Keypoints, side: str) -> tuple[Float[np.ndarray, "T 2"], Bool[np.ndarray, "T"]]:
    """Track of the left (`l`) or right (`r`) hand [px]: the fingers, or else the wrist."""
    return first_known(person, (f"{side}_fingers",), (f"{side}_index", f"{side}_pinky"), (f"{side}_wrist",))


def trunk(person: Keypoints) -> tuple[Float[np.ndarray, "T 2"], Bool[np.ndarray, "T"]]:
    """Track of the middle of the trunk [px]."""
    return first_known(
        person,
        ("l_shoulder", "r_shoulder", "l_hip", "r_hip"),
        ("neck", "l_hip", "r_hip"),
        ("l_shoulder", "r_shoulder"),
        ("neck",),
    )


def trunk_length(person: Keypoints) -> Float[np.ndarray, "T"]:
    """Length of the trunk as if it were parallel to the image [px]; a running maximum over trunk, thighs and shins.

    A segment is only ever foreshortened, so that the longest evidence is the best; a running median over one second
    takes out single bad detections. Where nothing is seen the nearest value is kept; 0 when nothing is ever seen.
    """
    shoulders, shoulders_seen = first_known(person, ("l_shoulder", "r_shoulder"), ("neck",))
    hips, hips_seen = point(person, "l_hip", "r_hip")
    spans = [(np.linalg.norm(shoulders - hips, axis=1), shoulders_seen & hips_seen)]
    for side in ("l", "r"):
        hip, knee, ankle = (point(person, f"{side}_{name}") for name in ("hip", "knee", "ankle"))
        spans.append((TRUNK_OVER_THIGH * np.linalg.norm(hip[0] - knee[0], axis=1), hip[1] & knee[1]))
        spans.append((TRUNK_OVER_SHIN * np.linalg.norm(knee[0] - ankle[0], axis=1), knee[1] & ankle[1]))
    longest = np.max([np.where(seen, length, 0.0) for length, seen in spans], axis=0)
    valid = longest > 0
    if not valid.any():
        return np.zeros(person.num_frames)
    where = np.flatnonzero(valid)
    nearest = where[np.rint(np.interp(np.arange(person.num_frames), where, np.arange(len(where)))).astype(np.int64)]
    return median_filter(longest[nearest], size=window(SCALE_WINDOW, person.fps), mode="nearest")


def window(seconds: float, fps: float) -> int:
    """Odd number of frames that covers `seconds` [s]."""
    return max(1, round(seconds * fps)) // 2 * 2 + 1


def smooth(
    uv: Float[np.ndarray, "T 2"], seen: Bool[np.ndarray, "T"], fps: float
) -> tuple[Float[np.ndarray, "T 2"], Float[np.ndarray, "T"]]:
    """Gaussian mean over seen frames only (normalised convolution), and how much of the window was seen, in [0, 1]."""
    sigma = SMOOTHING * fps
    weight = gaussian_filter1d(seen.astype(np.float64), sigma, mode="nearest")
    total = gaussian_filter1d(np.where(seen[:, None], uv, 0.0), sigma, axis=0, mode="nearest")
    return total / np.maximum(weight, 1e-9)[:, None], weight


def velocity(uv: Float[np.ndarray, "T 2"], seen: Bool[np.ndarray, "T"], fps: float) -> Float[np.ndarray, "T 2"]:
    """Velocity of the smoothed track [px/s]; one frame alone has none."""
    if len(uv) < 2:
        return np.zeros_like(uv)
    return np.gradient(smooth(uv, seen, fps)[0], 1 / fps, axis=0)
