"""Tanh layers while they learn by gradients in torch; before and after they are plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from policies.learners import Layers

if TYPE_CHECKING:
    import torch

Trainable = Sequence[tuple["torch.Tensor", "torch.Tensor"]]
"""Weight (out, in) and bias (out,) of each layer, in double precision."""


def trainable(layers: Layers) -> Trainable:
    """Layers whose gradients are followed."""
    import torch

    return [(torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)) for w, b in layers]


def parameters(layers: Trainable) -> list[torch.Tensor]:
    """All weights and biases, for an optimiser."""
    return [part for layer in layers for part in layer]


def through(layers: Trainable, x: torch.Tensor) -> torch.Tensor:
    """As `policies.rewards.logit.forward`: tanh after each layer but the last."""
    import torch

    for weight, bias in layers[:-1]:
        x = torch.tanh(x @ weight.T + bias)
    weight, bias = layers[-1]
    return x @ weight.T + bias


def learned(layers: Trainable) -> Layers:
    """What they have become."""
    return tuple((weight.detach().numpy().copy(), bias.detach().numpy().copy()) for weight, bias in layers)
