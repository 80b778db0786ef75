"""Rolling captions, as YouTube makes them: every cue shows the line before once more, and each line comes thrice."""

from __future__ import annotations

from collections.abc import Sequence

from pretrain.captions.sentence import Sentence, unmarked

_TOUCHING = 0.1
"""Cues follow each other when the gap between them is at most this [s]."""

_ROLLING = 0.5
"""Captions roll when more than this share of the cues that follow another begin with what that one ended with."""


def unrolled(cues: Sequence[Sentence]) -> list[Sentence]:
    """Sentences in which every word stands once: what a cue repeats of the one before is taken from it.

    A cue that says nothing new prolongs what was said. Captions that do not roll come back as they are: somebody may
    say the same twice.
    """
    cues = sorted(cue._replace(text=unmarked(cue.text)) for cue in cues)
    cues = [cue for cue in cues if cue.text]
    words = [cue.text.split() for cue in cues]
    follows = [k for k in range(1, len(cues)) if cues[k].start <= cues[k - 1].end + _TOUCHING]
    repeated = {k: _overlap(words[k - 1], words[k]) for k in follows}
    if sum(count > 0 for count in repeated.values()) <= _ROLLING * len(follows):
        return cues
    said: list[Sentence] = []
    for k, cue in enumerate(cues):
        new = words[k][repeated.get(k, 0) :]
        if new:
            said.append(cue._replace(text=" ".join(new)))
        elif said:
            said[-1] = said[-1]._replace(end=max(said[-1].end, cue.end))
    return said


def _overlap(before: list[str], now: list[str]) -> int:
    """Number of words that `now` begins with and `before` ended with."""
    for count in range(min(len(before), len(now)), 0, -1):
        if before[-count:] == now[:count]:
            return count
    return 0
