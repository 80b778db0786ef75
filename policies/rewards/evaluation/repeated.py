"""Recorded episodes again, with what was not recorded: pictures and forces, for rewards that look at these.

The environment of the demonstration repeats an episode exactly from its seed and its actions. What it then observes is
compared with what was recorded: data that come from elsewhere are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from policies.rewards.evaluation.data.reading import DataError, Dataset
from policies.rewards.film import Film, Looking, asked_of_env, film_for
from policies.rewards.reward import Watched
from policies.rewards.watching import watch
from policies.trials import NOMINAL, Trial
from records import Demonstration
from records.progress import tell_progress
from sim.actions import model_of
from sim.env import ToolEnv

TOLERANCE = 1e-5
"""Of observations, as some formats keep them in single precision."""


def lacks(reward: Looking, episodes: Sequence[Watched]) -> bool:
    """Whether these episodes do not hold what a reward looks at, and a simulation could show it."""
    filmed = hasattr(getattr(reward, "describer", None), "film")
    frames = "frames" in reward.needs and (filmed or any(episode.frames is None for episode in episodes))
    return frames or ("forces" in reward.needs and any(episode.forces is None for episode in episodes))


def recorded_under(data: Dataset) -> Trial | None:
    """How the scene varied and sensors erred, where the data tell."""
    told = data.environment
    return Trial.of({key: told[key] for key in ("spread", "sensing")}) if {"spread", "sensing"} <= set(told) else None


def repeated(data: Dataset, demonstration: Demonstration, reward: Looking, *, under: Trial | None = None) -> Dataset:
    """The same episodes, with pictures and forces as the reward looks at them.

    Args:
        data: with the seeds of the episodes.
        demonstration: of the environment that they come from.
        reward: learned, or yet to be (`Looks`): what it needs is taken; pictures as it looks at them.
        under: how the scene varied; by default as the data tell, or else `NOMINAL`.

    Raises:
        DataError: no seeds are known, or an episode cannot be repeated.
    """
    require_seeds(data)
    env = environment_of(data, demonstration, under, **asked_of_env(reward))
    film = film_for(reward)
    found = []
    try:
        for k, (episode, seed) in enumerate(zip(data.episodes, data.seeds, strict=True)):
            found.append(_again(env, episode, int(seed), film, f"{data.path}: episode {k}")[0])
            tell_progress("repeating episodes", k + 1, len(data.episodes))
    finally:
        env.close()
    return replace(data, episodes=found)


def require_seeds(data: Dataset) -> None:
    """Refuse data whose episodes cannot be begun again.

    Raises:
        DataError: their seeds are not known.
    """
    if len(data.seeds) != len(data.episodes):
        raise DataError(f"{data.path}: does not tell the seeds of its episodes: they cannot be repeated")


def environment_of(data: Dataset, demonstration: Demonstration, under: Trial | None, **how: Any) -> ToolEnv:
    """The environment of a demonstration as data say that it was; `how` are further arguments of it."""
    names = data.environment.get("actions")
    acting = {"action": model_of(tuple(names))} if names is not None else {}
    return (under or recorded_under(data) or NOMINAL).environment(demonstration, **acting, **how)


def follows_in(env: ToolEnv, episode: Watched, seed: int, name: str) -> bool:
    """Whether the demonstration ran beneath an episode's actions.

    Raises:
        DataError: with neither the environment repeats the episode; `name` tells which it is.
    """
    return _again(env, episode, seed, None, name)[1]


class Repeating:
    """Takes recorded actions, one after the other."""

    def __init__(self, action: Float[np.ndarray, "T A"], env: ToolEnv, *, follows: bool) -> None:
        """Choose the actions, and whether the demonstration runs beneath them."""
        self.follows, self.acts, self._action = follows, env.action, action

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self._step = -1

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "A"]:
        """The next action; the last one again where the episode goes on."""
        self._step += 1
        return np.asarray(self._action[min(self._step, len(self._action) - 1)], float)


def _again(env: ToolEnv, episode: Watched, seed: int, film: Film | None, name: str) -> tuple[Watched, bool]:
    """The episode, and whether the demonstration ran beneath its actions."""
    if episode.action.shape[1] == len(env.action_names):
        for follows in (True, False):
            (one,) = watch(env, Repeating(episode.action, env, follows=follows), [seed], film=film)
            same = one.obs.shape == episode.obs.shape
            if same and np.allclose(one.obs, episode.obs, rtol=TOLERANCE, atol=TOLERANCE):
                return replace(one, success=episode.success, reward=episode.reward), follows
    raise DataError(
        f"{name} cannot be repeated: the simulation does not do what was recorded; give the demonstration, and the"
        " variation and versions, that it was recorded with"
    )
