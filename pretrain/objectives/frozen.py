"""The objective of Frozen in Time (Bain et al., ICCV 2021): which caption for a clip, and which clip for a caption."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pretrain.distributed import gather
from pretrain.objectives.scores import CHUNK, log_sum_scores, mean_over


def frozen(
    video: Float[Tensor, "B D"],
    text: Float[Tensor, "B D"],
    *,
    known: Bool[Tensor, "B"] | None = None,
    temperature: float = 0.05,
    chunk: int = CHUNK,
) -> Float[Tensor, ""]:
    """Mean of the sum of the cross-entropies of both directions, on cosines over `temperature`.

    Embeddings that are all alike give 2 ln N for N pairs over all processes.

    Args:
        video: of this process.
        text: one caption for each clip.
        known: which pairs there are; the others take no part. All by default.
        temperature: that cosines are divided by.
        chunk: scores held at once for each pair.
    """
    video, text = nn.functional.normalize(video.float(), dim=1), nn.functional.normalize(text.float(), dim=1)
    video = video / temperature
    part = torch.ones(len(video), dtype=torch.bool, device=video.device) if known is None else known
    videos, texts, there = gather(video), gather(text), gather(part)
    video, text = video[part], text[part]
    of_clip = log_sum_scores(video, texts, known=there, chunk=chunk)
    of_text = log_sum_scores(text, videos, known=there, chunk=chunk)
    return mean_over(of_clip + of_text - 2 * (video * text).sum(dim=1), part)
