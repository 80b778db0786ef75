"""What a policy is worth: success over fresh episodes, the same ones for every agent, with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from policies.agents import AGENTS, Agent
from policies.policy import load_policy
from policies.trials import NOMINAL, Trial
from records import Demonstration, Episodes
from records.progress import tell_progress
from sim.actions import ActionModel
from sim.env import ToolEnv

Z = 1.959964
"""Quantile of the normal distribution for an interval of 95 %."""


class Outcome(NamedTuple):
    """Share of episodes that solve the task."""

    success: float
    low: float
    """Lower end of its 95 % interval (Wilson)."""
    high: float
    """Upper end."""
    episodes: int


class Evaluation(NamedTuple):
    """Every agent's success and its episodes, by the agent's name."""

    outcomes: Mapping[str, Outcome]
    episodes: Mapping[str, Episodes]


def evaluate(
    demonstration: Demonstration,
    *,
    policy: Path | str | None = None,
    agents: Sequence[str] | None = None,
    episodes: int = 100,
    under: Trial = NOMINAL,
    seed: int = 0,
) -> Evaluation:
    """Let every agent of the table act in the same episodes.

    Args:
        demonstration: what the agents correct.
        policy: folder of a learned policy; without it the agent `policy` is left out.
            So are `turned` where objects are not turned, and `averaged` where their seen place does not jitter.
        agents: names of those who act; all by default.
        episodes: how many, with a seed each that training never uses.
        under: how the scene varies, and how sensors and actions err.
        seed: of the episodes, and of what agents draw.

    Raises:
        PolicyError: the policy cannot be read, or does not belong to the demonstration.
        ValueError: fewer than one episode.
        UnknownName: no such agent.
    """
    if episodes < 1:
        raise ValueError(f"{episodes} episodes: at least 1 is needed")
    idle = {"turned"} if under.spread.yaw == 0 else set()
    idle |= {"averaged"} if under.sensing.jitter == 0 else set()
    names = [name for name in AGENTS if name not in idle] if agents is None else agents
    acting = _agents(demonstration, policy, names)
    seeds = fresh_seeds(seed, episodes)
    found: dict[str, Episodes] = {}
    with ExitStack() as stack:
        envs: dict[ActionModel, ToolEnv] = {}
        for k, (name, agent) in enumerate(acting.items()):
            if agent.acts not in envs:
                envs[agent.acts] = under.environment(demonstration, action=agent.acts)
                stack.callback(envs[agent.acts].close)
            told = (k * episodes, len(acting) * episodes)
            found[name] = play(envs[agent.acts], agent, seeds, name=name, told=told)
    return Evaluation({name: outcome(record.success) for name, record in found.items()}, found)


def fresh_seeds(seed: int, count: int) -> list[int]:
    """Seeds of episodes for evaluation. They are 2^31 and more, those of training less: none is ever met in both."""
    return [int(k) | 0x80000000 for k in np.random.SeedSequence([seed, 1]).generate_state(count)]


def play(
    env: ToolEnv, agent: Agent, seeds: Sequence[int], *, name: str, told: tuple[int, int] | None = None
) -> Episodes:
    """Episodes of an agent, one for each seed; progress is told from `told[0]` of `told[1]` on."""
    rows: dict[str, list[np.ndarray]] = {"obs": [], "action": [], "terms": []}
    reward, length, terminated, success = [], [], [], []
    for k, seed in enumerate(seeds):
        obs, info = env.reset(seed=seed, options={"follow": agent.follows})
        agent.start(env, np.random.default_rng([seed, 1]))
        rows["obs"].append(obs)
        count, done, ended = 0, False, False
        while not done:
            action = agent.act(obs)
            obs, gained, ended, cut, info = env.step(action)
            done, count = ended or cut, count + 1
            rows["obs"].append(obs)
            rows["action"].append(np.asarray(action, float))
            rows["terms"].append(np.array([info["terms"][term] for term in env.term_names], float))
            reward.append(float(gained))
        length.append(count)
        terminated.append(ended)
        success.append(bool(info["success"]))
        if told is not None:
            tell_progress("evaluating", told[0] + k + 1, told[1])
    return Episodes(
        task=env.demonstration.task,
        agent=name,
        fps=env.fps,
        obs_names=env.obs_names,
        action_names=env.action_names,
        term_names=env.term_names,
        length=np.array(length),
        obs=np.stack(rows["obs"]),
        action=np.stack(rows["action"]),
        reward=np.array(reward),
        reward_terms=np.stack(rows["terms"]),
        terminated=np.array(terminated),
        success=np.array(success),
        seed=np.array(seeds, np.int64),
    )


def outcome(success: np.ndarray) -> Outcome:
    """Share of successes with its interval."""
    low, high = wilson(int(success.sum()), len(success))
    return Outcome(float(success.mean()), low, high, len(success))


def wilson(successes: int, count: int) -> tuple[float, float]:
    """95 % score interval of a binomial share (Wilson, JASA 1927): honest at shares of 0 and 1 too."""
    share = successes / count
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def _agents(demonstration: Demonstration, policy: Path | str | None, names: Sequence[str]) -> dict[str, Agent]:
    """Agents of the table, ready to act."""
    agents: dict[str, Agent] = {}
    for name in names:
        kind = AGENTS.load(name)
        if name != "policy":
            agents[name] = kind()
        elif policy is not None:
            agents[name] = kind(load_policy(policy, demonstration))
    return agents
