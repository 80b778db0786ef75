"""The same training under several seeds: what a method is worth, rather than what one policy happens to be."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from policies.agents import PolicyAgent
from policies.evaluate import Outcome, fresh_seeds, outcome, play
from policies.policy import Policy
from policies.train import train
from policies.training import Training
from policies.trials import Trial
from policies.validation import silent
from records import Demonstration, digest
from records.atomic import write_json
from sim.conditions import USUAL, Spread

SUMMARY, JUDGED = "seeds.json", "judged.json"

_log = logging.getLogger(__name__)


class Aggregate(NamedTuple):
    """Success in fresh episodes, those of each seed its own."""

    seeds: Mapping[int, Outcome]
    """Of the policy of each training seed."""
    total: Outcome
    """Over the episodes of all seeds together."""
    base: Mapping[int, Outcome]
    """Of what the policies correct, in the same episodes: `zero` where they learn from scratch."""
    base_total: Outcome

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "seeds": {str(seed): found._asdict() for seed, found in self.seeds.items()},
            "all": self.total._asdict(),
            "base": {str(seed): found._asdict() for seed, found in self.base.items()},
            "base all": self.base_total._asdict(),
        }


def train_seeds(
    demonstration: Demonstration,
    folder: Path | str,
    seeds: Sequence[int],
    *,
    training: Training | None = None,
    spread: Spread = USUAL,
    episodes: int = 100,
) -> Aggregate:
    """Train a policy for every seed, judge each in fresh episodes of its own, and sum up.

    Each seed has a folder of its own, `seed-K`. A training that was stopped is continued there; one that is finished,
    and has been judged in the same way, is left as it is. The summary is in `seeds.json`.

    Args:
        demonstration: aligned, and with a robot's motion if a robot shall act.
        folder: made if it is not there.
        seeds: of training, all different.
        training: how.
        spread: how the conditions of episodes are drawn, in training and when judged.
        episodes: for each seed.

    Raises:
        ValueError: no seeds, one that is given twice, or no episodes.
        PolicyError: learning diverged.
    """
    if not seeds or len(set(seeds)) < len(seeds) or episodes < 1:
        raise ValueError(f"seeds {list(seeds)}, {episodes} episodes: at least one of each, and no seed twice")
    training, folder = training or Training(), Path(folder)
    learned: dict[int, np.ndarray] = {}
    costless: dict[int, np.ndarray] = {}
    for number, seed in enumerate(seeds, 1):
        own = folder / f"seed-{seed}"
        _log.info("seed %d: %d of %d", seed, number, len(seeds))
        policy = train(demonstration, own, training=training, spread=spread, seed=seed)
        learned[seed], costless[seed] = _judged(demonstration, own, policy, Trial(spread, training.sensing), episodes)
    found = Aggregate(
        {seed: outcome(success) for seed, success in learned.items()},
        outcome(np.concatenate(list(learned.values()))),
        {seed: outcome(success) for seed, success in costless.items()},
        outcome(np.concatenate(list(costless.values()))),
    )
    write_json(folder / SUMMARY, found.plain())
    return found


def _judged(
    demonstration: Demonstration, folder: Path, policy: Policy, under: Trial, episodes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Success (N,) of a policy and of its base in the fresh episodes of its seed, read where it is known."""
    path, seeds = folder / JUDGED, fresh_seeds(policy.settings.seed, episodes)
    key = digest(policy.fingerprint(), asdict(policy.settings), under.plain(), seeds)
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["key"] == key:
            return np.array(known["policy"], bool), np.array(known["base"], bool)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    agents = {"policy": PolicyAgent(policy), "base": PolicyAgent(silent(policy))}
    found = {}
    for k, (name, agent) in enumerate(agents.items()):
        env = under.environment(demonstration, action=agent.acts)
        try:
            told = k * episodes, len(agents) * episodes
            found[name] = play(env, agent, seeds, name=name, told=told).success
        finally:
            env.close()
    write_json(path, {"key": key, **{name: success.tolist() for name, success in found.items()}})
    return found["policy"], found["base"]
