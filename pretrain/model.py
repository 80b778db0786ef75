"""A joint model: encoders of video, of sentences and, if wanted, of sound, and heads that bring them into one space.

Whatever the heads, embeddings are compared by their dot product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pretrain.audio_encoder import AudioEncoder, LogMel
from pretrain.backbone import BACKBONES, Backbone
from pretrain.gated_unit import GatedEmbeddingUnit
from pretrain.objectives.mmv import GRAPHS, Met, MMVHeads, Modalities
from pretrain.text_encoder import HIDDEN, WORD_SIZE, TextModule

HEADS = ("linear", "unit", "gated", *GRAPHS)
"""One linear layer; the same and unit length; gated embedding units; the three graphs of MMV."""


class ModelError(ValueError):
    """Settings that no model can have, or something that a model cannot do."""


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """What a joint model is made of; the defaults are those of the published S3D-G."""

    video: str = "s3dg"
    """Name in the table of video encoders."""
    video_options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of its constructor."""
    head: str = "linear"
    """How features become embeddings; see `HEADS`."""
    embedding: int = 512
    """Dimensions of the space shared with text."""
    word_size: int = WORD_SIZE
    hidden: int = HIDDEN
    train_words: bool = False
    """Whether word vectors are trained."""
    audio_layers: int | None = None
    """Layers of the sound's encoder (18 or 50); None for a model without sound."""
    audio_rate: int = 16_000
    """Samples of sound a second."""
    audio_bands: int = 80
    """Bands of its spectrogram."""
    audio_stem: int = 64
    """Channels of the first convolution of its encoder; fewer than the usual 64 are for processors."""

    def __post_init__(self) -> None:
        """Refuse what does not exist.

        Raises:
            UnknownName: no such video encoder.
            ModelError: no such head, or a head that needs sound.
        """
        BACKBONES[self.video]
        if self.head not in HEADS:
            raise ModelError(f"unknown head {self.head!r}; choose from: {', '.join(HEADS)}")
        if self.head not in GRAPHS and self.audio_layers is not None:
            raise ModelError(f"the head {self.head!r} knows no sound; choose from: {', '.join(GRAPHS)}")
        if self.head in GRAPHS and self.audio_layers is None:
            raise ModelError(f"the head {self.head!r} is for models with sound: state audio_layers")


class Batch(NamedTuple):
    """Clips as a model takes them, on its device."""

    video: Float[Tensor, "B 3 T H W"]
    """RGB in [0, 1]."""
    words: Int[Tensor, "B K W"]
    """Numbers of the words of K candidate sentences."""
    candidate: Bool[Tensor, "B K"]
    """Which candidates there are."""
    source: Int[Tensor, "B"]
    """Number of the video that each clip is from."""
    wave: Float[Tensor, "B N"] | None = None
    """Sound in [-1, 1]; silence where a clip has none."""
    heard: Bool[Tensor, "B"] | None = None
    """Which clips have sound."""


class JointModel(nn.Module):
    """Encoders and heads. `forward` embeds a batch; the other methods embed one kind of thing."""

    def __init__(self, settings: ModelSettings, words: int) -> None:
        """Build it with random weights.

        Args:
            settings: what it is made of.
            words: rows of the word embedding: the vocabulary, and the padding word.
        """
        super().__init__()
        self.settings = settings
        self.video = cast(nn.Module, BACKBONES.load(settings.video)(**settings.video_options))
        width, size = self._backbone.width, settings.embedding
        self.text = TextModule(
            size,
            words=words,
            word_size=settings.word_size,
            hidden=settings.hidden,
            train_words=settings.train_words,
        )
        self.audio: AudioEncoder | None = None
        if settings.audio_layers is not None:
            mel = LogMel(settings.audio_rate, bands=settings.audio_bands)
            self.audio = AudioEncoder(size, layers=settings.audio_layers, mel=mel, stem=settings.audio_stem)
            self.meet = MMVHeads(settings.head, video=width, audio=size, text=size)
        elif settings.head == "gated":
            self.video_head: nn.Module = GatedEmbeddingUnit(width, size)
            self.text_head: nn.Module = GatedEmbeddingUnit(size, size)
        else:
            self.video_head = nn.Linear(width, size)
            self.text_head = nn.Identity()

    @property
    def _backbone(self) -> Backbone:
        return cast(Backbone, self.video)

    def forward(self, batch: Batch) -> Met:
        """Embed whatever there is of a batch in the spaces that pairs are compared in."""
        features, text = self.features(batch.video), self.text(batch.words)
        if self.audio is None:
            return Met(None, None, self._video_met(features), self._text_met(text))
        sound = None if batch.wave is None else self.audio(batch.wave)
        return self.meet(Modalities(features, sound, text))

    def recomputable(self) -> list[nn.Module]:
        """Parts of the video encoder whose activations can be computed again instead of kept."""
        return self._backbone.recomputable()

    def features(self, video: Float[Tensor, "B 3 T H W"]) -> Float[Tensor, "B F"]:
        """What other tasks are given: the last layer of the video encoder, pooled."""
        return self._backbone.pooled(video)

    def embed_features(self, features: Float[Tensor, "B F"]) -> Float[Tensor, "B D"]:
        """Features of clips in the space of text."""
        if self.audio is None:
            return self._video_met(features)
        return self.meet.to_text(features)

    def embed_video(self, video: Float[Tensor, "B 3 T H W"]) -> Float[Tensor, "B D"]:
        """Clips in the space of text."""
        return self.embed_features(self.features(video))

    def embed_text(self, words: Int[Tensor, "*B W"]) -> Float[Tensor, "*B D"]:
        """Sentences in the space shared with video."""
        text = self.text(words)
        return self._text_met(text) if self.audio is None else nn.functional.normalize(self.meet.text(text), dim=-1)

    def embed_audio(self, wave: Float[Tensor, "B N"]) -> Float[Tensor, "B D"]:
        """Sound in the space of text.

        Raises:
            ModelError: the model has no sound, or its sound never meets text.
        """
        if self.audio is None:
            raise ModelError("this model was made without sound")
        return self.meet.audio_with_text(self.audio(wave))

    def _video_met(self, features: Tensor) -> Tensor:
        return self._met(self.video_head(features))

    def _text_met(self, text: Tensor) -> Tensor:
        return self._met(self.text_head(text))

    def _met(self, x: Tensor) -> Tensor:
        return nn.functional.normalize(x, dim=-1) if self.settings.head == "unit" else x


def pixels(frames: torch.Tensor) -> Float[Tensor, "B 3 T H W"]:
    """Frames (B, T, H, W, 3) uint8 as RGB in [0, 1] with channels first; memory is laid out with channels last."""
    return frames.permute(0, 4, 1, 2, 3).float().div(255)
