"""A hacking probe by a learner: PPO is paid with the reward alone, and its policy acts in fresh episodes, which count.

Where CMA-ES finds one plan for one episode (`evaluation.hacking`), a policy answers to what it sees, must do well in
all episodes, and searches near the demonstration that it corrects: what it exploits is what training would.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from policies.agents import Agent, PolicyAgent, Random, Shifted
from policies.evaluate import fresh_seeds
from policies.rewards.evaluation.hacking import Hacking, Probe
from policies.rewards.evaluation.loading import named_reward
from policies.rewards.evaluation.trained import scale_of
from policies.rewards.film import asked_of_env, film_for
from policies.rewards.online import Paying, paid_in
from policies.rewards.reward import Reward, Watched
from policies.rewards.watching import watch
from policies.train import CURVE, train
from policies.training import Training
from policies.trials import NOMINAL, Trial
from records import Demonstration
from sim.env import ToolEnv

SCALED = 10
"""Episodes of the moved demonstration, and of random actions, that bring the reward to the scale of a learner."""


def hack_by_learning(
    spec: str,
    demonstration: Demonstration,
    folder: Path | str,
    *,
    under: Trial = NOMINAL,
    episodes: int = 5,
    learning: Training | None = None,
    seed: int = 0,
) -> Hacking:
    """Train a policy on a reward, and let it act in fresh episodes.

    Args:
        spec: what names the reward (`named_reward`).
        demonstration: what the policy corrects.
        folder: of the policy; a training that was stopped goes on.
        under: how the scene varies.
        episodes: that it is judged in, each beside the moved demonstration.
        learning: how it searches; never validated by the truth.
        seed: of the training and of the episodes.

    Raises:
        RewardError: the reward cannot judge the environment's episodes, or pays all of them the same.
    """
    learning, folder, reward = learning or Training(), Path(folder), named_reward(spec)
    seeds = fresh_seeds(seed, episodes)
    env = under.environment(demonstration, **asked_of_env(reward))
    try:
        usual = fresh_seeds(seed + 1, SCALED)
        paying = Paying(
            spec, scale_of(reward, [*_acted(env, Shifted(), usual, reward), *_acted(env, Random(), usual, reward)])
        )
        training = learning._replace(paying=paying, validation=0, turning=False, sensing=under.sensing)
        policy = train(demonstration, folder, training=training, spread=under.spread, seed=seed)
        references = _acted(env, Shifted(), seeds, reward)
        found = _acted(env, PolicyAgent(policy), seeds, reward)
    finally:
        env.close()
    curve = json.loads((folder / CURVE).read_text(encoding="utf-8"))
    return Hacking(
        tuple(
            Probe(
                reference=paid_in(reward, reference, env.horizon),
                reference_solves=bool(reference.success),
                best=paid_in(reward, one, env.horizon),
                best_solves=bool(one.success),
                solved=tuple(curve["success"]),
                paid=tuple(value / paying.scale for value in curve["reward"]),
            )
            for reference, one in zip(references, found, strict=True)
        ),
        by="ppo",
    )


def _acted(env: ToolEnv, agent: Agent, seeds: Sequence[int], reward: Reward) -> list[Watched]:
    return watch(env, agent, seeds, film=film_for(reward))
