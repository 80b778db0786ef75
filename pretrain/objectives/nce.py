"""Noise contrast with one positive: a clip and its caption, or its sound, against all others of both directions."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pretrain.distributed import gather, rank
from pretrain.objectives.scores import CHUNK, log_sum_scores, mean_over


def nce(
    one: Float[Tensor, "B D"],
    other: Float[Tensor, "B D"],
    *,
    known: Bool[Tensor, "B"] | None = None,
    temperature: float = 1.0,
    chunk: int = CHUNK,
) -> Float[Tensor, ""]:
    """Mean of -log of the pair's share among itself and the negatives of both directions.

    With x_ij = one_i . other_j: LSE of x_ii, {x_ij} and {x_ji} over j != i, less x_ii. It is at least 0; embeddings of
    zeros give ln(2N - 1) for N pairs over all processes. MIL-NCE with one candidate counts x_ii twice.

    Args:
        one: embeddings of this process.
        other: of the same clips.
        known: which pairs there are; the others take no part. All by default.
        temperature: that scores are divided by.
        chunk: scores held at once for each pair.
    """
    B = len(one)
    one, other = one.float() / temperature, other.float()
    part = torch.ones(B, dtype=torch.bool, device=one.device) if known is None else known
    place = rank() * B + torch.arange(B, device=one.device)[part]
    ones, others, there = gather(one), gather(other), gather(part)
    one, other = one[part], other[part]
    forth = log_sum_scores(one, others, known=there, chunk=chunk)
    back = log_sum_scores(other, ones, known=there, without=place, chunk=chunk)
    return mean_over(torch.logaddexp(forth, back) - (one * other).sum(dim=1), part)
