"""The script of a generated video: what happens when, and what is said when, some of it about something else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from pretrain.corpus.canvas import Tint, View
from pretrain.corpus.options import UNEVEN, CorpusOptions
from pretrain.corpus.shot import Shot
from pretrain.corpus.sound import wave
from pretrain.corpus.wording import CHOICES, chatter, spoken
from records import Timeline

TRAINING, ALIGNED = 0, 1
"""First number of every seed: of videos to train on, and of clips to evaluate with; they never meet."""
_SHOT = 1
"""What follows the number of a video in the seeds of its shots."""
_SAID_FOR = (1.0, 2.5)
"""How long a sentence takes [s]."""


class Script(NamedTuple):
    """A video before it is painted; all arrays are in order of time."""

    options: CorpusOptions
    seed: tuple[int, ...]
    duration: float
    """[s]."""
    actions: tuple[str, ...]
    things: tuple[str, ...]
    middle: Float[np.ndarray, "N"]
    """Of each action [s]."""
    lasting: Float[np.ndarray, "N"]
    """Of each action [s]."""
    said: Float[np.ndarray, "M 2"]
    """Start and end of each sentence [s]."""
    about: Int[np.ndarray, "M"]
    """Number of the action that a sentence is on; -1 for none."""
    wording: Float[np.ndarray, "M C"]
    """Decides on the words of a sentence."""

    def sentence(self, number: int) -> str:
        """What is said."""
        step, chance = int(self.about[number]), self.wording[number]
        if step < 0:
            return chatter(self.options.objects, chance)
        return spoken(self.actions[step], self.things[step], chance, self.options.pronouns)

    def narration(self) -> Timeline:
        """All that is said."""
        labels = tuple(self.sentence(k) for k in range(len(self.said)))
        return Timeline(labels=labels, interval=self.said, confidence=np.ones(len(self.said)))

    def shot(self, step: int) -> Shot:
        """How an action is seen."""
        return Shot(
            action=self.actions[step],
            thing=self.things[step],
            lasting=float(self.lasting[step]),
            look=(*self.seed, _SHOT, step),
            distractors=self.options.distractors,
        )

    def showing(self, moments: Float[np.ndarray, "T"]) -> Int[np.ndarray, "T"]:
        """Number of the action whose shot is seen at some moments [s]; shots change half-way between actions."""
        return np.searchsorted((self.middle[1:] + self.middle[:-1]) / 2, moments, side="right")

    def frames(
        self, moments: Float[np.ndarray, "T"], view: View, tint: Tint | None = None
    ) -> UInt8[np.ndarray, "T H W 3"]:
        """What is seen at some ascending moments [s]."""
        steps = self.showing(moments)
        parts = np.split(np.arange(len(moments)), np.flatnonzero(np.diff(steps)) + 1)
        shots = [(self.shot(int(steps[part[0]])), moments[part] - self.middle[steps[part[0]]]) for part in parts]
        return np.concatenate([shot.frames(time, view, tint) for shot, time in shots])

    def wave(self, start: float, seconds: float, generator: np.random.Generator) -> Float[np.ndarray, "N"]:
        """What is heard from `start` on [s]; the generator makes the noise."""
        begin = self.middle - self.lasting / 2 - start
        heard = np.flatnonzero((begin < seconds) & (begin + self.lasting > 0)).tolist()
        actions = [(float(begin[step]), self.shot(step)) for step in heard]
        return wave(actions, seconds, self.options.sample_rate, self.options.noise, generator)


def write_script(options: CorpusOptions, seed: tuple[int, ...]) -> Script:
    """The script of the video of a seed.

    Sentences on actions are off by N(0, misalignment), the others anywhere; those that would begin before the video or
    end after it are moved into it.
    """
    generator = np.random.default_rng(seed)
    count = options.steps
    duration = count * options.period
    middle = (np.arange(count) + 0.5 + generator.uniform(-UNEVEN, UNEVEN, count)) * options.period
    lasting = generator.uniform(*options.lasting, count)
    actions = tuple(options.actions[k] for k in generator.integers(len(options.actions), size=count))
    things = tuple(options.objects[k] for k in generator.integers(len(options.objects), size=count))
    others = int(count * options.irrelevant / (1 - options.irrelevant) + generator.random())
    centre = np.concatenate(
        [middle + options.misalignment * generator.standard_normal(count), generator.uniform(0, duration, others)]
    )
    half = np.minimum(generator.uniform(*_SAID_FOR, count + others), duration) / 2
    centre = np.clip(centre, half, duration - half)
    said, about = np.stack([centre - half, centre + half], 1), np.repeat((0, -1), (count, others))
    about[:count] = np.arange(count)
    order = np.argsort(said[:, 0], kind="stable")
    wording = generator.random((len(said), CHOICES))
    return Script(options, seed, duration, actions, things, middle, lasting, said[order], about[order], wording)
