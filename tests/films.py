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


def write_srt(path: Path, sentences) -> Path:
    """Captions from (start, end, text)."""

    def moment(t):
        return f"{int(t // 3600):02}:{int(t // 60) % 60:02}:{int(t) % 60:02},{round(t % 1 * 1000):03}"

    cues = [f"{k}\n{moment(a)} --> {moment(b)}\n{text}\n" for k, (a, b, text) in enumerate(sentences, 1)]
    path.write_text("\n".join(cues))
    return path
