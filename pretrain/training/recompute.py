"""Activations that are computed again in the backward pass instead of kept: less memory for a third more work."""

from __future__ import annotations

import functools
from contextlib import nullcontext
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

from pretrain.training.statistics import unremembered


def recompute(parts: list[nn.Module]) -> None:
    """Let each part keep nothing but its input in training; gradients and running statistics stay the same."""
    for part in parts:
        part.forward = functools.partial(_recomputed, part, part.forward)


def _recomputed(part: nn.Module, forward: Any, *inputs: Any) -> Any:
    if not part.training:
        return forward(*inputs)
    # The second time statistics must not be counted again.
    return checkpoint(forward, *inputs, use_reentrant=False, context_fn=lambda: (nullcontext(), unremembered(part)))
