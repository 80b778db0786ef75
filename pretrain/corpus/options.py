"""What the generated corpus is made of, how well its narration fits, and how its clips are taken."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pretrain.corpus.actions import ACTIONS, partner
from pretrain.corpus.shapes import OBJECTS
from pretrain.sampling import Sampling

UNEVEN = 0.15
"""Most by which the middle of an action is off from an even rhythm, over the period."""
_SHARE = 1 - 2 * UNEVEN
"""Of the period, that neighbouring actions are apart at least."""


class CorpusError(ValueError):
    """A corpus that cannot be made as it is asked for."""


def _small() -> Sampling:
    return Sampling(frames=8, fps=4.0, size=48, crop=0.875, candidates=5, shortest=2.0)


@dataclass(frozen=True, kw_only=True)
class CorpusOptions:
    """A generated corpus; the defaults are for two processor cores."""

    sampling: Sampling = field(default_factory=_small)
    """How clips are taken. The crop shifts what is seen; a flip changes no meaning, since nothing here has a side."""
    objects: tuple[str, ...] = tuple(OBJECTS)[:8]
    """Things that something happens to; by name in `OBJECTS`."""
    actions: tuple[str, ...] = tuple(ACTIONS)
    """What happens; by name in `ACTIONS`, each with its partner."""
    videos: int = 8192
    """Videos of an epoch."""
    fresh: bool = True
    """Whether every epoch has new videos; else those of the first are shown again, as in a corpus of files."""
    steps: int = 8
    """Actions of a video."""
    period: float = 2.6
    """Mean time from the middle of an action to the middle of the next [s]."""
    lasting: tuple[float, float] = (0.9, 1.8)
    """Least and longest time that an action takes [s]."""
    misalignment: float = 2.0
    """Standard deviation of the time from an action's middle to that of its sentence [s]."""
    irrelevant: float = 0.35
    """Share of the sentences that speak of nothing that happens."""
    pronouns: float = 0.1
    """Share of the sentences on an action that say `it` instead of what it happens to."""
    distractors: int = 2
    """Moving things of a shot that are never spoken of, at most 2."""
    colour: float = 0.2
    """Most by which brightness, the strength of each channel and the saturation of a clip change."""
    sample_rate: int = 0
    """Of the sound [1/s]; 0 makes none."""
    noise: float = 0.3
    """Standard deviation of the sound's noise, over that of an action's sound."""

    def __post_init__(self) -> None:
        """Refuse what cannot be made.

        Raises:
            CorpusError: an unknown or lonely name, or a number out of its range.
        """
        for kind, names, known in (("object", self.objects, OBJECTS), ("action", self.actions, ACTIONS)):
            unknown = [name for name in names if name not in known]
            if unknown or not names or len(set(names)) < len(names):
                raise CorpusError(f"{kind}s {names}: expected different ones of {', '.join(known)}")
        lonely = [name for name in self.actions if partner(name) not in self.actions]
        if lonely:
            raise CorpusError(
                f"action {lonely[0]} without {partner(lonely[0])}: each comes with the one that undoes it"
            )
        if not 0 < self.lasting[0] <= self.lasting[1] <= min(self.sampling.seconds, _SHARE * self.period):
            raise CorpusError(
                f"lasting {self.lasting} s: expected a range that fits into a clip ({self.sampling.seconds:g} s)"
                f" and into {_SHARE} of a period ({_SHARE * self.period:g} s)"
            )
        if min(self.videos, self.steps) < 1 or self.sample_rate < 0:
            raise CorpusError(
                f"{self.videos} videos of {self.steps} steps, {self.sample_rate} samples a second:"
                " expected at least one video, one step, and no negative rate"
            )
        if not (0 <= self.misalignment < math.inf and 0 <= self.noise < math.inf):
            raise CorpusError(f"misalignment {self.misalignment} s, noise {self.noise}: expected finite deviations")
        if not (0 <= self.irrelevant < 1 and 0 <= self.pronouns <= 1 and 0 <= self.colour < 1):
            raise CorpusError(
                f"irrelevant {self.irrelevant}, pronouns {self.pronouns}, colour {self.colour}:"
                " shares lie between 0 and 1"
            )
        if not 0 <= self.distractors <= 2:
            raise CorpusError(f"{self.distractors} distractors: expected 0, 1 or 2")
