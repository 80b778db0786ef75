"""What is trained of a model, and by what."""

from __future__ import annotations

import torch

from pretrain.model import JointModel
from pretrain.training.recipe import Recipe


def optimiser_of(model: JointModel, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW on the weights that are trained; those of biases and norms do not decay."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.rate, fused=True)
