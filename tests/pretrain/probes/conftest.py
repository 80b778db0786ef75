"""Videos of plain colours, and an encoder that sees nothing but colour and its change."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from perception.video import write_video
from pretrain.sampling import Sampling

COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200), "grey": (115, 115, 115)}
FPS = 10


class Eye:
    """Features: mean colour of the first and of the last frame; embeddings: how red, green and blue the clip is."""

    name = "eye"
    sampling = Sampling(frames=4, fps=8.0, size=16)

    def __init__(self):
        self.shapes = []

    def fingerprint(self):
        return hashlib.sha256(b"eye").hexdigest()

    def encode_clips(self, frames):
        self.shapes.append(frames.shape)
        mean = frames.mean(axis=(2, 3)) / 255
        grey = mean.mean(axis=(1, 2), keepdims=True)
        return SimpleNamespace(features=mean[:, [0, -1]].reshape(len(frames), 6), embedding=(mean - grey).mean(axis=1))

    def knows(self, sentences):
        return np.array([bool(set(COLOURS) & set(sentence.split())) for sentence in sentences])

    def encode_sentences(self, sentences):
        assert self.knows(sentences).all()
        colour = [np.mean([COLOURS[w] for w in s.split() if w in COLOURS], axis=0) for s in sentences]
        return np.array(colour) - np.mean(colour, axis=1, keepdims=True)


@pytest.fixture
def eye():
    return Eye()


@pytest.fixture
def paint():
    """A video that shows colours one after the other, each for some seconds."""

    def write(path: Path, *shown: tuple[str, float], size_hw=(24, 40)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = (
            np.full((*size_hw, 3), COLOURS[name], np.uint8)
            for name, seconds in shown
            for _ in range(round(seconds * FPS))
        )
        return write_video(path, frames, FPS, quality=10)

    return write
