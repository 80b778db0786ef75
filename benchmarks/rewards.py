"""What rewards are worth on a hammer's strike: written by hand, and learned from demonstrations; benchmarks/rewards.py.

    python -m benchmarks.rewards [--episodes 30] [--rounds 50] [--hack 3] [--train 8000 --out runs/rewards]

Judged are 3 x EPISODES episodes (the demonstration moved along with the nail, as recorded, and random actions) by the
figures of `apprentice rewards evaluate`. The learned ones have seen none of these: they learn from as many episodes of
the moved demonstration, with those of the other agents as what is not to be done, from other seeds, without true
rewards and successes. A clock is among those written by hand: what knows nothing of the task stands beside. With --hack
each is optimised by CMA-ES; with --rounds, AIRL and GAIL stand beside, learned in turns with PPO; with --train policies
of 3 seeds learn from each of those written by hand, and from the sparse truth.
"""

from __future__ import annotations

import argparse
import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from policies.evaluate import evaluate
from policies.rewards.describers import Observed, observed_names
from policies.rewards.evaluation.data.reading import Dataset, read_episodes
from policies.rewards.evaluation.distance import Distance
from policies.rewards.evaluation.hacking import hack
from policies.rewards.evaluation.judgement import Judgement, judge_reward
from policies.rewards.evaluation.separation import Figures, Separation
from policies.rewards.evaluation.trained import scale_of, train_on
from policies.rewards.evaluation.transitions import FunctionReward
from policies.rewards.in_task import ADVERSARIES, learn_in_task
from policies.rewards.in_turns import InTurnsSettings
from policies.rewards.learned import learn
from policies.rewards.online import Paying
from policies.rewards.reward import Reward, Shown, Watched
from policies.rewards.watching import watched_episodes
from policies.training import Training
from policies.trials import NOMINAL
from records import Demonstration, Episodes
from sim.tasks.hammer import HammerTask

AGENTS = ("shifted", "replay", "random")
LEARNED = ("goal_distance", "state_classifier", "progress", "adversarial", "ensemble")
_PARTS = ("length", "obs", "action", "reward", "reward_terms", "terminated", "success", "seed")


def driven(s: np.ndarray, a: np.ndarray, s_next: np.ndarray) -> np.ndarray:
    """Driven share of the nail."""
    return _column(s_next, "driven")


def near_nail(s: np.ndarray, a: np.ndarray, s_next: np.ndarray) -> np.ndarray:
    """Minus the distance of the head from the nail [m]."""
    apart = [_column(s_next, f"head_{axis}") - _column(s_next, f"nail_{axis}") for axis in "xyz"]
    return -np.linalg.norm(apart, axis=0)


def clock(s: np.ndarray, a: np.ndarray, s_next: np.ndarray) -> np.ndarray:
    """Share of the demonstration that has passed."""
    return _column(s_next, "phase")


def height(s: np.ndarray, a: np.ndarray, s_next: np.ndarray) -> np.ndarray:
    """Height of the head [m]."""
    return _column(s_next, "head_z")


WRITTEN = (driven, near_nail, clock, height)


def main() -> None:
    """Judge all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=30, help="of each agent")
    parser.add_argument("--rounds", type=int, default=0, help="of rewards that are learned in turns with a policy")
    parser.add_argument("--hack", type=int, default=0, help="episodes in which each reward is optimised")
    parser.add_argument("--train", type=int, default=0, help="control steps of training")
    parser.add_argument("--out", type=Path, default=Path("runs/rewards"), help="folder of the policies")
    arguments = parser.parse_args()
    demonstration = HammerTask.scripted()
    data = judged(demonstration, arguments.episodes)
    rewards: dict[str, Reward] = {f.__name__: FunctionReward(f, f.__name__) for f in WRITTEN}
    shown = evaluate(demonstration, agents=list(AGENTS), episodes=arguments.episodes, seed=2).episodes
    rewards |= learned(shown)
    if arguments.rounds:
        rewards |= in_turns(shown["shifted"], demonstration, arguments.rounds)
    print(f"{len(data.episodes)} episodes, {sum(bool(e.success) for e in data.episodes)} succeed")
    print("reward             EPIC mixed          AUC last  near misses  return order  hacked")
    aucs = {}
    for name, reward in rewards.items():
        found = judge_reward(name, reward, data)
        aucs[name] = _auc(found.separation)
        probed = hack(reward, demonstration, episodes=arguments.hack).plain()["hacked"] if arguments.hack else "-"
        figures = f"{aucs[name]:8.2f}  {_auc(found.near):11.2f}  {_order(found):12.2f}"
        print(f"{name:18s} {_epic(found):19s} {figures}  {probed}")
    if arguments.train:
        paid = {
            f.__name__: Paying(f"benchmarks.rewards:{f.__name__}", scale_of(rewards[f.__name__], data.episodes))
            for f in WRITTEN
        }
        trained = train_on(paid, demonstration, arguments.out, training=Training(steps=arguments.train), episodes=60)
        for name, one in trained.found.items():
            print(
                f"policies paid by {name}: {100 * one.total.success:.0f} %, free {100 * one.base_total.success:.0f} %"
            )
    print(
        f"rewards: success from failure by the last step: {', '.join(f'{n} {aucs[n]:.2f}' for n in LEARNED)} learned;"
        f" clock {aucs['clock']:.2f}, distance from the nail {aucs['near_nail']:.2f}"
    )


def judged(demonstration: Demonstration, episodes: int) -> Dataset:
    """Episodes of all agents, in one record."""
    found = list(evaluate(demonstration, agents=list(AGENTS), episodes=episodes, seed=1).episodes.values())
    together = {name: np.concatenate([getattr(one, name) for one in found]) for name in _PARTS}
    return _read(found[0].replace(agent="mixed", **together))


def _read(episodes: Episodes) -> Dataset:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "episodes.npz"
        episodes.save(path)
        return read_episodes(path)


def in_turns(shown: Episodes, demonstration: Demonstration, rounds: int) -> Mapping[str, Reward]:
    """AIRL's and GAIL's, from the successes among some episodes."""
    data, found = _read(shown), {}
    good = [episode for episode in data.episodes if episode.success]
    for form in ADVERSARIES:
        one = learn_in_task(data, good, demonstration, form=form, settings=InTurnsSettings(rounds=rounds))
        print(f"{form}: {one.told[0]:.2f} of the steps told from the policy's at first, {one.told[-1]:.2f} at the end")
        found[form] = one.reward
    return found


def learned(found: Mapping[str, Episodes]) -> Mapping[str, Reward]:
    """Rewards that learn once, from other episodes than those judged."""
    shown: dict[str, list[Watched]] = {agent: watched_episodes(found[agent]) for agent in AGENTS}
    describer = Observed(observed_names(shown["shifted"][0]))
    what = Shown(shown["shifted"], others=shown["replay"] + shown["random"])
    return {name: learn(name, what, describer) for name in LEARNED}


@functools.cache
def _names() -> tuple[str, ...]:
    """What the columns of observations are."""
    env = NOMINAL.environment(HammerTask.scripted())
    try:
        return tuple(env.obs_names)
    finally:
        env.close()


def _column(seen: np.ndarray, name: str) -> np.ndarray:
    return np.asarray(seen[:, _names().index(name)])


def _epic(found: Judgement) -> str:
    for one in found.distances:
        if isinstance(one, Distance) and (one.kind, one.coverage) == ("epic", "mixed"):
            return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"
    return "undefined"


def _auc(part: Separation | str) -> float:
    return part.auc.last.value if isinstance(part, Separation) else float("nan")


def _order(found: Judgement) -> float:
    return found.returns.last.value if isinstance(found.returns, Figures) else float("nan")


if __name__ == "__main__":
    main()
