"""Average precision of unusual pairs of verb and noun among clips that show one of both: RareAct's two figures.

Miech et al., RareAct: A video dataset of unusual interactions, 2020. Several clips may be of one video, whose clips
look alike: mWAP counts each with 1 over the clips of its video, mSAP draws one clip of each video, many times.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pretrain.probes.average_precision import average_precision

DRAWS = 100
"""Of one clip a video, for mSAP."""
POSITIVE, NEGATIVE = 1, 0
"""Annotations. 2: only the verb is right; 3: only the noun; 4: both are there, but not together. These are hard."""


class Annotated(NamedTuple):
    """Clips of RareAct: each was annotated for one class only."""

    video: Int[np.ndarray, "N"]
    """Number of the video that a clip is from."""
    action: Int[np.ndarray, "N"]
    """Class that it was annotated for."""
    annotation: Int[np.ndarray, "N"]
    verb: Int[np.ndarray, "K"]
    """Number of the verb of each class."""
    noun: Int[np.ndarray, "K"]


class Groups(NamedTuple):
    """Numbers of the clips that a class is ranked among."""

    positive: Int[np.ndarray, "P"]
    negative: Int[np.ndarray, "Q"]
    hard: Int[np.ndarray, "R"]


def groups_of(clips: Annotated, action: int) -> Groups:
    """Clips of a class by their part: positives, negatives, hard negatives.

    Positive clips of other classes are hard negatives where verb or noun is the same, else negatives.
    """
    own, positive = clips.action == action, clips.annotation == POSITIVE
    verb, noun = clips.verb[clips.action] == clips.verb[action], clips.noun[clips.action] == clips.noun[action]
    alien = ~own & positive
    return Groups(
        np.flatnonzero(own & positive),
        np.flatnonzero((own & (clips.annotation == NEGATIVE)) | (alien & ~verb & ~noun)),
        np.flatnonzero((own & ~positive & (clips.annotation != NEGATIVE)) | (alien & (verb ^ noun))),
    )


def weighted_precision(score: Float[np.ndarray, "N K"], clips: Annotated) -> dict[int, float]:
    """Average precision of each class that has positives, a clip counting 1 over those of its video in its group."""
    found = {}
    for action in range(len(clips.verb)):
        groups = groups_of(clips, action)
        if len(groups.positive):
            chosen = np.concatenate(groups)
            weight = np.concatenate([1 / _alike(clips.video[group]) for group in groups])
            is_positive = np.arange(len(chosen)) < len(groups.positive)
            found[action] = average_precision(score[chosen, action], is_positive, weight)
    return found


def sampled_precision(
    score: Float[np.ndarray, "N K"], clips: Annotated, *, draws: int = DRAWS, seed: int
) -> dict[int, float]:
    """Mean over draws of one clip a video and group of the average precision, for each class that has positives."""
    chance = np.random.default_rng(seed)
    found = {}
    for action in range(len(clips.verb)):
        groups = groups_of(clips, action)
        if not len(groups.positive):
            continue
        precision = []
        for _ in range(draws):
            parts = [group[_one_each(clips.video[group], chance)] for group in groups]
            is_positive = np.arange(sum(map(len, parts))) < len(parts[0])
            precision.append(average_precision(score[np.concatenate(parts), action], is_positive))
        found[action] = float(np.mean(precision))
    return found


def _alike(video: Int[np.ndarray, "N"]) -> Int[np.ndarray, "N"]:
    """How many clips the video of each has."""
    _, number, count = np.unique(video, return_inverse=True, return_counts=True)
    return count[number]


def _one_each(video: Int[np.ndarray, "N"], chance: np.random.Generator) -> Int[np.ndarray, "V"]:
    """A random place of each video."""
    order = chance.permutation(len(video))
    return order[np.unique(video[order], return_index=True)[1]]
