"""A model as a training calls it: compiled, shared by processes, with activations that are computed again."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from pretrain.distributed import processes
from pretrain.model import JointModel
from pretrain.training.recipe import Recipe
from pretrain.training.recompute import recompute


def wrapped(model: JointModel, recipe: Recipe, device: torch.device) -> nn.Module:
    """The model as it is called in training; its parameters stay where they are."""
    net: nn.Module = model
    if recipe.recompute:
        recompute(model.recomputable())
    if recipe.sync_norm:
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    if recipe.compile:
        net = torch.compile(net)  # type: ignore[assignment]
    if processes() > 1:
        net = DistributedDataParallel(
            net,
            device_ids=[device] if device.type == "cuda" else None,
            find_unused_parameters=model.audio is not None,
        )
    return net
