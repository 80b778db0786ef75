"""Clips of noise in which three directions stand for initial state, action and final state."""

from typing import NamedTuple

import numpy as np

from perception.states.discovery import Discovery
from records.features import Features

NOTHING = -1
HASH = "ab" * 32


class MadeUp(NamedTuple):
    clips: list[Features]
    label: list[np.ndarray]
    """Of each window: 0, 1, 2 or `NOTHING`."""


def made_up(
    clips=14, windows=36, dimensions=24, signal=6.0, *, irrelevant=0, unfinished=0, seed=0, apart=1.0
) -> MadeUp:
    """The first `irrelevant` clips show nothing; the last `unfinished` ones end with the action.

    Noise has 1 in each dimension, and clips differ by `apart`; `signal` is the length of the three directions, and of a
    fourth in which a clip goes on around them, its own: what all clips show before and after might be a state as well.
    """
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(3, dimensions))
    direction *= signal / np.linalg.norm(direction, axis=1, keepdims=True)
    made = MadeUp([], [])
    for c in range(clips):
        begin = int(rng.integers(2, windows // 3))
        bounds = begin + np.cumsum([0, *rng.integers(windows // 7, windows // 5, 3)])
        label = np.full(windows, NOTHING)
        if c >= irrelevant:
            for k in range(3):
                label[bounds[k] : bounds[k + 1]] = k
        if c >= clips - unfinished:
            label = label[: bounds[2]]
        value = rng.normal(size=(len(label), dimensions)) + apart * rng.normal(size=dimensions)
        around = rng.normal(size=(1, dimensions))
        value += np.vstack([direction, signal * around / np.linalg.norm(around)])[label]
        made.clips.append(features(value, clip=f"clip{c}.mp4"))
        made.label.append(label)
    return made


def features(value, clip="", encoder="made up", encoder_hash=HASH, time=None) -> Features:
    if time is None:
        time = np.arange(len(value))[:, None] + np.array([0.0, 1.0])
    return Features(value=np.asarray(value, float), time=time, encoder=encoder, encoder_hash=encoder_hash, clip=clip)


def right(found: Discovery, label: list[np.ndarray]) -> np.ndarray:
    """Share of the clips that show initial state, action and final state in which the window found is a right one."""
    window = np.stack([found.initial, found.action, found.final], axis=1)
    hit = np.array(
        [[w >= 0 and own[w] == k for k, w in enumerate(row)] for own, row in zip(label, window.tolist(), strict=True)]
    )
    shown = np.array([[(own == k).any() for k in range(3)] for own in label])
    return (hit & shown).sum(axis=0) / shown.sum(axis=0)
