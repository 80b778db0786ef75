"""What a clip's pixels say without any training: colours and oriented gradients, the control of learned features."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from perception.video import read_frames
from records import Clip, Features, digest

EVERY = 0.4
"""Length of a window by default [s]: the chunks of Alayrac et al."""
RATE = 5.0
"""Frames that are looked at, at most [1/s]."""
VERSION = 1
"""Of what is computed; part of the features' hash."""

_SIDE, _CELL, _BINS = 64, 16, 9
"""For gradients frames are reduced to squares of 64 px, of cells of 16 px and 9 orientations each."""


def colour(image: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "128"]:
    """Root of the share of pixels with each of 64 colours, in the whole image and in its central half."""
    number = ((image[..., 0] >> 6) * 16 + (image[..., 1] >> 6) * 4 + (image[..., 2] >> 6)).astype(np.int64)
    height, width = number.shape
    middle = number[height // 4 : height - height // 4, width // 4 : width - width // 4]
    shares = [np.bincount(part.ravel(), minlength=64) / max(part.size, 1) for part in (number, middle)]
    return np.sqrt(np.concatenate(shares))


def gradients(image: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "324"]:
    """Histograms of oriented gradients (Dalal and Triggs, CVPR 2005) of the reduced grey image, of length 1.

    Orientations are without sign, each pixel votes with its magnitude for the two nearest; blocks of 2 x 2 cells that
    overlap are scaled to length 1.
    """
    grey = cv2.cvtColor(cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    down, right = np.gradient(grey.astype(np.float64))
    place = np.arctan2(down, right) / np.pi % 1 * _BINS
    lower = np.floor(place)
    size = np.hypot(down, right)
    row, column = np.indices(grey.shape) // _CELL
    across = _SIDE // _CELL
    cell = (row * across + column) * _BINS
    votes = np.zeros(across * across * _BINS)
    for which, share in ((lower, 1 - (place - lower)), (lower + 1, place - lower)):
        number = cell + which.astype(np.int64) % _BINS
        votes += np.bincount(number.ravel(), (size * share).ravel(), minlength=len(votes))
    cells = votes.reshape(across, across, _BINS)
    blocks = np.concatenate([cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]], axis=2)
    blocks = blocks / (np.linalg.norm(blocks, axis=2, keepdims=True) + 1.0)
    return blocks.ravel() / max(float(np.linalg.norm(blocks)), 1e-9)


def both(image: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "452"]:
    """Colours and gradients, side by side."""
    return np.concatenate([colour(image), gradients(image)])


def thumbnail(image: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "432"]:
    """The image itself, reduced to 12 x 12 px, from 0 to 1: for cameras that always show the object in one place."""
    return (cv2.resize(image, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA) / 255.0).ravel()


_THUMB = 12

PIXELS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "colour": colour,
    "hog": gradients,
    "colour_hog": both,
    "thumbnail": thumbnail,
}
"""What can be computed of a frame, by name."""


def pixel_features(clip: Clip, kind: str, *, every: float = EVERY) -> Features:
    """Mean description of the frames of each window; windows of `every` [s] follow each other.

    Times are those of the file by the clip's true rate. The last window ends with the clip.

    Args:
        clip: the video.
        kind: of `PIXELS`.
        every: length of a window [s]; at least one frame.

    Raises:
        ClipError: the video cannot be read.
    """
    describe = PIXELS[kind]
    stride = max(1, int(clip.fps / RATE))
    length = max(1, round(every * clip.fps))
    stride = min(stride, length)
    windows = -(-clip.num_frames // length)
    total: np.ndarray | None = None
    count = np.zeros(windows)
    for n, image in enumerate(read_frames(clip)):
        if n % length % stride:
            continue
        found = describe(image)
        total = np.zeros((windows, len(found))) if total is None else total
        total[n // length] += found
        count[n // length] += 1
    assert total is not None
    start = np.arange(windows) * length
    time = np.stack([start, np.minimum(start + length, clip.num_frames)], axis=1) + clip.start
    return Features(
        value=total / count[:, None],
        time=time / clip.fps,
        encoder=f"pixels {kind}",
        encoder_hash=digest("pixels", kind, VERSION),
        clip=clip.path,
    )
