"""MMV (Alayrac et al., NeurIPS 2020): video against sound by noise contrast, video against text by MIL-NCE."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pretrain.objectives.milnce import milnce
from pretrain.objectives.nce import nce

GRAPHS = ("shared", "disjoint", "fac")
"""Which spaces modalities meet in: one for all; one for each pair; fine (video and audio) and coarse (with text)."""


class Modalities(NamedTuple):
    """Features of a batch of clips; None where a modality is missing altogether."""

    video: Float[Tensor, "B V"]
    audio: Float[Tensor, "B A"] | None = None
    text: Float[Tensor, "B K X"] | None = None
    """K candidate captions."""


class Met(NamedTuple):
    """Embeddings, unit vectors, in the spaces that pairs are compared in; None where a modality is missing."""

    video_of_audio: Float[Tensor, "B D"] | None
    audio: Float[Tensor, "B D"] | None
    video_of_text: Float[Tensor, "B E"] | None
    text: Float[Tensor, "B K E"] | None


class MMVHeads(nn.Module):
    """Projections of each modality into the spaces of a graph."""

    def __init__(self, graph: str, *, video: int, audio: int, text: int, fine: int = 512, coarse: int = 256) -> None:
        """Build the projections.

        Args:
            graph: `shared`, `disjoint` or `fac`.
            video: size of the features of video.
            audio: size of those of audio.
            text: size of those of text.
            fine: dimensions of the space of video and audio; of the one space if it is shared.
            coarse: dimensions of the space with text.

        Raises:
            ValueError: another graph.
        """
        super().__init__()
        if graph not in GRAPHS:
            raise ValueError(f"unknown graph {graph!r}; choose from: {', '.join(GRAPHS)}")
        self.graph = graph
        coarse = fine if graph == "shared" else coarse
        self.video_fine = nn.Sequential(
            nn.Linear(video, fine), nn.BatchNorm1d(fine), nn.ReLU(), nn.Linear(fine, fine), nn.BatchNorm1d(fine)
        )
        self.audio = nn.Linear(audio, fine)
        self.text = nn.Linear(text, coarse)
        self.video_coarse: nn.Module
        if graph == "shared":
            self.video_coarse = nn.Identity()
        elif graph == "disjoint":
            self.video_coarse = nn.Sequential(nn.Linear(video, coarse), nn.BatchNorm1d(coarse))
        else:
            self.video_coarse = nn.Sequential(nn.ReLU(), nn.Linear(fine, coarse), nn.BatchNorm1d(coarse))

    def forward(self, batch: Modalities) -> Met:
        """Embed whatever there is."""
        fine = self.video_fine(batch.video)
        coarse = self.video_coarse(batch.video if self.graph == "disjoint" else fine)
        sound, words = batch.audio is not None, batch.text is not None
        return Met(
            _unit(fine) if sound else None,
            _unit(self.audio(batch.audio)) if sound else None,
            _unit(coarse) if words else None,
            _unit(self.text(batch.text)) if words else None,
        )

    def to_text(self, video: Float[Tensor, "B V"]) -> Float[Tensor, "B E"]:
        """Video in the space of text."""
        return _unit(self.video_coarse(video if self.graph == "disjoint" else self.video_fine(video)))

    def audio_with_text(self, audio: Float[Tensor, "B A"]) -> Float[Tensor, "B E"]:
        """Sound in the space of text, through the head of video: it has never met text in training.

        Raises:
            ValueError: in a disjoint graph there is no way.
        """
        if self.graph == "disjoint":
            raise ValueError("a disjoint graph has no space in which audio meets text; use shared or fac")
        return _unit(self.video_coarse(self.audio(audio)))


def mmv(
    met: Met,
    *,
    has_audio: Bool[Tensor, "B"] | None = None,
    has_text: Bool[Tensor, "B"] | None = None,
    candidate: Bool[Tensor, "B K"] | None = None,
    text_weight: float = 1.0,
    temperature: float = 0.07,
) -> Float[Tensor, ""]:
    """Noise contrast of video and audio, plus `text_weight` times MIL-NCE of video and text.

    Args:
        met: the batch, embedded.
        has_audio: which clips have sound; the others take no part. All by default.
        has_text: which clips have captions.
        candidate: which captions there are.
        text_weight: of the second term.
        temperature: of both.

    Raises:
        ValueError: neither sound nor text is there.
    """
    terms: list[Tensor] = []
    if met.audio is not None and met.video_of_audio is not None:
        terms.append(nce(met.video_of_audio, met.audio, known=has_audio, temperature=temperature))
    if met.text is not None and met.video_of_text is not None:
        said = torch.ones(met.text.shape[:2], dtype=torch.bool, device=met.text.device)
        said = said if candidate is None else candidate
        if has_text is not None:
            said = said & has_text[:, None]
        terms.append(text_weight * milnce(met.video_of_text, met.text, candidate=said, temperature=temperature))
    if not terms:
        raise ValueError("neither sound nor text: there is nothing that video could be compared with")
    return torch.stack(terms).sum()


def _unit(x: Tensor) -> Tensor:
    return nn.functional.normalize(x, dim=-1)
