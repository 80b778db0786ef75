"""Pearson distance of two rewards, and the refusal of one that does not vary.

sqrt((1 - rho) / 2) with Pearson's correlation rho lies in [0, 1]; it is a metric of random variables up to a positive
scale and a shift (Gleave et al., Quantifying Differences in Reward Functions, ICLR 2021, Definition 4.4).
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int

from policies.rewards.reward import RewardError

LEAST_SPREAD = 1e-10
"""Standard deviation, as a share of the largest absolute value, below which differences are of rounding."""
SURE = 0.95
"""Probability with which a sample of the size that is asked for shows a rare event at all."""


class ConstantRewardError(RewardError):
    """A reward without variance: its correlation with another one is not defined."""


def pearson_distance(
    a: Float[np.ndarray, "*N"], b: Float[np.ndarray, "*N"], weight: Float[np.ndarray, "*N"] | None = None
) -> float:
    """Distance in [0, 1] of two rewards of the same transitions.

    Args:
        a: one reward of each transition.
        b: the other.
        weight: probability of each transition; all the same by default.

    Raises:
        ConstantRewardError: one of them does not vary.
    """
    weight = np.full(a.shape, 1 / a.size) if weight is None else weight / weight.sum()
    unit = [_standard(value, weight) for value in (a, b)]
    # (1 - rho) / 2 = |u - v|^2 / 4 for standard u and v: exact where rho is near 1, where 1 - rho cancels.
    share = float(np.sum(weight * (unit[0] - unit[1]) ** 2)) / 4
    return math.sqrt(min(max(share, 0.0), 1.0))


def varies(value: Float[np.ndarray, "*N"], weight: Float[np.ndarray, "*N"] | None = None) -> bool:
    """Whether a reward differs between transitions by more than rounding."""
    kept = value if weight is None else value[weight > 0]
    largest = float(np.abs(kept).max(initial=0.0))
    return bool(np.ptp(kept) > LEAST_SPREAD * largest) if kept.size and largest > 0 else False


def needed_size(share: float) -> int:
    """Transitions that show an event of probability `share` at least once with probability `SURE`."""
    return math.ceil(math.log1p(-SURE) / math.log1p(-share)) if 0 < share < 1 else 1


def rarest(size: int) -> float:
    """Largest probability of an event that `size` transitions do not show with probability 1 - `SURE`."""
    return 1 - (1 - SURE) ** (1 / size)


def refuse_constant(name: str, value: Float[np.ndarray, "*N"], more: Float[np.ndarray, "M"] | None = None) -> None:
    """Refuse a reward that does not vary over a sample, and tell how large a sample would have to be.

    Args:
        name: of the reward.
        value: on the sample.
        more: of the same reward on a larger sample, which tells how rare its event is.

    Raises:
        ConstantRewardError: it does not vary.
    """
    if varies(value):
        return
    head = f"the reward {name!r} has zero variance: it is {value.flat[0]:g} in all of {value.size:,} transitions"
    if more is not None and varies(more):
        usual = np.median(more)
        share = float(np.mean(np.abs(more - usual) > LEAST_SPREAD * np.abs(more).max()))
        needed = f"at least {needed_size(share):,} transitions are needed to see that with {SURE:.0%} probability"
        raise ConstantRewardError(f"{head}; it differs in a share of {share:.2g} of {more.size:,}: {needed}")
    size = value.size if more is None else more.size
    tried = "" if more is None else f", and of a larger sample of {more.size:,}"
    raise ConstantRewardError(
        f"{head}{tried}; either it is constant, or what it pays for is rarer than {rarest(size):.2g}: more than"
        f" {size:,} transitions are needed"
    )


def resampled(
    a: Float[np.ndarray, "N"],
    b: Float[np.ndarray, "N"],
    group: Int[np.ndarray, "N *K"],
    rng: np.random.Generator,
    repeats: int = 500,
) -> tuple[float, float]:
    """95 % interval of the Pearson distance: percentiles of the bootstrap.

    Whole groups (episodes) are drawn again, for transitions of one are alike. Samples without variance are left out.

    Args:
        a: one reward of each transition.
        b: the other.
        group: of each transition. Of several columns, as where state, action and next state are of different episodes,
            a transition weighs the product of how often its groups were drawn (the pigeonhole bootstrap, Owen, Annals
            of Applied Statistics 2007).
        rng: draws the samples.
        repeats: samples.

    Returns:
        Ends of the interval; 0 and 1 for a single group, which does not tell how groups differ.

    Raises:
        ConstantRewardError: hardly any sample has variance.
    """
    kinds, place = np.unique(group, return_inverse=True)
    count, place = len(kinds), place.reshape(len(group), -1)
    if count < 2:
        return 0.0, 1.0
    found = []
    for _ in range(repeats):
        drawn = np.bincount(rng.integers(count, size=count), minlength=count)
        weight = drawn[place].prod(axis=1).astype(float)
        if varies(a, weight) and varies(b, weight):
            found.append(pearson_distance(a, b, weight))
    if len(found) < repeats / 2:
        raise ConstantRewardError(
            f"a reward has zero variance in {repeats - len(found)} of {repeats} samples of {count} episodes:"
            " too few of them differ; more are needed"
        )
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def _standard(value: Float[np.ndarray, "*N"], weight: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
    if not varies(value, weight):
        refuse_constant("compared", np.ravel(value[weight > 0]))
    scaled = value / np.abs(value).max()
    centred = scaled - np.sum(weight * scaled)
    spread = math.sqrt(float(np.sum(weight * centred**2)))
    if spread == 0:
        raise ConstantRewardError("the compared reward has zero variance: it differs by less than rounding")
    centred = centred / spread
    return centred / math.sqrt(float(np.sum(weight * centred**2)))
