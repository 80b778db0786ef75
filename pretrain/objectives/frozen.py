"""The objective of Frozen in Time (Bain et al., ICCV 2021): which caption for a clip, and which clip for a caption."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from pretrain.distributed import gather
from pretrain.objectives.scores import CHUNK, log_sum_scores


def frozen(
    video: Float[Tensor, "B D"], text: Float[Tensor, "B D"], *, temperature: float = 0.05, chunk: int = CHUNK
) -> Float[Tensor, ""]:
    """Sum of the cross-entropies of both directions, on cosines over `temperature`.

    Embeddings that are all alike give 2 ln N for N pairs over all processes.
    """
    video, text = nn.functional.normalize(video.float(), dim=1), nn.functional.normalize(text.float(), dim=1)
    video = video / temperature
    own = (video * text).sum(dim=1)
    of_clip = log_sum_scores(video, gather(text), chunk=chunk)
    of_text = log_sum_scores(text, gather(video), chunk=chunk)
    return (of_clip + of_text - 2 * own).mean()
