"""A reward of episodes as a function of transitions, and a function of transitions as a reward of episodes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from policies.rewards.evaluation.canonical.epic import TransitionReward
from policies.rewards.reward import Reward, RewardError, Watched, judge

TOLERANCE = 1e-6
"""Share of a reward's range by which it may differ when its steps are judged one by one."""
TRIED = 3
"""Episodes in which that is tried."""


class FunctionReward:
    """A function of transitions, as a reward."""

    stepwise = True

    def __init__(self, function: TransitionReward, name: str) -> None:
        """Give it a name."""
        self.function, self.name = function, name

    @property
    def needs(self) -> frozenset[str]:
        """Observations and actions."""
        return frozenset({"obs", "action"})

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Judge each transition; see `of`."""
        return self.of(episode.obs[:-1], episode.action, episode.obs[1:])

    def of(
        self, s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"], s_next: Float[np.ndarray, "N D"]
    ) -> np.ndarray:
        """What the function says of transitions, its shape and values not yet checked.

        Raises:
            RewardError: the function fails, as on observations and actions of sizes that it was not made for.
        """
        try:
            return np.asarray(self.function(s, a, s_next), float)
        except Exception as error:  # the user's code may raise anything
            raise RewardError(
                f"the reward {self.name!r} failed on {s.shape[1]} observations and {a.shape[1]} actions"
                f" ({type(error).__name__}: {error}): was it made for this environment?"
            ) from error


def of_transitions(reward: Reward, episodes: list[Watched]) -> TransitionReward:
    """The reward as a function of s, a and s', which EPIC and DARD compare.

    Transitions are judged as the odd steps of one long episode; that this says the same of episodes is tried.

    Args:
        reward: that looks at observations and actions only.
        episodes: of the environment; their names and rate are passed on.

    Raises:
        RewardError: the reward looks at something else, or depends on more than the transition.
    """
    if isinstance(reward, FunctionReward):
        return reward.of
    if not reward.needs <= {"obs", "action"}:
        other = " and ".join(sorted(reward.needs - {"obs", "action"}))
        raise RewardError(f"the reward {reward.name!r} looks at {other}: it is no function of observed transitions")
    like = episodes[0]

    def judged(
        s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"], s_next: Float[np.ndarray, "N D"]
    ) -> Float[np.ndarray, "N"]:
        obs = np.stack([s, s_next], axis=1).reshape(-1, s.shape[1])
        action = np.repeat(a, 2, axis=0)[:-1]
        return judge(reward, Watched(obs=obs, obs_names=like.obs_names, action=action, fps=like.fps))[::2]

    for episode in episodes[:TRIED]:
        whole = judge(reward, episode)
        apart = judged(episode.obs[:-1], episode.action, episode.obs[1:])
        if np.abs(whole - apart).max() > TOLERANCE * max(np.ptp(whole), np.abs(whole).max(), 1e-300):
            raise RewardError(
                f"the reward {reward.name!r} of a step depends on more than its transition: EPIC and DARD do not apply"
            )
    return judged
