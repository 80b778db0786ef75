"""Beside panda-gym: control steps a second of a Panda with as many physics steps in each, in one run.

    pip install panda-gym --no-deps
    python -m benchmarks.panda_gym [--task hammer scythe] [--rounds 7]

panda-gym (Gallouedec et al. 2021, arXiv 2106.13687) is the best known set of PyBullet tasks for this arm. Its reaching
task has the fewest bodies, pushing one object besides; both get `n_substeps` of ours, and the arm that the task's own
stroke is retargeted to is ours. All environments are stepped by actions drawn evenly from their action spaces (a new
inverse kinematics in every step, in both) and reset when an episode ends, panda-gym's after 50 steps as registered
there, without gymnasium's wrappers. Beside it ours with the action of zero, a replay. Processor time; rounds alternate,
and the best of each counts.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from sim.conditions import Spread
from sim.env import ToolEnv
from sim.retarget import retarget
from sim.tasks.task import TASKS

LONGEST = 50
"""Steps of an episode of panda-gym."""
THEIRS = {"reach": "PandaReachEnv", "push": "PandaPushEnv"}

Play = Callable[[], None]


def main() -> None:
    """Print a row per environment, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", nargs="+", default=["hammer", "scythe"], choices=list(TASKS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=300, help="control steps in a round")
    options = parser.parse_args()
    if importlib.util.find_spec("panda_gym") is None:
        print("panda_gym: not measured, panda-gym is not installed; pip install panda-gym --no-deps")
        return
    envs: dict[str, gymnasium.Env[Any, Any]] = {}
    for task in options.task:
        stroke = retarget(TASKS.load(task).scripted(), "panda").demonstration
        envs[task] = ToolEnv(stroke, spread=Spread(0.05))
    substeps = {env._substeps for env in envs.values() if isinstance(env, ToolEnv)}
    if len(substeps) > 1:
        raise SystemExit(f"panda_gym: tasks of {sorted(substeps)} physics steps in a control step; take one at a time")
    envs |= theirs(substeps.pop())
    plays = {name: _player(env, options.steps, still=False) for name, env in envs.items()}
    plays |= {f"{task}, replay": _player(envs[task], options.steps, still=True) for task in options.task}
    spent: dict[str, list[float]] = {name: [] for name in plays}
    for _ in range(options.rounds):
        for name, play in plays.items():
            start = time.process_time()
            play()
            spent[name].append(time.process_time() - start)
    speed = {name: options.steps / min(seconds) for name, seconds in spent.items()}
    print(f"{'environment':<18}{'steps/s':>9}" + "".join(f"{f'to {name}':>10}" for name in THEIRS))
    for name, steps in speed.items():
        print(f"{name:<18}{steps:>9.0f}" + "".join(f"{steps / speed[other]:>10.2f}" for other in THEIRS))
    print("required 1.2, goal 2")
    beside = (f"{task} {speed[task] / speed[other]:.2f}x {other}" for task in options.task for other in THEIRS)
    print(f"panda_gym: with as many physics steps, under random actions: {', '.join(beside)}")


def theirs(substeps: int) -> dict[str, gymnasium.Env[Any, Any]]:
    """panda-gym's environments with so many physics steps in a control step."""
    from panda_gym.envs import panda_tasks

    envs = {}
    for name, kind in THEIRS.items():
        env = getattr(panda_tasks, kind)(renderer="Tiny")
        env.sim.n_substeps = substeps
        envs[name] = env
    return envs


def _player(env: gymnasium.Env[Any, Any], steps: int, *, still: bool) -> Play:
    """What plays so many control steps, the same each time."""
    shape = env.action_space.shape
    actions = np.zeros((steps, *shape)) if still else np.random.default_rng(0).uniform(-1, 1, (steps, *shape))

    def play() -> None:
        env.reset(seed=0)
        left = LONGEST
        for action in actions:
            if not left:
                env.reset()
                left = LONGEST
            *_, terminated, truncated, _ = env.step(action)
            left = 0 if terminated or truncated else left - 1

    return play


if __name__ == "__main__":
    main()
