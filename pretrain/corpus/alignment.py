"""How well the narration of a generated corpus fits its pictures. It looks at the labels: never to train on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from pretrain.corpus.generated import Corpus
from pretrain.corpus.script import Script

_NEAREST = 5
"""Sentences among which the right one is looked for."""


class Alignment(NamedTuple):
    """Shares, from 0 to 1."""

    nearest: float
    """Of the actions: the sentence nearest in time to the middle is the right one."""
    among_nearest: float
    """Of the actions: the right one is among the five nearest."""
    irrelevant: float
    """Of the sentences: on nothing that happens."""
    drawn: float
    """Of the examples that show an action: it is what the sentence is on that the clip was drawn around."""
    candidate: float
    """Of those: it is what one of the candidates is on."""
    showing: float
    """Of the examples: at least half of an action is within the clip."""


class Example(NamedTuple):
    """What an example of a corpus shows."""

    action: str | None
    """None where less than half of any action is within the clip."""
    thing: str | None
    right: Bool[np.ndarray, "K"]
    """Which candidates are on that action."""


def truth(corpus: Corpus, number: int) -> Example:
    """What an example shows, and which of its sentences belong to it."""
    script, drawn, _ = corpus.drawn(number)
    start, end = float(drawn.moments[0]), float(drawn.moments[-1])
    begin, stop = script.middle - script.lasting / 2, script.middle + script.lasting / 2
    seen = (np.minimum(stop, end) - np.maximum(begin, start)) / script.lasting
    step = int(seen.argmax())
    if seen[step] < 0.5:
        return Example(None, None, np.zeros(len(drawn.candidates), bool))
    return Example(script.actions[step], script.things[step], (script.about[drawn.candidates] == step) & drawn.present)


def alignment(corpus: Corpus, count: int) -> Alignment:
    """Measure the first `count` videos and examples."""
    ranks = np.concatenate([_ranks(corpus.source.script(number)) for number in range(count)])
    silent = np.concatenate([corpus.source.script(number).about < 0 for number in range(count)])
    examples = [truth(corpus, number) for number in range(count)]
    right = np.array([example.right for example in examples if example.action is not None]).reshape(-1, _k(corpus))
    return Alignment(
        nearest=float(np.mean(ranks == 0)),
        among_nearest=float(np.mean(ranks < _NEAREST)),
        irrelevant=float(np.mean(silent)),
        drawn=float(np.mean(right[:, 0])),
        candidate=float(np.mean(right.any(1))),
        showing=len(right) / count,
    )


def _k(corpus: Corpus) -> int:
    return corpus.sampling.candidates


def _ranks(script: Script) -> np.ndarray:
    """How many sentences are nearer in time to an action's middle than its own, for each action."""
    away = np.abs(script.said.mean(1)[None, :] - script.middle[:, None])
    own = away[script.about[script.about >= 0], np.flatnonzero(script.about >= 0)]
    return (away[script.about[script.about >= 0]] < own[:, None]).sum(1)
