"""Max-margin ranking of HowTo100M (Miech et al., ICCV 2019): a pair scores higher than either with somebody else."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pretrain.distributed import gather, rank
from pretrain.objectives.scores import mean_over


def ranking(
    video: Float[Tensor, "B D"],
    text: Float[Tensor, "B D"],
    *,
    known: Bool[Tensor, "B"] | None = None,
    source: Int[Tensor, "B"] | None = None,
    margin: float = 0.1,
    within: float = 0.5,
) -> Float[Tensor, ""]:
    """Mean over pairs of the mean hinge, margin + x_ij - x_ii and margin + x_ji - x_ii, over negatives j.

    Args:
        video: of this process; x_ij = video_i . text_j.
        text: one caption for each clip.
        known: which pairs there are; the others take no part. All by default.
        source: number of the video that each clip is from, over all processes.
        margin: by which a pair shall win.
        within: weight of the negatives from the same video, together, where there are any; the others have the rest.
    """
    video, text = video.float(), text.float()
    B, first = len(video), rank() * len(video)
    own = (video * text).sum(dim=1, keepdim=True)
    with torch.autocast(video.device.type, enabled=False):
        forth, back = video @ gather(text).T, text @ gather(video).T
    hinge = (margin + forth - own).relu() + (margin + back - own).relu()
    part = torch.ones(B, dtype=torch.bool, device=video.device) if known is None else known
    pair = torch.zeros_like(hinge, dtype=torch.bool)
    pair[torch.arange(B), first + torch.arange(B)] = True
    negative = ~pair & gather(part)[None, :]
    alike = torch.zeros_like(pair) if source is None else source[:, None] == gather(source)[None, :]
    near, far = negative & alike, negative & ~alike
    # Where there is only one kind of negative it has all the weight.
    there = torch.stack([within * near.any(dim=1), (1 - within) * far.any(dim=1)])
    share = there / there.sum(dim=0).clamp(min=1e-12)
    means = [(hinge * chosen).sum(dim=1) / chosen.sum(dim=1).clamp(min=1) for chosen in (near, far)]
    return mean_over((share * torch.stack(means)).sum(dim=0)[part], part)
