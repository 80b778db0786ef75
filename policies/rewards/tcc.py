"""Temporal cycle-consistency: an embedding in which going to another demonstration and back leads to the same moment.

Dwibedi et al., Temporal Cycle-Consistency Learning, CVPR 2019, cycle-back regression (section 3.2); the embedding of
XIRL (Zakka et al., CoRL 2021). What demonstrations do at their own paces, and however they look, comes to lie together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from policies.learners import Layers
from policies.rewards.logit import initial
from policies.rewards.reward import RewardError
from policies.rewards.trainable import learned, parameters, through, trainable

if TYPE_CHECKING:
    import torch

SPREAD_WEIGHT = 1e-3
"""Lambda: weight of the logarithm of the spread of where a cycle may end."""
LEAST_SPREAD = 1e-6
"""Added to its variance [frames^2], so that a cycle that is sure has a finite loss."""


class TCCSettings(NamedTuple):
    """How the embedding is learned."""

    hidden: tuple[int, ...] = (64,)
    """Widths of tanh layers."""
    size: int = 8
    """Dimensions of the embedding."""
    frames: int = 20
    """Of a demonstration that are drawn for a step, in order."""
    iterations: int = 400
    rate: float = 1e-3
    """Of Adam."""
    decay: float = 1e-4
    """Of weights."""


def cycle_back(
    u: Float[torch.Tensor, "N K"], v: Float[torch.Tensor, "M K"], *, weight: float = SPREAD_WEIGHT
) -> Float[torch.Tensor, ""]:
    """Mean over the moments i of u of |i - mu|^2 / sigma^2 + weight log sigma.

    The soft nearest neighbour of u_i in v, by squared distances, has in u the soft nearest moments beta; mu and sigma^2
    are the mean and the variance of the index under beta. Embeddings that tell no moments apart cost 1 + weight log
    sigma.
    """
    import torch

    neighbour = torch.softmax(-torch.cdist(u, v).square(), dim=1) @ v
    beta = torch.softmax(-torch.cdist(neighbour, u).square(), dim=1)
    index = torch.arange(len(u), dtype=u.dtype)
    mean = beta @ index
    variance = (beta * (index[None] - mean[:, None]).square()).sum(dim=1) + LEAST_SPREAD
    return ((index - mean).square() / variance + weight * 0.5 * variance.log()).mean()


def fit_tcc(values: Sequence[Float[np.ndarray, "_ D"]], settings: TCCSettings, seed: int) -> Layers:
    """Layers from scaled descriptions to the embedding.

    Args:
        values: of the moments of each demonstration.
        settings: how.
        seed: of the first weights, and of pairs and moments.

    Raises:
        RewardError: a single demonstration, or one of fewer than 3 moments.
    """
    import torch

    from policies.train import one_thread

    if len(values) < 2 or min(map(len, values)) < 3:
        raise RewardError(
            f"cycles go from one demonstration to another and back: {len(values)} demonstrations of"
            f" {min(map(len, values))} moments at least; expected two or more, of 3 or more"
        )
    rng = np.random.default_rng([seed, 29])
    net = trainable(initial((values[0].shape[1], *settings.hidden, settings.size), rng, zero_last=False))
    optimiser = torch.optim.AdamW(parameters(net), lr=settings.rate, weight_decay=settings.decay)
    whole = [torch.from_numpy(np.ascontiguousarray(value, float)) for value in values]
    with one_thread():
        for _ in range(settings.iterations):
            pair = [whole[k] for k in rng.permutation(len(whole))[:2]]
            u, v = (through(net, one[_drawn(len(one), settings.frames, rng)]) for one in pair)
            loss = cycle_back(u, v) + cycle_back(v, u)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return learned(net)


def _drawn(moments: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Moments in order, the last one among them."""
    chosen = rng.permutation(moments - 1)[: min(count, moments) - 1]
    return np.append(np.sort(chosen), moments - 1)
