"""When the steps of a task happen in a video, if each takes exactly one moment and they keep their order.

The protocol of Zhukov et al., Cross-task weakly supervised learning from instructional videos, CVPR 2019.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int


class Located(NamedTuple):
    """Steps of one video: how many are annotated, and how many of those were found."""

    task: str
    present: int
    found: int


def locate_steps(score: Float[np.ndarray, "T K"]) -> Int[np.ndarray, "K"]:
    """Ascending moments t_1 < ... < t_K with the greatest sum of score[t_k, k]: exact, in T K operations.

    best[t, k] is the greatest sum of the first k steps within the first t moments:
    best[t, k] = max(best[t - 1, k], best[t - 1, k - 1] + score[t - 1, k - 1]). Of equal sums the earliest moments win.

    Raises:
        ValueError: fewer moments than steps.
    """
    T, K = score.shape
    if T < K:
        raise ValueError(f"{K} steps cannot each have a moment of their own among {T}")
    best = np.full((T + 1, K + 1), -np.inf)
    best[:, 0] = 0.0
    for t in range(1, T + 1):
        best[t, 1:] = np.maximum(best[t - 1, 1:], best[t - 1, :-1] + score[t - 1])
    moments = np.empty(K, np.int64)
    t = T
    for k in range(K, 0, -1):
        while best[t - 1, k] == best[t, k]:
            t -= 1
        t -= 1
        moments[k - 1] = t
    return moments


def steps_found(moment: Int[np.ndarray, "K"], present: Bool[np.ndarray, "T K"]) -> tuple[int, int]:
    """How many steps are annotated anywhere in a video, and how many of them at the moment that was found."""
    there = present.any(axis=0)
    return int(there.sum()), int(present[moment, np.arange(len(moment))].sum())


def seconds_of(
    step: Int[np.ndarray, "A"], interval: Float[np.ndarray, "A 2"], seconds: int, steps: int
) -> Bool[np.ndarray, "T K"]:
    """Which steps are annotated in which second: an annotation covers every second that it touches."""
    present = np.zeros((seconds, steps), bool)
    for k, (start, end) in zip(step.tolist(), interval.tolist(), strict=True):
        present[int(np.floor(start)) : int(np.ceil(end)), k] = True
    return present


def recall(videos: Iterable[Located]) -> dict[str, float]:
    """Share [%] of the annotated steps of each task that were found, over all its videos.

    Tasks without an annotated step are left out.
    """
    present: dict[str, int] = {}
    found: dict[str, int] = {}
    for video in videos:
        present[video.task] = present.get(video.task, 0) + video.present
        found[video.task] = found.get(video.task, 0) + video.found
    return {task: 100 * found[task] / count for task, count in present.items() if count}
