"""When the action is likely to happen by what is said: a weak prior, for people speak before, during and after."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from records import Timeline

SPREAD = 3.0
"""Standard deviation of the time from the sentence to the action [s]; HowTo100M's is of this order."""
UNSAID = 0.25
"""Weight of what is not spoken of, beside 1 for what is: narration may be wrong by that much."""

_EMPTY = frozenset("a an and at for from in into it of off on onto out some that the this to up with your".split())  # noqa: SIM905 - reads as a list


def narrated_prior(
    narration: Timeline | None, task: str, time: Float[np.ndarray, "N 2"]
) -> tuple[Float[np.ndarray, "N"], tuple[str, ...]]:
    """Weights of windows for showing the action, `UNSAID` to 1, and the sentences that name it.

    A sentence names the action when it has the words of the task that are not empty, in whatever form; where no
    sentence has them all, those with most of them count. Without such a sentence all windows weigh the same.

    Args:
        narration: what is said; None for a clip without words.
        task: what is done, such as "pour coffee".
        time: start and end of each window [s].
    """
    wanted = _stems(task)
    labels = () if narration is None else narration.labels
    share = np.array([len(wanted & _stems(label)) for label in labels], float) / max(len(wanted), 1)
    if narration is None or not share.size or share.max() == 0:
        return np.ones(len(time)), ()
    named = np.flatnonzero(share == share.max())
    gap = np.maximum(
        narration.interval[named, 0] - time[:, 1:], time[:, :1] - narration.interval[named, 1]
    ).clip(min=0)  # fmt: skip
    near = np.exp(-0.5 * (gap.min(axis=1) / SPREAD) ** 2)
    return UNSAID + (1 - UNSAID) * share.max() * near, tuple(labels[k] for k in named)


def _stems(text: str) -> set[str]:
    """Words without their endings."""
    return {_stem(word) for word in re.findall(r"[^\W\d_]+", text.lower()) if word not in _EMPTY}


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word.removesuffix(ending)
            return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and ending in ("ing", "ed") else stem
    return word


def has_words(task: str) -> bool:
    """Whether a task says anything that could be found in a sentence."""
    return bool(_stems(task))


def priors(
    narrations: Sequence[Timeline | None], task: str, times: Sequence[Float[np.ndarray, "_ 2"]]
) -> tuple[list[Float[np.ndarray, "_"]] | None, list[tuple[str, ...]]]:
    """The prior of each clip and its sentences; None for the priors where no clip says anything of the task."""
    found = [narrated_prior(said, task, time) for said, time in zip(narrations, times, strict=True)]
    sentences = [named for _, named in found]
    return ([weight for weight, _ in found] if any(sentences) else None), sentences
