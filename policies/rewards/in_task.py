"""AIRL and GAIL in the environment of a task: the policy that the discriminator learns with acts there.

Episodes end when a task is solved or spoilt. That end is the last moment's state from then on, of demonstrations and of
the policy's episodes alike (as absorbing states in Kostrikov et al., Discriminator-Actor-Critic, ICLR 2019): otherwise
a reward that is positive teaches to put it off, whatever the demonstrations do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from jaxtyping import Float

from policies.rewards.evaluation.data.reading import DataError, Dataset
from policies.rewards.evaluation.repeated import environment_of, follows_in
from policies.rewards.from_clips import stays
from policies.rewards.in_turns import InTurns, InTurnsSettings, learn_in_turns
from policies.rewards.reward import Watched
from policies.trials import Trial
from records import Demonstration
from sim.env import ToolEnv


class Adversary(NamedTuple):
    """A kind of reward that is learned in turns with a policy."""

    name: str
    entropy: float
    """See `ActingSettings.entropy`."""
    Settings: type[InTurnsSettings] = InTurnsSettings


ADVERSARIES = {one.name: one for one in (Adversary("airl", 1.0), Adversary("gail", 0.01))}
"""By the form of the reward."""


class Lasting(gymnasium.Wrapper[np.ndarray, np.ndarray, np.ndarray, np.ndarray]):
    """A tool's environment whose episodes all last to the horizon: where one ends, all stays as it is."""

    def __init__(self, env: ToolEnv, *, follows: bool) -> None:
        """Choose whether the demonstration runs beneath the actions."""
        super().__init__(env)
        self._horizon, self._follows = env.horizon, follows

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode."""
        self._left, self._over = self._horizon, False
        self._seen, info = self.env.reset(seed=seed, options={**(options or {}), "follow": self._follows})
        return self._seen, info

    def step(self, action: Float[np.ndarray, "A"]) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Take a step; `info` holds the action that was `carried` out: none once the episode is over."""
        self._left -= 1
        carried = np.zeros_like(action) if self._over else action
        if not self._over:
            self._seen, _, ended, cut, _ = self.env.step(action)
            self._over = ended or cut
        return self._seen, 0.0, False, self._left <= 0, {"carried": carried}


def learn_in_task(
    data: Dataset,
    shown: Sequence[Watched],
    demonstration: Demonstration,
    *,
    form: str = "airl",
    names: Sequence[str] = (),
    settings: InTurnsSettings | None = None,
    under: Trial | None = None,
    seed: int = 0,
) -> InTurns:
    """Learn a reward from recorded episodes, in turns with PPO in the environment that they come from.

    Args:
        data: tell what the environment was; where they have seeds, their first episode must be repeated by it. Without,
            the demonstration is taken to have run beneath the actions.
        shown: those of the episodes that show the task as it is to be done.
        demonstration: of the environment.
        form: `airl` or `gail`.
        names: of the observations that the reward looks at; all but the clock by default.
        settings: how; their form is `form`.
        under: how the scene varies; by default as the data tell.
        seed: of everything random.

    Raises:
        DataError: the environment is another one.
        RewardError: nothing is shown, or nothing changes in what is looked at.
    """
    first = data.episodes[0]
    env = environment_of(data, demonstration, under)
    try:
        if first.action.shape[1] != len(env.action_names):
            raise DataError(
                f"{data.path}: actions of {first.action.shape[1]} numbers, the environment takes"
                f" {len(env.action_names)}: name the demonstration that the episodes were recorded with"
            )
        known = len(data.seeds) == len(data.episodes)
        follows = follows_in(env, first, int(data.seeds[0]), f"{data.path}: episode 0") if known else True
        lasting = [stays(episode, env.horizon) for episode in shown]
    finally:
        env.close()
    from policies.rewards.acting import ActingSettings, PPOActing

    policy = PPOActing(
        lambda: Lasting(environment_of(data, demonstration, under), follows=follows),
        ActingSettings(entropy=ADVERSARIES[form].entropy),
        seed,
    )
    try:
        settings = (settings or InTurnsSettings())._replace(form=form)
        return learn_in_turns(lasting, policy, names=names, settings=settings, seed=seed)
    finally:
        policy.close()
