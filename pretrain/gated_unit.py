"""Gated embedding unit (Miech et al., HowTo100M, ICCV 2019): features to unit vectors of a shared space."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class GatedEmbeddingUnit(nn.Module):
    """A linear layer, gated by a linear layer of its output, then brought to length 1."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, outputs)
        self.gate = nn.Linear(outputs, outputs)

    def forward(self, x: Float[Tensor, "*B I"]) -> Float[Tensor, "*B O"]:
        """Unit vectors."""
        x = self.fc(x)
        return nn.functional.normalize(x * torch.sigmoid(self.gate(x)), dim=-1)
