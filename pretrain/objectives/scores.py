"""Log-sums of the exponentials of many scores, in single precision and in pieces that fit into memory."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from pretrain.distributed import gather, processes

CHUNK = 8192
"""Columns whose scores are held at once."""

NEVER = -1e30
"""Score of what does not count: finite, so that a sum over nothing has gradients of 0 rather than none."""


def log_sum_scores(
    rows: Float[Tensor, "B D"],
    columns: Float[Tensor, "N D"],
    *,
    known: Bool[Tensor, "N"] | None = None,
    without: Int[Tensor, "B"] | None = None,
    chunk: int = CHUNK,
) -> Float[Tensor, "B"]:
    """Return log sum_n exp(rows_b . columns_n), over the columns known, and for row b without column `without`_b.

    Scores are computed in single precision whatever autocast says, and again in the backward pass rather than kept:
    memory grows with B times `chunk`. Where no column is left the result is about `NEVER`.
    """
    rows, columns = rows.float(), columns.float()
    total: Tensor | None = None
    for start in range(0, len(columns), chunk):
        part = columns[start : start + chunk]
        there = None if known is None else known[start : start + chunk]
        left = None if without is None else without - start
        if len(columns) > chunk and torch.is_grad_enabled():
            found = checkpoint(_piece, rows, part, there, left, use_reentrant=False)
        else:
            found = _piece(rows, part, there, left)
        total = found if total is None else torch.logaddexp(total, found)
    assert total is not None
    return total


def mean_over(values: Float[Tensor, "C"], takes_part: Bool[Tensor, "B"]) -> Float[Tensor, ""]:
    """Mean over the clips of all processes that take part, as this process's share of it.

    Args:
        values: losses of this process's clips that take part.
        takes_part: which of its clips do.

    The mean of this over processes, as of gradients in data-parallel training, is the mean over all clips; 0 where none
    takes part.
    """
    return values.sum() * processes() / gather(takes_part).sum().clamp(min=1)


def _piece(rows: Tensor, columns: Tensor, known: Tensor | None, without: Tensor | None) -> Tensor:
    with torch.autocast(rows.device.type, enabled=False):
        scores = rows @ columns.T
    if known is not None:
        scores = scores.masked_fill(~known, NEVER)
    if without is not None:
        own = torch.arange(len(columns), device=rows.device) == without[:, None]
        scores = scores.masked_fill(own, NEVER)
    return scores.logsumexp(dim=1)
