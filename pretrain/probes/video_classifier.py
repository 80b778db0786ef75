"""A video encoder with a linear layer on its features, to be trained as a whole."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from pretrain.model import pixels
from pretrain.probes.probe import Encoder, ProbeError


class VideoClassifier(nn.Module):
    """Class scores of clips."""

    def __init__(self, body: Any, classes: int) -> None:
        """Put a linear layer on a video encoder, on whatever device it is.

        Args:
            body: a `Backbone`; its weights are trained.
            classes: K.
        """
        super().__init__()
        self.body = body.requires_grad_(True)
        self.head = nn.Linear(int(body.width), classes).to(next(body.parameters()).device)

    @classmethod
    def of(cls, encoder: Encoder, classes: int, seed: int) -> VideoClassifier:
        """A classifier that begins with a copy of an encoder; the first weights of its layer depend on the seed.

        Raises:
            ProbeError: the encoder has no network that could be trained.
        """
        video = getattr(getattr(encoder, "model", None), "video", None)
        if not isinstance(video, nn.Module):
            raise ProbeError(f"{encoder.name}: only a model of `apprentice pretrain` can be fine-tuned")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(copy.deepcopy(video), classes)

    def forward(self, frames: UInt8[np.ndarray, "B T S S 3"]) -> Float[Tensor, "B K"]:
        """Scores of clips."""
        return self.head(self.body.pooled(pixels(torch.from_numpy(frames).to(self.head.weight.device))))

    def loss(self, frames: UInt8[np.ndarray, "B T S S 3"], label: Sequence[int]) -> Float[Tensor, ""]:
        """Mean cross entropy of clips and their classes."""
        return nn.functional.cross_entropy(self(frames), torch.tensor(label, device=self.head.weight.device))

    @torch.inference_mode()
    def probabilities(self, frames: UInt8[np.ndarray, "B T S S 3"]) -> Float[np.ndarray, "B K"]:
        """Probability of each class for each clip."""
        return self(frames).softmax(dim=1).double().cpu().numpy()
