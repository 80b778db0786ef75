"""MIL-NCE (Miech et al., CVPR 2020): one of several candidate captions belongs to a clip, nobody says which."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pretrain.distributed import gather
from pretrain.objectives.scores import CHUNK, NEVER, log_sum_scores, mean_over


def milnce(
    video: Float[Tensor, "B D"],
    text: Float[Tensor, "B K D"],
    *,
    candidate: Bool[Tensor, "B K"] | None = None,
    temperature: float = 1.0,
    chunk: int = CHUNK,
) -> Float[Tensor, ""]:
    """Mean over clips of -log (sum of candidates) / (sum of candidates and all negatives of both directions).

    With x_ijk = video_i . text_jk: LSE of {x_ijk} and {x_jik} over all j, k, less LSE_k x_iik. As in the paper the
    candidates are counted in both directions, so that the loss is at least ln 2; embeddings of zeros give ln 2N for N
    clips over all processes.

    Args:
        video: of this process.
        text: K candidates for each clip.
        candidate: which of them there are; a clip without any takes no part. All by default.
        temperature: that scores are divided by.
        chunk: scores held at once for each clip.
    """
    B, K, D = text.shape
    video, text = video.float() / temperature, text.float()
    known = torch.ones(B, K, dtype=torch.bool, device=text.device) if candidate is None else candidate
    part = known.any(dim=1)
    everybody, there = gather(video), gather(part)
    sentences, said = gather(text).flatten(0, 1), gather(known).flatten()
    mine, own, known = video[part], text[part], known[part]
    of_clip = log_sum_scores(mine, sentences, known=said, chunk=chunk)
    of_text = log_sum_scores(own.reshape(-1, D), everybody, known=there, chunk=chunk).view(-1, K)
    of_text = of_text.masked_fill(~known, NEVER).logsumexp(dim=1)
    pairs = torch.einsum("bd,bkd->bk", mine, own).masked_fill(~known, NEVER).logsumexp(dim=1)
    return mean_over(torch.logaddexp(of_clip, of_text) - pairs, part)
