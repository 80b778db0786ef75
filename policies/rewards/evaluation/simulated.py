"""Dynamics for DARD by simulation: what other actions would have led to from each state of recorded episodes.

Near a state data often show one action alone: then all that is seen to follow is what did follow, and a reward of that
has nothing left in canonical form. A simulator tells what the other actions would have done: each episode is repeated
up to a step, and another action is taken there.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from policies.rewards.evaluation.data.reading import DataError, Dataset
from policies.rewards.evaluation.repeated import environment_of, follows_in, require_seeds
from policies.trials import Trial
from records import Demonstration
from records.progress import tell_progress
from sim.env import ToolEnv

ACTIONS = 8
"""That are tried in each state, the same in all."""


class Simulated:
    """Where some actions lead to, of all actions in the data, from each state of the data.

    The last state of an episode stays as it is.
    """

    def __init__(
        self,
        data: Dataset,
        demonstration: Demonstration,
        *,
        under: Trial | None = None,
        actions: Float[np.ndarray, "M A"] | None = None,
        seed: int = 0,
    ) -> None:
        """Simulate all.

        Args:
            data: with the seeds of the episodes.
            demonstration: of the environment that they come from.
            under: how the scene varied; by default as the data tell.
            actions: that are tried; by default `ACTIONS` of those in the data.
            seed: of which these are.

        Raises:
            DataError: no seeds are known, or an episode cannot be repeated.
        """
        require_seeds(data)
        every = np.concatenate([episode.action for episode in data.episodes])
        drawn = np.random.default_rng([seed, 31]).integers(len(every), size=ACTIONS)
        self.actions = every[drawn] if actions is None else actions
        self._after: dict[bytes, np.ndarray] = {}
        env = environment_of(data, demonstration, under)
        try:
            for k, (episode, number) in enumerate(zip(data.episodes, data.seeds, strict=True)):
                follows = follows_in(env, episode, int(number), f"{data.path}: episode {k}")
                for step in range(len(episode)):
                    tried = [
                        _after(env, np.vstack([episode.action[:step], action]), int(number), follows=follows)
                        for action in self.actions
                    ]
                    self._after[_key(episode.obs[step])] = np.stack(tried)
                self._after.setdefault(_key(episode.obs[-1]), np.repeat(episode.obs[-1:], len(self.actions), axis=0))
                tell_progress("trying other actions", k + 1, len(data.episodes))
        finally:
            env.close()

    def draw(
        self, s: Float[np.ndarray, "N D"], s_next: Float[np.ndarray, "N D"], draws: int
    ) -> tuple[Float[np.ndarray, "N M A"], Float[np.ndarray, "N M D"], Float[np.ndarray, "N M D"]]:
        """The actions in turn, and where each leads to from s and from s_next.

        Raises:
            DataError: a state that is none of the data's.
        """
        turn = np.arange(draws) % len(self.actions)
        action = np.repeat(self.actions[turn][None], len(s), axis=0)
        return action, self._from(s)[:, turn], self._from(s_next)[:, turn]

    def _from(self, s: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N M D"]:
        try:
            return np.stack([self._after[_key(row)] for row in s])
        except KeyError:
            raise DataError("a state that is not one of the simulated episodes") from None


def _after(env: ToolEnv, actions: Float[np.ndarray, "T A"], seed: int, *, follows: bool) -> Float[np.ndarray, "D"]:
    """What is observed after some actions from the beginning of an episode."""
    obs, _ = env.reset(seed=seed, options={"follow": follows})
    for action in actions:
        obs, *_ = env.step(np.asarray(action, float))
    return np.asarray(obs, float)


def _key(state: Float[np.ndarray, "D"]) -> bytes:
    return np.ascontiguousarray(state, float).tobytes()
