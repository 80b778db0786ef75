"""What a probe is: a published protocol that turns an encoder and a folder of videos, or of sounds, into figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from pretrain.narration import Skipped
from pretrain.sampling import Sampling
from records import Entry, Registry

PROBES = Registry(
    "probe",
    {
        "retrieval": Entry("pretrain.probes.retrieval:Retrieval", "find videos by their captions (YouCook2, MSR-VTT)"),
        "linear": Entry("pretrain.probes.linear:Linear", "linear SVM on frozen features (HMDB, UCF, Kinetics)"),
        "knn": Entry("pretrain.probes.knn:Neighbours", "k nearest neighbours on frozen features (HMDB, UCF, Kinetics)"),
        "finetune": Entry("pretrain.probes.finetune:Finetune", "train the whole encoder to classify videos"),
        "localisation": Entry("pretrain.probes.localisation:Localisation", "find the steps of tasks (CrossTask)"),
        "rareact": Entry("pretrain.probes.rareact:RareAct", "tell unusual actions from their parts (RareAct)"),
        "esc": Entry("pretrain.probes.esc:Sounds", "linear SVM on features of sound (ESC-10, ESC-50)"),
    },
)


def at_least_one(**numbers: int) -> None:
    """Refuse counts of nothing.

    Raises:
        ProbeError: it names the first.
    """
    for name, number in numbers.items():
        if number < 1:
            raise ProbeError(f"{name} {number}: expected at least 1")


class ProbeError(ValueError):
    """Data that no figure can be computed of; or an encoder that lacks what a probe asks for."""


@runtime_checkable
class Codes(Protocol):
    """What clips are encoded as."""

    @property
    def features(self) -> np.ndarray:
        """For classification (B, F)."""

    @property
    def embedding(self) -> np.ndarray:
        """To be compared with sentences by dot products (B, D)."""


@runtime_checkable
class Named(Protocol):
    """A model that can be told from others."""

    name: str

    def fingerprint(self) -> str:
        """What tells its weights from others."""


@runtime_checkable
class Encoder(Named, Protocol):
    """What is probed: `Pretrained`, or anybody's model in this shape."""

    sampling: Sampling

    def encode_clips(self, frames: np.ndarray) -> Codes:
        """Codes of clips of uint8 frames (B, T, S, S, 3)."""

    def encode_sentences(self, sentences: Sequence[str]) -> np.ndarray:
        """Embeddings (N, D) of sentences of which it knows some word."""

    def knows(self, sentences: Sequence[str]) -> np.ndarray:
        """Which sentences (N,) have a word that it knows."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Figures of a probe, and all that is needed to judge them."""

    probe: str
    encoder: str
    """Name and, after `@`, beginning of the fingerprint."""
    figures: Mapping[str, float]
    """Percentages, but for MedR, which is a place."""
    costless: Mapping[str, Mapping[str, float]]
    """The same figures of what costs nothing: chance, colours."""
    counts: Mapping[str, int]
    """Of videos, clips, captions and so on that the figures are over."""
    preprocessing: Mapping[str, Any]
    """How the encoder was shown the data."""
    skipped: tuple[Skipped, ...] = ()
    """Files that could not be used."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Figures per class, task, or fold."""

    def note(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {
            "probe": self.probe,
            "encoder": self.encoder,
            "figures": dict(self.figures),
            "costless": {name: dict(figures) for name, figures in self.costless.items()},
            "counts": dict(self.counts),
            "preprocessing": dict(self.preprocessing),
            "skipped": [one._asdict() for one in self.skipped],
            "detail": dict(self.detail),
        }


class Probe(Protocol):
    """A protocol; its options are the fields of a dataclass."""

    def __call__(self, encoder: Encoder, folder: Path, *, seed: int = 0) -> Outcome:
        """Run it on the data in a folder.

        Raises:
            ProbeError: nothing can be measured. Single files that cannot be used are listed in the outcome instead.
        """


def named(encoder: Named) -> str:
    """What outcomes call an encoder."""
    return f"{encoder.name}@{encoder.fingerprint()[:12]}"
