"""Clips with labels, to evaluate with: whole actions, what is said on them, and what would be said on the reverse.

Their seeds are apart from those of all videos, whatever the seeds of those are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from pretrain.corpus.actions import ACTIONS, partner
from pretrain.corpus.generated import view_of
from pretrain.corpus.options import CorpusError, CorpusOptions
from pretrain.corpus.script import ALIGNED
from pretrain.corpus.shot import Shot
from pretrain.corpus.sound import wave
from pretrain.corpus.wording import CHOICES, spoken

TEST, VALIDATION, PROBES = 0, 1, 2
"""Seeds of the clips to test with, to choose settings with, and to fit probes on."""


class LabelledClip(NamedTuple):
    """An action from its beginning to its end, and what it is."""

    frames: UInt8[np.ndarray, "T S S 3"]
    sentence: str
    """What is said on it, with its name."""
    reverse: str
    """The same on the partner of the action."""
    action: str
    thing: str
    interval: tuple[float, float]
    """Start and end of the action [s]; the first frame is at 0."""
    wave: Float[np.ndarray, "N"] | None
    """Sound from the first frame on, where options ask for it."""


class LabelledClips:
    """Labelled clips by number, equally many of each action and thing where their count is a multiple of all of them.

    Clip 2 k + 1 is clip 2 k shown backwards, and their two sentences change places. Clips of different seeds share
    nothing; see `TEST`.
    """

    def __init__(self, options: CorpusOptions, count: int, *, seed: int = TEST) -> None:
        """Nothing is made yet.

        Raises:
            CorpusError: an odd number of clips, or none.
        """
        if count < 2 or count % 2:
            raise CorpusError(f"{count} clips: expected pairs, of a clip and the same backwards")
        self.options = options
        self.seed = seed
        self._count = count
        self._changes = tuple(name for name in options.actions if not ACTIONS[name].backwards)

    def __len__(self) -> int:
        """Count the clips."""
        return self._count

    @property
    def classes(self) -> int:
        """How many combinations of action and thing there are; so many clips in a row have each once."""
        return 2 * len(self._changes) * len(self.options.objects)

    def __getitem__(self, number: int) -> LabelledClip:
        """A clip.

        Raises:
            IndexError: there are fewer.
        """
        if not 0 <= number < self._count:
            raise IndexError(f"clip {number} of {self._count}")
        pair, backwards = divmod(number, 2)
        generator = np.random.default_rng((ALIGNED, self.seed, pair))
        return labelled(self.shot(pair), self.options, generator, backwards=bool(backwards))

    def shot(self, pair: int) -> Shot:
        """What clip 2 `pair` shows."""
        change, thing = pair % len(self._changes), pair // len(self._changes) % len(self.options.objects)
        look = (ALIGNED, self.seed, pair, 1)
        return Shot(
            action=self._changes[change],
            thing=self.options.objects[thing],
            lasting=float(np.random.default_rng((*look, 1)).uniform(*self.options.lasting)),
            look=look,
            distractors=self.options.distractors,
        )


def labelled(
    shot: Shot, options: CorpusOptions, generator: np.random.Generator, *, backwards: bool = False
) -> LabelledClip:
    """A clip of a whole action, which begins by chance where it still fits in, seen as in training.

    Args:
        shot: what is seen.
        options: size and rate of the clip.
        generator: decides on the moment, the crop, a flip and the words.
        backwards: whether it is shown backwards, so that it is of the partner of the action.
    """
    sampling, rate = options.sampling, options.sample_rate
    shown = (sampling.frames - 1) / sampling.fps
    late = float(generator.uniform(-0.5, 0.5)) * max(0.0, shown - shot.lasting)
    view = view_of(tuple(generator.random(2).tolist()), bool(generator.random() < 0.5), sampling)
    chance = generator.random(CHOICES)
    if backwards:
        shot, late = shot.reversed(), -late
    begin = shown / 2 + late - shot.lasting / 2
    return LabelledClip(
        frames=shot.frames((np.arange(sampling.frames) - (sampling.frames - 1) / 2) / sampling.fps - late, view),
        sentence=spoken(shot.action, shot.thing, chance),
        reverse=spoken(partner(shot.action), shot.thing, chance),
        action=shot.action,
        thing=shot.thing,
        interval=(begin, begin + shot.lasting),
        wave=wave([(begin, shot)], sampling.seconds, rate, options.noise, generator) if rate else None,
    )


def pair_accuracy(right: Float[np.ndarray, "N"], reverse: Float[np.ndarray, "N"]) -> float:
    """Share of clips whose own sentence scores higher than that on the reverse; a tie counts half.

    Args:
        right: score of each clip with its `sentence`.
        reverse: score of each clip with its `reverse`.
    """
    return float(np.mean((right > reverse) + 0.5 * (right == reverse)))
