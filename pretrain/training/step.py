"""Gradients of a batch: at once, or piece by piece with the whole batch as negatives (GradCache, Gao et al., 2021)."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pretrain.model import Batch
from pretrain.objectives.mmv import Met
from pretrain.training.loss import Loss
from pretrain.training.statistics import unremembered


def backward(model: nn.Module, batch: Batch, loss: Loss, *, pieces: int = 1, bf16: bool = False) -> Float[Tensor, ""]:
    """Add the gradients of a batch to those of the model; returns its loss.

    With several pieces only the activations of one are held. All embeddings are computed first without keeping
    anything, the loss tells the gradient of each, and each piece is encoded again to pass it on. Gradients are those of
    the whole batch, but for batch normalisation, which sees a piece at a time.

    Args:
        model: a `JointModel`, or one wrapped for data-parallel training.
        batch: of this process.
        loss: of embeddings and batch.
        pieces: that the batch is encoded in.
        bf16: whether layers compute in bfloat16 where that is safe; the loss is in single precision.
    """
    if pieces == 1:
        with _cast(batch, bf16):
            met = model(batch)
        value = loss(met, batch)
        value.backward()
        return value.detach()
    parts = split(batch, pieces)
    with torch.no_grad(), unremembered(model), _cast(batch, bf16):
        found = [model(part) for part in parts]
    whole = Met(*(_leaf([part[k] for part in found]) for k in range(len(Met._fields))))
    value = loss(whole, batch)
    value.backward()
    sizes = [len(part.video) for part in parts]
    gradients = [None if leaf is None or leaf.grad is None else leaf.grad.split(sizes) for leaf in whole]
    for k, part in enumerate(parts):
        last = k == len(parts) - 1
        with nullcontext() if last else _unsynchronised(model), _cast(batch, bf16):
            met = model(part)
        passed = [(x, g[k]) for x, g in zip(met, gradients, strict=True) if x is not None and g is not None]
        with nullcontext() if last else _unsynchronised(model):
            torch.autograd.backward([x for x, _ in passed], [g.to(x.dtype) for x, g in passed])
    return value.detach()


def split(batch: Batch, pieces: int) -> list[Batch]:
    """Pieces of a batch, as equal as can be."""
    columns = [[None] * pieces if column is None else list(torch.tensor_split(column, pieces)) for column in batch]
    return [Batch(*(column[k] for column in columns)) for k in range(pieces)]  # type: ignore[arg-type]


def _leaf(parts: list[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there).float().requires_grad_() if there else None


def _unsynchronised(model: nn.Module) -> Any:
    return model.no_sync() if hasattr(model, "no_sync") else nullcontext()  # type: ignore[operator]


def _cast(batch: Batch, bf16: bool) -> torch.autocast:
    return torch.autocast(batch.video.device.type, dtype=torch.bfloat16, enabled=bf16)
