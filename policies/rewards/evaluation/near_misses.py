"""Near misses: episodes that go as a success does for their first four fifths, and fail in the last.

Two constructors. `stopped`, for any data: the last fifth of a success is not carried out; all stays as it was. What is
seen there is made up (speeds are not set to rest), and no simulator has said that it fails; that it does follows from
the success being earned in its last step alone, and episodes that were solved before are left out. `strayed`, with the
simulator at hand: the episode is repeated exactly up to there, and in its last fifth other actions are carried out;
kept if the simulator says that it fails.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from policies.agents import Agent
from policies.rewards.reward import Watched
from policies.rewards.watching import Asked, watch
from sim.env import ToolEnv

SHARE = 0.2
"""Of an episode's steps, the last ones."""
TRIES = 4
"""Ways to stray that are tried of each success."""


def stopped(successes: Sequence[Watched], share: float = SHARE) -> list[Watched]:
    """Successes without their last steps; the moment at which they stop stays to the end."""
    return [_stopped(episode, share) for episode in successes if _ends_with_success(episode, share)]


def _ends_with_success(episode: Watched, share: float) -> bool:
    """Whether its true reward, if it is known, comes in the part that is taken away."""
    kept = _kept(len(episode), share)
    return kept >= 1 and (episode.reward is None or not np.any(episode.reward[:kept] > 0))


def _kept(steps: int, share: float) -> int:
    return steps - max(1, math.ceil(share * steps - 1e-9))


def _stopped(episode: Watched, share: float) -> Watched:
    kept = _kept(len(episode), share)
    moments = np.minimum(np.arange(len(episode) + 1), kept)
    still = np.arange(len(episode)) >= kept
    frames = episode.frames

    def shown() -> Iterator[np.ndarray]:
        assert frames is not None
        pictures = list(frames())
        return (pictures[k] for k in moments)

    return Watched(
        obs=episode.obs[moments],
        obs_names=episode.obs_names,
        action=np.where(still[:, None], 0.0, episode.action),
        frames=None if frames is None else shown,
        fps=episode.fps,
        forces=None if episode.forces is None else episode.forces[np.minimum(np.arange(len(episode)), kept - 1)],
        force_names=episode.force_names,
        success=False,
        reward=np.zeros(len(episode)),
    )


class Straying:
    """Acts like another agent for some steps, then holds one action."""

    def __init__(self, agent: Agent, after: int, aside: Float[np.ndarray, "A"]) -> None:
        """Follow `agent` for `after` steps; then hold the action `aside`."""
        self.follows, self.acts = agent.follows, agent.acts
        self._agent, self._after, self._aside = agent, after, aside

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self._agent.start(env, rng)
        self._step = 0

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "A"]:
        """The other agent's action, or the one that is held."""
        self._step += 1
        return self._agent.act(obs) if self._step <= self._after else self._aside


def strayed(
    env: ToolEnv, agent: Agent, seeds: Sequence[int], *, share: float = SHARE, seed: int = 0, film: Asked = None
) -> tuple[list[Watched], list[Watched]]:
    """Episodes of an agent, and each of its successes again, led astray in its last steps, where it then fails.

    Args:
        env: in which the agent acts.
        agent: it does the same in the same episode.
        seeds: of the episodes.
        share: of a success's steps, that are replaced by an action of full size in a random direction, held.
        seed: of the directions.
        film: see `watch`.

    Returns:
        The episodes as the agent does them, and the near misses.
    """
    rng = np.random.default_rng([seed, 19])
    done, found = watch(env, agent, seeds, film=film), []
    for own, episode in zip(seeds, done, strict=True):
        for _ in range(TRIES if episode.success else 0):
            aside = rng.choice([-1.0, 1.0], size=episode.action.shape[1])
            tried = watch(env, Straying(agent, _kept(len(episode), share), aside), [own], film=film)[0]
            if not tried.success:
                found.append(tried)
                break
    return done, found
