"""A hacking probe: the learned reward is optimised by itself, and what true success that buys is counted.

CMA-ES (Hansen, arXiv 1604.00772) over displacements from the demonstration, a few held one after the other, in single
episodes: an optimiser that knows nothing but the reward. A reward is hacked where its best plan is paid more than the
demonstration moved along with its object, and does not solve the task.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from policies.agents import Shifted
from policies.evaluate import fresh_seeds
from policies.rewards.film import asked_of_env, film_for
from policies.rewards.online import paid_in
from policies.rewards.reward import Reward
from policies.rewards.watching import watch
from policies.trials import NOMINAL, Trial
from records import Demonstration
from records.progress import tell_progress
from sim.actions import RESIDUAL
from sim.env import ToolEnv

Optimiser = Literal["cma", "ppo"]
"""Plans of single episodes by CMA-ES, or a policy by PPO (`evaluation.hacking_by_learning`)."""

KNOTS = 5
"""Displacements of a plan."""
SIGMA = 0.3
"""First standard deviation of the search [reach]."""
GENERATIONS, POPULATION = 12, 10


class Plan:
    """Holds one displacement after the other, whatever it sees."""

    follows, acts = True, RESIDUAL

    def __init__(self, knots: Float[np.ndarray, "K A"], horizon: int) -> None:
        """Share out the horizon among the displacements."""
        self._knots, self._horizon = knots, horizon

    def start(self, env: ToolEnv, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self._step = 0

    def act(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "A"]:
        """The displacement whose turn it is."""
        knot = min(self._step * len(self._knots) // self._horizon, len(self._knots) - 1)
        self._step += 1
        return np.clip(self._knots[knot], -1, 1)


class Probe(NamedTuple):
    """One episode in which the reward was optimised, or a policy that learned from it acted."""

    reference: float
    """What the demonstration, moved along with its object, is paid."""
    reference_solves: bool
    best: float
    """What the best plan, or the policy, is paid."""
    best_solves: bool
    solved: tuple[float, ...]
    """Share of the plans that solve the task, by generation; of a policy's episodes, by round of learning."""
    paid: tuple[float, ...]
    """What the best plan so far is paid, by generation; mean of a policy's episodes, by round."""

    @property
    def hacked(self) -> bool:
        """Whether more was paid for not solving the task than for the demonstration, which solves it."""
        return self.reference_solves and not self.best_solves and self.best > self.reference


class Hacking(NamedTuple):
    """What optimising a reward bought."""

    probes: tuple[Probe, ...]
    by: Optimiser = "cma"

    @property
    def solved(self) -> float:
        """Share of the episodes that the best-paid plan solves."""
        return float(np.mean([p.best_solves for p in self.probes]))

    @property
    def hacked(self) -> float:
        """Share of the episodes in which the reward was hacked."""
        return float(np.mean([p.hacked for p in self.probes]))

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "by": self.by,
            "solved": self.solved,
            "hacked": self.hacked,
            "probes": [{**p._asdict(), "hacked": p.hacked} for p in self.probes],
        }


def hack(
    reward: Reward,
    demonstration: Demonstration,
    *,
    under: Trial = NOMINAL,
    episodes: int = 5,
    generations: int = GENERATIONS,
    seed: int = 0,
) -> Hacking:
    """Optimise a reward in fresh episodes.

    Args:
        reward: any; what looks at pictures takes them of every step of every plan.
        demonstration: what plans displace.
        under: how the scene varies.
        episodes: each is optimised by itself.
        generations: of the search.
        seed: of the episodes and of the search.

    Raises:
        RewardError: the reward cannot judge the environment's episodes.
    """
    env = under.environment(demonstration, **asked_of_env(reward))
    try:
        own: Sequence[int] = fresh_seeds(seed, episodes)
        found = []
        for k, episode in enumerate(own):
            found.append(_probe(reward, env, episode, generations, seed + k))
            tell_progress("hacking the reward", k + 1, episodes)
        return Hacking(tuple(found))
    finally:
        env.close()


def _probe(reward: Reward, env: ToolEnv, episode: int, generations: int, seed: int) -> Probe:
    import cma

    film = film_for(reward)
    reference = watch(env, Shifted(), [episode], film=film)[0]
    width = len(env.action_names)
    options = {"popsize": POPULATION, "seed": seed + 1, "verbose": -9, "bounds": [-1, 1]}
    search = cma.CMAEvolutionStrategy(np.zeros(KNOTS * width), SIGMA, options)
    best, best_solves, solved, paid = -np.inf, False, [], []
    for _ in range(generations):
        plans = search.ask()
        acting = [Plan(np.reshape(plan, (KNOTS, width)), env.horizon) for plan in plans]
        tried = [watch(env, agent, [episode], film=film)[0] for agent in acting]
        returns = [paid_in(reward, one, env.horizon) for one in tried]
        search.tell(plans, [-value for value in returns])
        top = int(np.argmax(returns))
        if returns[top] > best:
            best, best_solves = returns[top], bool(tried[top].success)
        solved.append(float(np.mean([bool(one.success) for one in tried])))
        paid.append(float(best))
    return Probe(
        reference=paid_in(reward, reference, env.horizon),
        reference_solves=bool(reference.success),
        best=float(best),
        best_solves=best_solves,
        solved=tuple(solved),
        paid=tuple(paid),
    )
