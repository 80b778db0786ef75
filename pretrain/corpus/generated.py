"""The generated corpus as examples to train on, and its videos as a source of clips."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from pretrain.clips import NarratedClip
from pretrain.corpus.canvas import Tint, View, whole
from pretrain.corpus.options import CorpusError, CorpusOptions
from pretrain.corpus.script import TRAINING, Script, write_script
from pretrain.sampling import Draw, Sampling, draw
from records import Timeline

_DRAW = 4
"""What follows the number of an example in the seed of how its clip is taken."""


class GeneratedVideos:
    """Videos by number, as a `Source` of clips; they are square, and painted when they are asked for."""

    def __init__(self, options: CorpusOptions, *, seed: int) -> None:
        """Nothing is made yet."""
        self.options = options
        self.seed = seed

    def __len__(self) -> int:
        """Count the videos of an epoch."""
        return self.options.videos

    def name(self, index: int) -> str:
        """What errors call a video."""
        return f"generated-{self.seed}-{index}"

    def script(self, index: int) -> Script:
        """What happens in a video and what is said: for evaluation, never to train on."""
        return write_script(self.options, (TRAINING, self.seed, index))

    def narration(self, index: int) -> tuple[Timeline, float]:
        """What is said in a video, and how long it lasts [s]."""
        script = self.script(index)
        return script.narration(), script.duration

    def frames(self, index: int, moments: np.ndarray, short_side: int) -> UInt8[np.ndarray, "T S S 3"]:
        """What a video shows at some moments [s]."""
        return self.script(index).frames(moments, whole((short_side, short_side)))

    def sound(self, index: int, start: float, seconds: float, rate: int) -> Float[np.ndarray, "N"] | None:
        """What is heard from a moment [s] on, at the rate of the options; None where those make no sound.

        Raises:
            CorpusError: another rate.
        """
        if not self.options.sample_rate:
            return None
        if rate != self.options.sample_rate:
            raise CorpusError(f"sound of {rate} samples a second: the corpus has {self.options.sample_rate}")
        chance = np.random.default_rng((TRAINING, self.seed, index, _DRAW, round(1000 * start)))
        return self.script(index).wave(start, seconds, chance)


class Corpus:
    """Examples by number, as those of `NarratedClips`: each depends on the seed and its number alone.

    Where options say `fresh`, every number is of a video of its own, so that nothing is ever shown twice.
    """

    def __init__(self, options: CorpusOptions, *, seed: int, sampling: Sampling | None = None) -> None:
        """Nothing is made yet.

        Args:
            options: what is shown and said, and how clips are taken.
            seed: of all that chance decides.
            sampling: how clips are taken, where that is otherwise than the options say.
        """
        self.source = GeneratedVideos(options, seed=seed)
        self.sampling = sampling or options.sampling
        self.seed = seed

    def __len__(self) -> int:
        """Count the examples of an epoch: one a video."""
        return len(self.source)

    def __getitem__(self, number: int) -> NarratedClip:
        """An example; numbers go on after the last of an epoch."""
        script, drawn, generator = self.drawn(number)
        view = view_of(drawn.offset, drawn.flip, self.sampling)
        tint = _tint(script.options.colour, generator) if self.sampling.augment and script.options.colour else None
        there = zip(drawn.candidates.tolist(), drawn.present.tolist(), strict=True)
        start, rate = float(drawn.moments[0]), script.options.sample_rate
        return NarratedClip(
            frames=script.frames(drawn.moments, view, tint),
            captions=tuple(script.sentence(k) if present else "" for k, present in there),
            present=drawn.present,
            video=self.source.name(script.seed[-1]),
            start=start,
            wave=script.wave(start, self.sampling.seconds, generator) if rate else None,
        )

    def drawn(self, number: int) -> tuple[Script, Draw, np.random.Generator]:
        """The video of an example, how the clip is taken, and the source of chance for what is left."""
        video = number if self.source.options.fresh else number % len(self)
        script = self.source.script(video)
        generator = np.random.default_rng((TRAINING, self.seed, number, _DRAW))
        return script, draw(script.said, script.duration, self.sampling, generator), generator


def view_of(offset: tuple[float, float], flip: bool, sampling: Sampling) -> View:
    """The pixels that `seen` would take of whole pictures; see `Draw`."""
    full = whole((sampling.short_side, sampling.short_side))
    room = sampling.short_side - sampling.size
    top, left = (min(int(share * (room + 1)), room) for share in offset)
    x, y = full.x[left : left + sampling.size], full.y[top : top + sampling.size]
    return View(x[::-1] if flip else x, y, full.pixel)


def _tint(most: float, generator: np.random.Generator) -> Tint:
    """Colours that are changed by chance."""
    offset = 127 * generator.uniform(-most, most)
    return Tint(1 + generator.uniform(-most, most, 3), np.full(3, offset), float(generator.uniform(0, most)))
