"""What is heard in the generated corpus: every change of state has its own sound, whose pitch rises as it is done.

So an action sounds about as its partner does when played backwards: what happens is told by the timbre, in which
direction by a rising or a falling pitch. The thing that it happens to is not heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Float

from pretrain.corpus.actions import ACTIONS
from pretrain.corpus.shot import Shot

_SOUND = 3
"""What follows the seed of a shot in that of its noise."""
_LOWEST, _OCTAVES = 250.0, 2.0
"""Pitch before anything is done [Hz], and by how much it is higher when all is."""
_LOUD = 0.1
"""Root mean square of an action's sound, of 1."""

_Samples = np.ndarray


def wave(
    actions: Iterable[tuple[float, Shot]], seconds: float, rate: int, noise: float, generator: np.random.Generator
) -> Float[np.ndarray, "N"]:
    """Sounds of some actions, with noise; from -1 to 1.

    Args:
        actions: when each begins [s], from the start of what is heard, and how it is.
        seconds: how long that is.
        rate: samples per second.
        noise: standard deviation of the noise over that of an action's sound.
        generator: source of the noise.
    """
    heard = generator.standard_normal(round(seconds * rate), np.float32) * np.float32(_LOUD * noise)
    for begin, shot in actions:
        sound, at = sound_of(shot, rate), round(begin * rate)
        here = heard[max(at, 0) : max(at + len(sound), 0)]
        here += sound[max(-at, 0) :][: len(here)]
    return heard.clip(-1, 1)


def sound_of(shot: Shot, rate: int) -> Float[np.ndarray, "N"]:
    """The sound of an action from its start to its end."""
    time = np.arange(round(shot.lasting * rate)) / rate
    done = shot.done(time - shot.lasting / 2)
    phase = 2 * np.pi * np.cumsum(_LOWEST * 2 ** (_OCTAVES * done)) / rate
    sound = SOUNDS[ACTIONS[shot.action].change](phase, time, np.random.default_rng((*shot.look, _SOUND)))
    sound *= np.sqrt(np.sin(np.pi * (time + 0.5 / rate) / shot.lasting).clip(0))
    return (sound * (_LOUD / np.sqrt(np.mean(sound**2)))).astype(np.float32)


def _creak(phase: _Samples, time: _Samples, noise: np.random.Generator) -> _Samples:
    """Short pulses."""
    return np.exp(-8 * (1 - np.cos(phase))) - 0.15


def _bubbles(phase: _Samples, time: _Samples, noise: np.random.Generator) -> _Samples:
    """A pure tone, twelve times a second."""
    return np.sin(phase) * np.sin(12 * np.pi * time) ** 2


def _sawing(phase: _Samples, time: _Samples, noise: np.random.Generator) -> _Samples:
    """A rough buzz, five times a second."""
    return np.sign(np.sin(phase)) * noise.uniform(0.2, 1.0, len(time)) * np.abs(np.sin(5 * np.pi * time))


def _hiss(phase: _Samples, time: _Samples, noise: np.random.Generator) -> _Samples:
    """Noise about the fifth of the pitch."""
    slow = np.convolve(noise.standard_normal(len(time)), np.hanning(16), "same")
    return slow * np.cos(3 * phase)


def _knocking(phase: _Samples, time: _Samples, noise: np.random.Generator) -> _Samples:
    """Knocks, seven a second, with a ring of two tones."""
    return (np.sin(phase) + np.sin(2.4 * phase)) * np.exp(-6 * (7 * time % 1))


def _rustle(phase: _Samples, time: _Samples, noise: np.random.Generator) -> _Samples:
    """Noise in the rhythm of the pitch."""
    return noise.standard_normal(len(time)) * np.cos(phase / 2) ** 8


SOUNDS: dict[str, Callable[[_Samples, _Samples, np.random.Generator], _Samples]] = {
    "open": _creak,
    "fill": _bubbles,
    "cut": _sawing,
    "inflate": _hiss,
    "pack": _knocking,
    "cover": _rustle,
}
"""Sound of a change from the phase of its pitch [rad] and the time [s]."""
