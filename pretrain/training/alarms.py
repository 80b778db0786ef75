"""Signs that a training goes wrong: embeddings that collapse, and clips that are learned by heart.

Everything is measured without labels, on clips that stay the same throughout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pretrain.probes.ranks import ranks
from pretrain.probes.scaling import unit

NARROW = 0.1
"""Spread below which embeddings are said to have collapsed."""
FLAT = 1.5
"""Effective rank below which they are."""
MEMORISED = 0.2
"""Difference of the retrieval of clips that are learned from and of others at which memorising is suspected."""
_NEIGHBOURS = 5


class Health(NamedTuple):
    """Where a training stands; all NaN where embeddings are not finite."""

    spread: float
    """Mean standard deviation of the components of unit embeddings, times the square root of their number: 1 where they
    point everywhere, 0 where all are the same."""
    rank: float
    """Effective rank of the embeddings: exponential of the entropy of their singular values' shares."""
    neighbours: float
    """Words that a clip's sentence shares with those of its 5 nearest clips, over those shared with any clip's."""
    seen: float
    """Retrieval of clips that are learned from, by their sentences: 1 less the mean rank's share; 0.5 by chance."""
    unseen: float
    """The same of clips that are not; NaN where there are none."""

    def alarms(self) -> list[str]:
        """What is wrong, one line each."""
        found = []
        if math.isnan(self.spread):
            found.append("embeddings are not finite")
        if self.spread < NARROW or self.rank < FLAT:
            found.append(f"embeddings have collapsed: spread {self.spread:.3f}, effective rank {self.rank:.1f}")
        if self.seen - self.unseen > MEMORISED:
            found.append(
                f"clips are learned by heart: those of the training are retrieved at {self.seen:.2f},"
                f" others at {self.unseen:.2f}"
            )
        return found


def spread_of(embedding: Float[np.ndarray, "N D"]) -> float:
    """See `Health.spread`."""
    return float(unit(embedding).std(axis=0).mean() * np.sqrt(embedding.shape[1]))


def effective_rank(embedding: Float[np.ndarray, "N D"]) -> float:
    """See `Health.rank` (Roy and Vetterli, 2007); of centred embeddings. 0 where all are the same."""
    values = np.linalg.svd(embedding - embedding.mean(axis=0), compute_uv=False)
    if values.sum() <= 1e-12 * max(1.0, float(np.abs(embedding).max(initial=0.0))):
        return 0.0
    share = values / values.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def shared_words(features: Float[np.ndarray, "N F"], sentences: Sequence[frozenset[int]]) -> float:
    """See `Health.neighbours`: words in both over words in either, neighbours by cosine; NaN where none share any."""
    N = len(features)
    near = unit(features) @ unit(features).T
    np.fill_diagonal(near, -np.inf)
    overlap = np.array([[len(a & b) / max(1, len(a | b)) for b in sentences] for a in sentences])
    np.fill_diagonal(overlap, 0.0)
    chance = overlap.sum() / (N * (N - 1))
    nearest = np.argsort(-near, axis=1, kind="stable")[:, : min(_NEIGHBOURS, N - 1)]
    return float(np.take_along_axis(overlap, nearest, axis=1).mean() / chance) if chance > 0 else float("nan")


def retrieval(text: Float[np.ndarray, "N D"], video: Float[np.ndarray, "N D"]) -> float:
    """See `Health.seen`: share of the other clips that score less than a sentence's own; ties count one half."""
    place = ranks(text @ video.T, np.arange(len(text)))
    return float(1 - (place - 1).mean() / (len(text) - 1))
