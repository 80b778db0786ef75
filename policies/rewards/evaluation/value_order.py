"""Value-order correlation: whether a reward rises while a demonstration goes on, and falls when it is shown backwards.

Rank correlation of what a reward says of each step with time (Ma et al., Generative Value Learning, ICLR 2025). A
reward that tells the time instead of looking at what is done rises in the reversed demonstration, too: a control. Of a
shuffled one nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from policies.rewards.evaluation.intervals import Estimate, mean_of, rank_correlation
from policies.rewards.reward import Reward, RewardError, Watched, judge, levels


class ValueOrder(NamedTuple):
    """Mean rank correlation with time over demonstrations, from -1 to 1."""

    forward: Estimate
    reversed: Estimate
    """The demonstration shown backwards: the opposite, of a reward that looks at what is seen."""
    shuffled: Estimate
    """Its moments in random order: around 0."""
    constant: int
    """Demonstrations in which the reward is the same in all steps: they have no correlation, and are left out."""

    @property
    def tells_time(self) -> bool:
        """Whether it rises in the demonstration, and also where that is shown backwards."""
        return self.forward.defined and self.reversed.defined and min(self.forward.low, self.reversed.low) > 0

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        figures = {name: getattr(self, name).plain() for name in ("forward", "reversed", "shuffled")}
        return {**figures, "constant": self.constant, "tells_time": self.tells_time}


def value_order(reward: Reward, demonstrations: Sequence[Watched], *, seed: int = 0) -> ValueOrder:
    """Rank correlation of each step's reward with time, with controls.

    Args:
        reward: judges steps by the moment that they lead to; of one that pays for change, the sum so far is taken.
        demonstrations: that succeed.
        seed: of the shuffled order, and of the bootstrap.

    Raises:
        RewardError: no demonstrations, or the reward cannot judge one.
    """
    if not demonstrations:
        raise RewardError("value-order correlation needs demonstrations that succeed: there are none")
    rng = np.random.default_rng([seed, 17])
    found: dict[str, list[float]] = {"forward": [], "reversed": [], "shuffled": []}
    for shown in demonstrations:
        moments = np.arange(len(shown) + 1)
        orders = {"forward": moments, "reversed": moments[::-1].copy(), "shuffled": rng.permutation(moments)}
        for name, order in orders.items():
            level = levels(reward, judge(reward, shown if name == "forward" else reordered(shown, order)))
            found[name].append(rank_correlation(level, np.arange(len(level), dtype=float)))
    constant = int(np.sum(np.isnan(found["forward"])))
    means = {name: mean_of(np.array(values), seed=seed) for name, values in found.items()}
    return ValueOrder(**means, constant=constant)


def reordered(episode: Watched, order: Int[np.ndarray, "O"]) -> Watched:
    """The episode with its moments in another order; each step keeps the action and the forces of its first moment.

    A moment's own numbers go with it, velocities too: in the reversed episode they point the other way than the motion.
    """
    steps = np.minimum(order[:-1], len(episode) - 1)
    frames = episode.frames

    def shown() -> Iterator[np.ndarray]:
        assert frames is not None
        pictures = list(frames())
        return (pictures[k] for k in order)

    return Watched(
        obs=episode.obs[order],
        obs_names=episode.obs_names,
        action=episode.action[steps],
        frames=None if frames is None else shown,
        fps=episode.fps,
        forces=None if episode.forces is None else episode.forces[steps],
        force_names=episode.force_names,
        success=episode.success,
        reward=None,
    )
