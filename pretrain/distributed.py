"""Batches over several processes: everybody's embeddings, with their gradients."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor

from pretrain.device import device_of


def processes() -> int:
    """Number of processes that train together; 1 without a process group."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Number of this process among them."""
    return dist.get_rank() if processes() > 1 else 0


@contextmanager
def together(device: str | None = None) -> Iterator[torch.device]:
    """Join the processes that `torchrun` has started, if it has; yields the device of this one.

    Args:
        device: `cpu` or `cuda`; by default a GPU where there is one. Each process of a machine takes a GPU of its own.

    Raises:
        DeviceError: there is no such device, or not one for each process.
    """
    local = int(os.environ.get("LOCAL_RANK", "0"))
    kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
    chosen = device_of(f"cuda:{local}" if kind == "cuda" else kind)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    joins = int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized()
    if joins:
        dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield chosen
    finally:
        if joins:
            dist.destroy_process_group()


def gather(local: Shaped[Tensor, "B *D"]) -> Shaped[Tensor, "N *D"]:
    """Rows of all processes, in order of rank; each must bring as many.

    The gradient of a process's own rows is the sum of what every process's loss says of them. Averaged over processes,
    as data-parallel training does, that is the gradient of the mean loss over all rows: it does not depend on how many
    processes share a batch.
    """
    return _Gather.apply(local) if processes() > 1 else local


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, local: Tensor) -> Tensor:
        ctx.rows = len(local)
        parts = [torch.empty_like(local) for _ in range(processes())]
        dist.all_gather(parts, local.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous()
        dist.all_reduce(total)
        first = rank() * ctx.rows
        return total[first : first + ctx.rows]
