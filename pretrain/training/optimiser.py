"""What is trained of a model, and by what."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pretrain.model import JointModel
from pretrain.training.recipe import Recipe, RecipeError


def freeze(model: JointModel, parts: Sequence[str]) -> None:
    """Parts of a model are not trained: all weights in whose names one of `parts` stands between dots.

    Raises:
        RecipeError: a part that the model does not have.
    """
    for part in parts:
        found = [weights for name, weights in model.named_parameters() if part in name.split(".")]
        if not found:
            raise RecipeError(f"frozen: the model has no part {part!r}")
        for weights in found:
            weights.requires_grad_(False)


def optimiser_of(model: JointModel, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW on the weights that are trained; those of biases and norms do not decay."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.rate, fused=True)
