"""Features sampled for known labels: how good must an encoder be for a discovery to succeed, where no video is at hand.

What is sampled is harder than independent noise in two ways that real features have: noise changes slowly, so that
neighbouring windows err together, and every clip has an offset of its own (its scene) that says nothing of the state.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.signal import lfilter

from perception.states.changeit import LABELS
from perception.states.precision import BACKGROUND
from records import Features, digest

DIMENSIONS = 64
CORRELATION = 4.0
"""Time over which the noise of a clip forgets itself (AR(1), to 1/e) [windows]."""
OFFSET = 0.5
"""Standard deviation of a clip's offset over that of its noise, in every dimension."""


def sampled_features(
    labels: Sequence[Int[np.ndarray, "_"]], signal: float, *, seed: Sequence[int], seconds: float = 1.0
) -> list[Features]:
    """Features of the windows of clips of one task.

    x_t = signal m_t + o + n_t: m_t is of length 1, one direction for each of initial state, action and end state, the
    same in all clips, and one of its own for every stretch of background, which may show anything; o ~ N(0, OFFSET^2)
    per clip; n is AR(1) of variance 1. Without signal nothing tells labels apart.

    Args:
        labels: of each clip, from 0 to 3.
        signal: distance of a label's mean from the common centre, in standard deviations of the noise.
        seed: clips of a seed share directions, offsets and noise at every signal.
        seconds: length of a window [s].
    """
    rng = np.random.default_rng(list(seed))
    direction = _directions(LABELS, rng)
    made = []
    for label in labels:
        offset = OFFSET * rng.standard_normal(DIMENSIONS)
        stretch = np.cumsum(np.diff(label, prepend=label[:1]) != 0)
        own = _directions(int(stretch[-1]) + 1, rng)[stretch]
        mean = np.where((label == BACKGROUND)[:, None], own, direction[label])
        value = signal * mean + offset + slow_noise(len(label), rng)
        start = seconds * np.arange(len(label))
        made.append(
            Features(
                value=value,
                time=np.stack([start, start + seconds], axis=1),
                encoder=f"sampled, signal {signal:g}",
                encoder_hash=digest("sampled", signal, list(seed)),
            )
        )
    return made


def _directions(count: int, rng: np.random.Generator) -> Float[np.ndarray, "N D"]:
    found = rng.standard_normal((count, DIMENSIONS))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def slow_noise(count: int, rng: np.random.Generator) -> Float[np.ndarray, "N D"]:
    """Stationary AR(1) noise of variance 1 in `DIMENSIONS` independent dimensions."""
    kept = np.exp(-1 / CORRELATION)
    drive = rng.standard_normal((count, DIMENSIONS))
    drive[1:] *= np.sqrt(1 - kept**2)
    noise: np.ndarray = lfilter([1.0], [1.0, -kept], drive, axis=0)
    return noise
