"""Small videos whose frames tell their own number, and captions beside them."""

from pathlib import Path

import numpy as np

from perception.video import write_video

LEVELS = 20
"""Frames in a row that can be told apart by their brightness."""


def write_film(path: Path, *, seconds: float, fps: float = 10.0, size_hw=(48, 64)) -> Path:
    """A video in which the brightness of frame n is that of n modulo LEVELS; its left quarter is black."""
    left = size_hw[1] // 4

    def frames():
        for n in range(round(seconds * fps)):
            image = np.full((*size_hw, 3), 30 + 10 * (n % LEVELS), np.uint8)
            image[:, :left] = 0
            yield image

    return write_video(path, frames(), fps, quality=10)


def numbers(clip: np.ndarray) -> np.ndarray:
    """Number modulo LEVELS of each frame (T, H, W, 3) of such a video, from its right half."""
    level = clip[:, :, clip.shape[2] // 2 :].mean(axis=(1, 2, 3))
    return np.round((level - 30) / 10).astype(int)


def write_turned(path: Path, image: np.ndarray) -> Path:
    """A video (.mp4) of an image that asks to be turned clockwise by a quarter."""
    content = write_video(path, [image] * 3, 10.0).read_bytes()
    as_it_is = _matrix(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    assert content.count(as_it_is) == 2, "of the movie, and of its track"
    before, _, after = content.rpartition(as_it_is)
    clockwise = _matrix(0, 0x10000, 0, -0x10000, 0, 0, len(image) << 16, 0, 0x40000000)
    path.write_bytes(before + clockwise + after)
    return path


def _matrix(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big", signed=True) for value in values)


def write_srt(path: Path, sentences) -> Path:
    """Captions from (start, end, text)."""

    def moment(t):
        return f"{int(t // 3600):02}:{int(t // 60) % 60:02}:{int(t) % 60:02},{round(t % 1 * 1000):03}"

    cues = [f"{k}\n{moment(a)} --> {moment(b)}\n{text}\n" for k, (a, b, text) in enumerate(sentences, 1)]
    path.write_text("\n".join(cues))
    return path
