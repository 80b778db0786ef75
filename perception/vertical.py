"""The vertical from the image: what is built stands upright, so that its edges meet in the vertical vanishing point.

Edges come from the part of a static camera's picture that does not move. A segment is upright, within what walls and
posts are out of plumb, or is anything else; all rolls and pitches are weighed (von Gioi et al. 2010 for the segments;
the mixture is that of Coughlan and Yuille 1999, "Manhattan world").
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from perception.video import read_frames
from records import Camera, Clip

SAMPLES = 3
"""Frames whose median is looked at: a person who moves is gone from it."""
WATCHED = 1.0
"""Time from the beginning that they are taken from [s]: decoding more costs more than it shows of a static camera."""
BORDER = 0.01
"""Segments nearer to the image's edge than this share of its diagonal are the picture's frame, not the world's."""
MIN_LENGTH = 0.03
"""Shortest segment over the image diagonal."""
END_ERROR = 0.7
"""Standard error of an end of a segment across it [px]: detectors round to pixels, video codecs blur."""
PLUMB_ERROR = np.deg2rad(0.4)
"""How far an edge that is meant to be upright is out of plumb in the image [rad]: building tolerances (DIN 18202 admits
0.2 degrees over a storey), and what is left of the lens."""
COMMON_ERROR = np.deg2rad(0.3)
"""What many such edges have in common [rad]: the lens, posts of one frame."""
STEEP = np.deg2rad(30.0)
"""Segments this near to the image's vertical may be upright [rad]."""
UPRIGHT_SHARE = 0.5
"""Prior share of upright ones among them."""
SEGMENTS_PER_EDGE = 4.0
"""Segments that are one piece of evidence: a post has two sides, each found in pieces."""
ROLLS = np.deg2rad(np.arange(-20.0, 20.01, 0.5))
PITCHES = np.deg2rad(np.arange(-40.0, 40.01, 1.0))
"""Tilts that are weighed [rad]; their whole spread is what stands where nothing is seen."""


class Vertical(NamedTuple):
    """Tilt of a camera by what stands upright before it."""

    roll: float
    """Clockwise about the optical axis [rad], as in `perception.camera.level_axes`."""
    pitch: float
    """Looking down [rad]; proportional to the focal length where it is small."""
    covariance: Float[np.ndarray, "2 2"]
    """Of roll and pitch [rad^2], at the focal length that was given."""


def still_segments(clip: Clip) -> Float[np.ndarray, "N 4"]:
    """Line segments of what does not move: u, v of one end, u, v of the other [px].

    Raises:
        ClipError: a frame cannot be decoded.
    """
    import cv2

    last = min(clip.num_frames - 1, round(WATCHED * clip.fps))
    chosen = set(np.linspace(0, last, SAMPLES).round().astype(int).tolist())
    frames = enumerate(read_frames(clip.replace(num_frames=last + 1)))
    still = np.median([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for n, f in frames if n in chosen], axis=0).astype(np.uint8)
    found = cv2.createLineSegmentDetector().detect(still)[0]
    if found is None:
        return np.zeros((0, 4))
    return np.asarray(found, float).reshape(-1, 4)


def vertical_of(segments: Float[np.ndarray, "N 4"], intrinsics: Camera) -> Vertical:
    """Mean and covariance of roll and pitch over all that are possible, each as likely as the segments make it.

    Where few segments, or contradicting ones, are seen the covariance is wide.

    Args:
        segments: ends [px].
        intrinsics: a camera whose K and lens hold; its pose does not matter.
    """
    ends = intrinsics.replace(T_world_camera=np.eye(4)[None]).rays(segments.reshape(1, -1, 2))
    start, end = (ends[..., :2] / ends[..., 2:]).reshape(-1, 2, 2).swapaxes(0, 1)
    span = np.linalg.norm(end - start, axis=1)
    pixel = 2 / (intrinsics.K[0, 0] + intrinsics.K[1, 1])
    extent = np.abs(end - start)
    size = np.array(intrinsics.size_hw[::-1], float)
    diagonal = float(np.hypot(*size))
    middle = 0.5 * (segments[:, :2] + segments[:, 2:])
    inside = np.minimum(middle, size - middle).min(axis=1) > BORDER * diagonal
    steep = extent[:, 0] < np.tan(STEEP) * extent[:, 1]
    kept = inside & steep & (span > MIN_LENGTH * diagonal * pixel)
    start, end, span = start[kept], end[kept], span[kept]
    sigma = np.hypot(np.sqrt(2) * END_ERROR * pixel / span, PLUMB_ERROR)
    roll, pitch = np.meshgrid(ROLLS, PITCHES, indexing="ij")
    score = np.zeros_like(roll)
    for middle, along, width in zip(0.5 * (start + end), (end - start) / span[:, None], sigma, strict=True):
        angle = _off(roll, pitch, middle, along)
        upright = np.exp(-0.5 * (angle / width) ** 2) / (width * np.sqrt(2 * np.pi))
        score += np.log(UPRIGHT_SHARE * upright + (1 - UPRIGHT_SHARE) / (2 * STEEP))
    weight = np.exp((score - score.max()) / SEGMENTS_PER_EDGE)
    weight /= weight.sum()
    tilt = np.stack([roll, pitch], axis=-1)
    mean = np.einsum("rp,rpi->i", weight, tilt)
    covariance = np.einsum("rp,rpi,rpj->ij", weight, tilt - mean, tilt - mean) + COMMON_ERROR**2 * np.eye(2)
    return Vertical(float(mean[0]), float(mean[1]), covariance)


def _off(roll: np.ndarray, pitch: np.ndarray, middle: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Angle in the image between a segment and the vertical through its middle, for each tilt [rad]."""
    down = np.cos(pitch) * np.sin(roll), np.cos(pitch) * np.cos(roll), np.sin(pitch)
    x, y = down[0] - middle[0] * down[2], down[1] - middle[1] * down[2]
    across, parallel = x * along[1] - y * along[0], x * along[0] + y * along[1]
    return np.asarray(np.arctan2(across, np.abs(parallel)))
