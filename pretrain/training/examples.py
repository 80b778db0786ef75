"""Examples by number, and their arrays put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8

from pretrain.clips import NarratedClip
from pretrain.model import Batch, pixels
from pretrain.vocabulary import Vocabulary


@runtime_checkable
class Examples(Protocol):
    """Training examples by number: `pretrain.clips.NarratedClips`, or a generated corpus."""

    def __len__(self) -> int:
        """Count the videos N. Numbers go on after the last: number n is a clip of video n mod N."""

    def __getitem__(self, number: int) -> NarratedClip:
        """Make an example; it depends on its number alone."""


class Collated(NamedTuple):
    """Examples put together, as workers hand them over."""

    frames: UInt8[np.ndarray, "B T S S 3"]
    words: Int[np.ndarray, "B K W"]
    candidate: Bool[np.ndarray, "B K"]
    """Which candidate sentences there are, with a word that is known."""
    source: Int[np.ndarray, "B"]
    wave: Float[np.ndarray, "B N"] | None
    """Sound; silence where a clip has none. None where no clip has any."""
    heard: Bool[np.ndarray, "B"]
    """Which clips have sound."""
    passed_over: tuple[str, ...] = ()
    """Videos that could not be read, and why; others are in their places."""


def collate(
    clips: Sequence[NarratedClip], numbers: Sequence[int], videos: int, vocabulary: Vocabulary, length: int
) -> Collated:
    """Put examples together, sentences as the numbers of their first `length` known words."""
    words = np.stack([vocabulary.encode(clip.captions, length) for clip in clips])
    waves = [clip.wave for clip in clips]
    heard = np.array([wave is not None for wave in waves])
    wave = None
    if heard.any():
        silence = np.zeros_like(next(wave for wave in waves if wave is not None))
        wave = np.stack([silence if one is None else one for one in waves])
    return Collated(
        frames=np.stack([clip.frames for clip in clips]),
        words=words,
        candidate=np.stack([clip.present for clip in clips]) & words.any(axis=2),
        source=np.array([number % videos for number in numbers], np.int64),
        wave=wave,
        heard=heard,
        passed_over=tuple(problem for clip in clips for problem in clip.passed_over),
    )


def joined(parts: Sequence[Collated]) -> Collated:
    """Batches one after the other."""
    if len(parts) == 1:
        return parts[0]

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    sounds = [part.wave for part in parts if part.wave is not None]
    wave = None
    if sounds:
        silence = np.zeros(sounds[0].shape[1:], np.float32)
        wave = np.concatenate([_silent(part, silence) if part.wave is None else part.wave for part in parts])
    return Collated(
        column("frames"),
        column("words"),
        column("candidate"),
        column("source"),
        wave=wave,
        heard=column("heard"),
        passed_over=tuple(problem for part in parts for problem in part.passed_over),
    )


def _silent(part: Collated, silence: np.ndarray) -> np.ndarray:
    return np.broadcast_to(silence, (len(part.heard), *silence.shape))


def to_batch(collated: Collated, device: torch.device) -> Batch:
    """A batch on a device, pixels in [0, 1]."""

    def sent(array: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor

    return Batch(
        video=pixels(sent(collated.frames)),
        words=sent(collated.words),
        candidate=sent(collated.candidate),
        source=sent(collated.source),
        wave=None if collated.wave is None else sent(collated.wave),
        heard=sent(collated.heard),
    )
