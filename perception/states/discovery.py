"""What is discovered in clips of one task: when the object is in its initial state, acted on, and in its final state.

A discoverer sees unlabelled features only. What it may assume is the order: initial state, action, final state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from perception.states.absence import chance_of_final
from perception.states.evidence import evidence
from perception.states.order import ABSENT
from perception.states.stack import DiscoveryError, Stack, stacked
from records.features import Features, Timeline
from records.registry import Entry, Registry
from records.single_thread import single_thread

__all__ = ["DISCOVERERS", "LABELS", "Discoverer", "Discovery", "DiscoveryError", "discover", "timelines"]

LABELS = ("initial state", "action", "final state")
"""In order of time; columns of scores and confidences."""


class Discovery(NamedTuple):
    """When C clips show the change, as indices of windows within each clip."""

    initial: Int[np.ndarray, "C"]
    """-1: the clip does not show it (it begins during the action)."""
    action: Int[np.ndarray, "C"]
    final: Int[np.ndarray, "C"]
    """-1: the clip does not show it (it ends during the action), or nothing proves that it does."""
    confidence: Float[np.ndarray, "C 3"]
    """Of initial state, action and final state, in [0, 1], comparable between clips; 0 where there is none. That of a
    final state is at most what `discover`'s test leaves to doubt, taken from 1."""
    relevance: Float[np.ndarray, "C"]
    """How well a clip shows the change at all, in [0, 1]."""
    scores: tuple[Float[np.ndarray, "T 3"], ...]
    """Per window of each clip, in [0, 1]: initial state, action, final state."""


@runtime_checkable
class Discoverer(Protocol):
    """A way to discover, built from its settings."""

    def __call__(self, stack: Stack, *, seed: int, prior: Sequence[Float[np.ndarray, "T"]] | None = None) -> Discovery:
        """Discover in stacked clips; deterministic by seed."""
        ...


DISCOVERERS = Registry(
    "discoverer",
    {
        "clustering": Entry(
            "perception.states.clustering:Clustering",
            "joint discriminative clustering of states and action (Alayrac et al., ICCV 2017)",
        ),
        "pseudo_labels": Entry(
            "perception.states.pseudo_labels:PseudoLabels",
            "self-training on ordered pseudo-labels; robust to clips that do not show the change",
        ),
    },
)


def discover(
    clips: Sequence[Features],
    method: str = "pseudo_labels",
    *,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    prior: Sequence[Float[np.ndarray, "T"]] | None = None,
    significance: float | None = 0.1,
    doubt: float | None = 0.2,
) -> Discovery:
    """Discover the change that clips of one task share.

    Whether they share one is tested first, against clips whose time runs backwards (`perception.states.evidence`), if
    they are of at least five recordings; fewer cannot prove it. Whether a clip shows the final state, too, is tested
    last, against clips that are cut off at their action (`perception.states.absence`): fewer than three recordings
    never prove it.

    Args:
        clips: features of one clip each, all of one encoder.
        method: of `DISCOVERERS`.
        settings: of the method, by name; the others keep their defaults.
        seed: of restarts and of the draws of the test for a change.
        prior: weight of each window for showing the action, from narration say; none is negative.
        significance: chance at which clips that share no change pass for some that do; None for no test.
        doubt: chance at which a clip without the final state is given one, if most others show it; None for what the
            method says.

    Raises:
        DiscoveryError: clips that do not belong together or are too short, a prior that does not fit, or no change.
        UnknownName: no such method.
    """
    stack = stacked(clips)
    if prior is not None:
        _check_prior(prior, stack)
    discoverer: Discoverer = DISCOVERERS.load(method)(**(settings or {}))
    with single_thread():
        if significance is not None:
            _check_change(stack, discoverer, prior, seed, significance)
        found = discoverer(stack, seed=seed, prior=prior)
        return found if doubt is None else with_final_proved(stack, found, doubt)


def with_final_proved(stack: Stack, found: Discovery, doubt: float) -> Discovery:
    """What was found, without final states that a clip that ends before might as likely have been given.

    Args:
        stack: of all clips.
        found: in them.
        doubt: greatest chance of that.
    """
    chance = chance_of_final(stack, found.scores, np.stack([found.initial, found.action, found.final], axis=1))
    shown = chance <= doubt
    confidence = found.confidence.copy()
    confidence[:, 2] = np.where(shown, np.minimum(confidence[:, 2], 1 - chance), 0.0)
    return found._replace(final=np.where(shown, found.final, ABSENT), confidence=confidence)


def timelines(clips: Sequence[Features], discovery: Discovery) -> tuple[Timeline, ...]:
    """Intervals of what was discovered, in order of time, with confidence.

    An interval holds the discovered window and those next to it, as far as its label is the likeliest of the three and
    likelier than not.
    """
    return tuple(_timeline(clip, discovery, c) for c, clip in enumerate(clips))


def _timeline(clip: Features, discovery: Discovery, c: int) -> Timeline:
    score = discovery.scores[c]
    likeliest = (score == score.max(axis=1, keepdims=True)) & (score >= _LIKELIER)
    found = [int(discovery.initial[c]), int(discovery.action[c]), int(discovery.final[c])]
    labels, intervals, confidences = [], [], []
    for k, window in enumerate(found):
        if window < 0:
            continue
        first = last = window
        floor = max((w for w in found[:k] if w >= 0), default=-1)
        ceiling = min((w for w in found[k + 1 :] if w >= 0), default=len(score))
        while first - 1 > floor and likeliest[first - 1, k]:
            first -= 1
        while last + 1 < ceiling and likeliest[last + 1, k]:
            last += 1
        labels.append(LABELS[k])
        intervals.append((clip.time[first, 0], clip.time[last, 1]))
        confidences.append(discovery.confidence[c, k])
    interval = np.array(intervals, np.float64).reshape(-1, 2)
    return Timeline(labels=tuple(labels), interval=interval, confidence=np.array(confidences, np.float64))


_LIKELIER = 0.5
"""Probability from which a window rather bears a label than not."""


def _check_change(
    stack: Stack, discoverer: Discoverer, prior: Sequence[np.ndarray] | None, seed: int, significance: float
) -> None:
    def discover_in(part: Stack, clips: Sequence[int]) -> tuple[np.ndarray, ...]:
        return discoverer(part, seed=seed, prior=None if prior is None else [prior[c] for c in clips]).scores

    found = evidence(stack, discover_in, seed)
    if found is not None and found.chance > significance:
        raise DiscoveryError(
            "no change that the clips share: what was found in some does not tell the others from clips that run"
            f" backwards (chance {found.chance:.2f}, at most {significance:g} is wanted); give more clips of one task,"
            " or features that show the object"
        )


def _check_prior(prior: Sequence[np.ndarray], stack: Stack) -> None:
    if len(prior) != stack.clips:
        raise DiscoveryError(f"a prior of {len(prior)} clips for {stack.clips} clips; give one for each")
    for c, weight in enumerate(prior):
        windows = int(stack.start[c + 1] - stack.start[c])
        if np.shape(weight) != (windows,):
            raise DiscoveryError(f"clip {c + 1}: a prior of shape {np.shape(weight)} for {windows} windows")
        if not np.isfinite(weight).all() or np.min(weight) < 0:
            raise DiscoveryError(f"clip {c + 1}: the prior must be finite and not negative")
