"""Two processes against one: time of the same training, and of gathering its experience.

    python -m benchmarks.workers [--task hammer scythe spade pour] [--rounds 6] [--environments 2]

Two environments or more, in this process or each in a process of its own; what is learned is the same to the bit. The
two ways alternate, round by round, and the best round of each counts. A policy is trained around the task's own
scripted stroke; a round of it gathers decisions and learns from them, which is done in this process alone.

Wall time says what this machine gives while it does other things, too. Beside it, from processor time, what two idle
cores give: the time of this process and that of the slowest of the others, which wait for each other once a round.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv

from policies.learners.ppo import PPOLearner, PPOSettings
from policies.train import one_thread
from policies.vectorised import side_by_side
from sim.conditions import Spread
from sim.tasks.task import TASKS

DECISIONS = PPOSettings().decisions
"""In a round."""
STUDY = 1.3
"""Two workers against one in a throw-away study of this project."""


class Spent(NamedTuple):
    """Time of a round [s]."""

    wall: float
    idle: float
    """On idle cores, from processor time."""


def main() -> None:
    """Print a row per task and number of environments, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--environments", type=int, nargs="+", default=[2])
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    print(f"{'task':<8}{'environments':>13}{'':>11}{'wall, s':>21}{'ratio':>7}{'idle cores, s':>21}{'ratio':>7}")
    best: dict[str, tuple[float, float]] = {}
    for task in options.task:
        for count in options.environments:
            ratios = []
            for what, (one, two) in measured(task, count, options.rounds).items():
                ratios.append(one.idle / two.idle)
                cells = [(f"{a:.2f} against {b:.2f}", a / b) for a, b in zip(one, two, strict=True)]
                row = "".join(f"{cell:>21}{ratio:>7.2f}" for cell, ratio in cells)
                print(f"{task:<8}{count:>13}{what:>11}{row}", flush=True)
            best[task] = max(best.get(task, (0.0, 0.0)), (ratios[0], ratios[1]), key=lambda pair: pair[1])
    print(f"study: {STUDY}; required 1.6, goal 1.9")
    told = ", ".join(f"{train:.2f}x, gathering alone {gather:.2f}x ({task})" for task, (gather, train) in best.items())
    print(f"workers: training in two processes on two idle cores is {told}")


def measured(task: str, count: int, rounds: int) -> dict[str, tuple[Spent, Spent]]:
    """Least time of a round of gathering, and of training, in one process and in as many as environments."""
    demonstration, settings = TASKS.load(task).scripted(), PPOSettings(decisions=DECISIONS)
    ways = [
        side_by_side(demonstration, "shifted", Spread(offset=0.05), count=count, processes=processes)
        for processes in (1, count)
    ]
    try:
        with one_thread():
            learners = [PPOLearner(envs, settings, 0) for envs in ways]
            spent: list[list[tuple[Spent, Spent]]] = [[], []]
            for seed in range(rounds):
                for way, (envs, learner) in enumerate(zip(ways, learners, strict=True)):
                    gathering = timed(envs, lambda envs=envs, learner=learner, k=seed: gather(envs, learner, k))
                    training = timed(envs, lambda learner=learner, k=seed: learner.round(k))
                    spent[way].append((gathering, training))
    finally:
        for envs in ways:
            envs.close()
    one, two = (np.min(way, axis=0) for way in spent)
    return {what: (Spent(*one[k]), Spent(*two[k])) for k, what in enumerate(("gathering", "training"))}


def gather(envs: VecEnv, learner: PPOLearner, seed: int) -> None:
    """A round of experience that nothing is learned from."""
    envs.seed(seed)
    envs.reset()
    envs.env_method("explore", learner.explorer(), DECISIONS // envs.num_envs)


def timed(envs: VecEnv, work: Callable[[], object]) -> Spent:
    """Time of work that environments do in parallel, if they can."""
    workers = [process.pid for process in envs.processes] if isinstance(envs, SubprocVecEnv) else []
    wall, own, others = time.perf_counter(), time.process_time(), [_processor_time(pid) for pid in workers]
    work()
    slowest = max([_processor_time(pid) - before for pid, before in zip(workers, others, strict=True)], default=0.0)
    return Spent(time.perf_counter() - wall, time.process_time() - own + slowest)


def _processor_time(pid: int) -> float:
    """Of another process [s], as Linux tells it in nanoseconds."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) * 1e-9


if __name__ == "__main__":
    main()
