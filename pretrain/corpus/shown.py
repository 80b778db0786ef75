"""Clips with labels of the very videos that a training shows: what is known of them beyond others is memorised."""

from __future__ import annotations

import numpy as np

from pretrain.corpus.generated import Corpus
from pretrain.corpus.labelled import LabelledClip, labelled
from pretrain.corpus.options import CorpusError
from pretrain.corpus.script import TRAINING

_CLIP = 5
"""What follows the numbers of a video and an action in the seed of how its clip is taken."""


class ShownClips:
    """Aligned clips of the videos of a training, in rounds that have each action and thing once."""

    def __init__(self, corpus: Corpus, videos: int, *, rounds: int = 1) -> None:
        """Look for them among the first `videos` examples.

        Raises:
            CorpusError: one of the actions does not happen to one of the things so often.
        """
        self._corpus = corpus
        options = corpus.source.options
        found: dict[tuple[str, str], list[tuple[int, int]]] = {
            (action, thing): [] for thing in options.objects for action in options.actions
        }
        for number in range(videos if options.fresh else min(videos, len(corpus))):
            script = corpus.source.script(number)
            for step, label in enumerate(zip(script.actions, script.things, strict=True)):
                found[label].append((number, step))
            if min(map(len, found.values())) >= rounds:
                break
        else:
            rare = min(found, key=lambda label: len(found[label]))
            raise CorpusError(f"{videos} videos: {' '.join(rare)} is in {len(found[rare])} of them, not in {rounds}")
        self.places = [places[k] for k in range(rounds) for places in found.values()]
        """Video and action of each clip."""
        self._classes = len(found)

    @property
    def classes(self) -> int:
        """How many combinations of action and thing there are; so many clips in a row have each once."""
        return self._classes

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.places)

    def __getitem__(self, number: int) -> LabelledClip:
        """A clip."""
        video, step = self.places[number]
        corpus = self._corpus
        shot = corpus.source.script(video).shot(step)
        generator = np.random.default_rng((TRAINING, corpus.seed, video, _CLIP, step))
        return labelled(shot, corpus.source.options, generator)
