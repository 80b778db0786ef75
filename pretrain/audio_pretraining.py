"""Training of an encoder of sound on recordings alone: two views of one recording must find each other.

Noise contrast among the recordings of a batch, as in Chen et al., SimCLR, ICML 2020, and, on spectrograms, Saeed et
al., COLA, ICASSP 2021. No labels are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pretrain.audio_encoder import AudioEncoder
from pretrain.objectives.nce import nce
from pretrain.spectrogram_views import Views
from pretrain.training.descent import Descent
from records.progress import tell_progress


class AudioTrainingError(ValueError):
    """Recordings that nothing can be learnt from, or a training that went astray."""


@dataclass(frozen=True, kw_only=True)
class AudioTraining:
    """What a training consists of."""

    steps: int = 600
    batch: int = 64
    """Recordings in a step; each is seen twice, and is told from the others."""
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warm_up: float = 0.05
    """Share of the steps in which the learning rate rises."""
    temperature: float = 0.2
    projection: int = 128
    """Dimensions in which views are compared."""
    half: bool = True
    """Whether the encoder computes in bf16, which halves the time where the processor knows it."""
    views: Views = field(default_factory=Views)


def spectrograms(
    encoder: AudioEncoder, waves: Sequence[Float[np.ndarray, "N"]], *, batch: int = 16
) -> Float[Tensor, "R bands T"]:
    """Log-mel spectrograms of recordings of one length at the rate of the encoder."""
    with torch.no_grad():
        parts = [encoder.mel(torch.from_numpy(np.stack(waves[k : k + batch]))) for k in range(0, len(waves), batch)]
    return torch.cat(parts)


def pretrain_audio(
    encoder: AudioEncoder,
    recordings: Float[Tensor, "R bands T"],
    training: AudioTraining,
    *,
    source: Sequence[int] | None = None,
    seed: int,
) -> list[float]:
    """Train an encoder in place; return the loss of each step.

    Args:
        encoder: its front end made the spectrograms.
        recordings: log-mel spectrograms, see `spectrograms`.
        training: how.
        source: number of the original recording that each was cut from. Views of one original belong together, and it
            is drawn at most once in a step. By default each is an original of its own.
        seed: of everything random; the encoder's weights are as they are given.

    Raises:
        AudioTrainingError: fewer than two originals, or a loss that is not finite.
    """
    of = np.arange(len(recordings)) if source is None else np.unique(np.asarray(source), return_inverse=True)[1]
    members = [np.flatnonzero(of == k) for k in range(of.max() + 1)] if len(of) else []
    if len(members) < 2:
        raise AudioTrainingError(f"{len(members)} recordings: at least two are needed to tell one from another")
    size = min(training.batch, len(members))
    chance, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        projector = nn.Sequential(
            nn.Linear(encoder.trunk.width, encoder.trunk.width), nn.ReLU(),
            nn.Linear(encoder.trunk.width, training.projection),
        )  # fmt: skip
    parameters = [*encoder.normalise.parameters(), *encoder.trunk.parameters(), *projector.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=training.learning_rate, weight_decay=training.weight_decay)
    descent = Descent(optimiser, steps=training.steps, warm_up=training.warm_up)
    encoder.train()
    nn.Module.to(encoder.trunk, memory_format=torch.channels_last)  # type: ignore[call-overload]
    losses: list[float] = []
    order = _drawn(len(members), size, chance)
    for step in range(training.steps):
        drawn = next(order)
        pair = [torch.from_numpy(np.array([chance.choice(members[k]) for k in drawn])) for _ in range(2)]
        seen = torch.cat([training.views(recordings[chosen], generator) for chosen in pair])
        image = encoder.normalise(seen)[:, None].contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=training.half):
            features = encoder.trunk(image)
        coded = nn.functional.normalize(projector(features.float()), dim=-1)
        loss = nce(coded[:size], coded[size:], temperature=training.temperature)
        if not torch.isfinite(loss):
            raise AudioTrainingError(f"the loss is not finite in step {step}; train with a smaller learning rate")
        losses.append(descent.step(loss))
        tell_progress("training on sound", step + 1, training.steps)
    encoder.eval()
    return losses


def _drawn(count: int, size: int, chance: np.random.Generator) -> Iterator[Int[np.ndarray, "S"]]:
    """Batches without repetition, from one shuffled order after the other; what is left of an order is dropped."""
    while True:
        order = chance.permutation(count)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]
