"""Two processes against one: wall time of the same training, and of stepping the same environments.

    python -m benchmarks.workers [--task hammer scythe spade pour] [--rounds 6] [--environments 2 4 8]

Two environments or more, in this process or each in a process of its own; what is learned is the same to the bit. The
two ways alternate, round by round, and the best round of each counts: the machine has other things to do. A policy is
trained around the task's own scripted stroke.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from policies.learners.ppo import PPOLearner, PPOSettings
from policies.train import one_thread
from policies.vectorised import side_by_side
from sim.conditions import Spread
from sim.tasks.task import TASKS

DECISIONS = 128
"""In a round of either measurement."""
STUDY = 1.3
"""Two workers against one in a throw-away study of this project."""


def main() -> None:
    """Print a row per task and number of environments, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--environments", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    print(f"{'task':<10}{'environments':>13}{'stepping, s':>22}{'ratio':>7}{'training, s':>22}{'ratio':>7}", flush=True)
    best: dict[str, float] = {}
    for task in options.task:
        for count in options.environments:
            stepping, training = measured(task, count, options.rounds)
            ratios = stepping[0] / stepping[1], training[0] / training[1]
            best[task] = max(best.get(task, 0.0), ratios[1])
            cells = [f"{one:.2f} against {two:.2f}" for one, two in (stepping, training)]
            print(f"{task:<10}{count:>13}{cells[0]:>22}{ratios[0]:>7.2f}{cells[1]:>22}{ratios[1]:>7.2f}", flush=True)
    print(f"study: {STUDY}; required 1.6, goal 1.9")
    print("workers: training on two processes is " + ", ".join(f"{r:.2f}x ({t})" for t, r in best.items()))


def measured(task: str, count: int, rounds: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Least wall time [s] of a round of stepping, and of training, in one process and in as many as environments."""
    demonstration, settings = TASKS.load(task).scripted(), PPOSettings(decisions=DECISIONS)
    ways = [
        side_by_side(demonstration, "shifted", Spread(offset=0.05), count=count, processes=processes)
        for processes in (1, count)
    ]
    try:
        with one_thread():
            learners = [PPOLearner(envs, settings, 0) for envs in ways]
            spent: list[list[tuple[float, float]]] = [[], []]
            for seed in range(rounds):
                for way, (envs, learner) in enumerate(zip(ways, learners, strict=True)):
                    spent[way].append((stepped(envs, seed), timed(lambda one=learner, k=seed: one.round(k))))
    finally:
        for envs in ways:
            envs.close()
    (step_one, train_one), (step_two, train_two) = (np.min(way, axis=0).tolist() for way in spent)
    return (step_one, step_two), (train_one, train_two)


def stepped(envs: VecEnv, seed: int) -> float:
    """Wall time of a round of zero decisions [s]."""
    envs.seed(seed)
    envs.reset()
    still = np.zeros((envs.num_envs, 3), np.float32)
    return timed(lambda: [envs.step(still) for _ in range(DECISIONS // envs.num_envs)])


def timed(work: Callable[[], object]) -> float:
    """Wall time [s]."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
