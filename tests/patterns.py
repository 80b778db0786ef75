"""Training examples that cost nothing: a bright square, its colour, and a sentence that says nothing."""

import os
import signal
from pathlib import Path

import numpy as np

from pretrain.clips import NarratedClip
from pretrain.vocabulary import Vocabulary

COLOURS = ("red", "green", "blue", "white")
VOCABULARY = Vocabulary((*COLOURS, "look", "here", "nothing"))


class Patterns:
    """`count` videos; example n is of video n mod count and shows colour n mod 4."""

    def __init__(self, count=16, *, side=16, frames=4, sound=False):
        self.count, self.side, self.frames, self.sound = count, side, frames, sound

    def __len__(self):
        return self.count

    def __getitem__(self, number):
        chance = np.random.default_rng(number)
        colour = number % 4
        frames = chance.integers(0, 80, (self.frames, self.side, self.side, 3), dtype=np.uint8)
        rows, columns = chance.integers(0, self.side // 2, 2)
        quarter = frames[:, rows : rows + self.side // 2, columns : columns + self.side // 2]
        quarter[..., colour if colour < 3 else slice(None)] += 150
        wave = None
        if self.sound and number % 3:
            wave = np.sin(np.arange(3200) * (0.05 + 0.1 * colour)).astype(np.float32)
        return NarratedClip(
            frames=frames,
            captions=(f"look {COLOURS[colour]}", "nothing here"),
            present=np.array([True, True]),
            video=f"video-{number % self.count}",
            start=0.0,
            wave=wave,
        )


class Deadly(Patterns):
    """One example kills its process: always, or only if a file is not there yet, which it then makes."""

    def __init__(self, number, once: Path | None = None):
        super().__init__()
        self.number, self.once = number, once

    def __getitem__(self, number):
        if number == self.number and (self.once is None or not self.once.exists()):
            if self.once is not None:
                self.once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(number)


class Replacing(Patterns):
    """Examples in the place of others that could not be read."""

    def __getitem__(self, number):
        return super().__getitem__(number)._replace(passed_over=(f"{number % 2}.mp4: damaged at {number} s",))


class Broken(Patterns):
    """Example 3 cannot be made."""

    def __getitem__(self, number):
        if number == 3:
            raise ValueError("example 3 is broken")
        return super().__getitem__(number)
