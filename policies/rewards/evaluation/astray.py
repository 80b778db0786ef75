"""Successes against near misses that the simulator has made: the moved demonstration, led astray in its last fifth."""

from __future__ import annotations

import numpy as np

from policies.agents import Shifted
from policies.evaluate import fresh_seeds
from policies.rewards.evaluation.near_misses import strayed
from policies.rewards.evaluation.separation import Scores, Separation, separation
from policies.rewards.film import asked_of_env, film_for
from policies.rewards.reward import Reward, judge
from policies.trials import NOMINAL, Trial
from records import Demonstration


def astray(
    reward: Reward, demonstration: Demonstration, *, under: Trial = NOMINAL, episodes: int = 20, seed: int = 0
) -> Separation | str:
    """How well a reward tells successes from episodes that go as they do, and fail in their last fifth.

    Args:
        reward: any; pictures and forces that it looks at are taken.
        demonstration: of the environment; moved along with its objects it is what succeeds.
        under: how the scene varies.
        episodes: tried, with seeds that training never uses.
        seed: of the episodes, and of the ways to stray.

    Returns:
        Areas under the curve, or why there are none.

    Raises:
        RewardError: the reward cannot judge the environment's episodes.
    """
    env = under.environment(demonstration, **asked_of_env(reward))
    film = film_for(reward)
    try:
        done, misses = strayed(env, Shifted(), fresh_seeds(seed, episodes), seed=seed, film=film)
    finally:
        env.close()
    good = [episode for episode in done if episode.success]
    if not good or not misses:
        why = "solves none" if not good else "solves all in spite of what is done in their last fifth"
        return f"of {episodes} episodes the moved demonstration {why}"
    scores = Scores.of(reward, [judge(reward, episode) for episode in (*good, *misses)])
    return separation(scores, np.arange(len(good) + len(misses)) < len(good), seed=seed)
