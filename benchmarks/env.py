"""Speed of the environments: benchmarks/env.py [DEMONSTRATION ...] [--task hammer scythe ...].

    python -m benchmarks.env runs/demo/retargeted.npz

For each task's own stroke (the tool alone), and for saved demonstrations (with their robots): control steps a second
over whole episodes, resets included; and the share of that time that the physics engine itself takes, which is the
speed against bare `stepSimulation` with the same bodies in the same motion. Beside it bare steps of the same bodies at
rest, which are quicker: nothing touches and motors have nothing to do. Processor time; the best of several rounds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from records import Demonstration
from sim.conditions import Spread
from sim.env import ToolEnv
from sim.tasks.task import TASKS

STUDY = {"hammer": 1490}
"""Control steps a second that a throw-away study of this project reached, on another machine."""


class Speed(NamedTuple):
    """Of one environment."""

    steps: float
    """Control steps a second."""
    share: float
    """Of the time, in the physics engine."""
    bare: float
    """Control steps a second of the engine alone, at rest."""
    substeps: int
    """Physics steps in a control step."""


def main() -> None:
    """Print a row for each environment, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demonstrations", type=Path, nargs="*", help="saved demonstrations")
    parser.add_argument("--task", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=1000, help="control steps in a round")
    options = parser.parse_args()
    named = {task: TASKS.load(task).scripted() for task in options.task}
    for path in options.demonstrations:
        record = Demonstration.load(path)
        robot = record.robot.model if record.robot is not None else "tool alone"
        named[f"{record.task}, {robot}"] = record
    print(f"{'environment':<20}{'steps/s':>9}{'in the engine':>15}{'bare, at rest':>15}{'ratio':>7}{'substeps':>10}")
    figures = []
    for name, demonstration in named.items():
        found = measure(demonstration, options.rounds, options.steps)
        print(
            f"{name:<20}{found.steps:>9.0f}{found.share:>15.0%}{found.bare:>15.0f}{found.steps / found.bare:>7.2f}"
            f"{found.substeps:>10}",
            flush=True,
        )
        study = f" (study {STUDY[name]})" if name in STUDY else ""
        figures.append(f"{name} {found.steps:.0f} steps/s{study}, {found.share:.0%} of it in the engine")
    print(f"env: {'; '.join(figures)}")


def measure(demonstration: Demonstration, rounds: int, steps: int) -> Speed:
    """Replay a demonstration again and again."""
    env = ToolEnv(demonstration, spread=Spread(0.05))
    bullet = env._bullet
    bare_step = bullet.step
    spent = 0.0

    def timed() -> None:
        nonlocal spent
        start = time.process_time()
        bare_step()
        spent += time.process_time() - start

    try:
        play(env, steps // 5)
        best = max(steps / _seconds(lambda: play(env, steps)) for _ in range(rounds))
        bullet.step = timed  # type: ignore[method-assign]
        whole = _seconds(lambda: play(env, steps))
        bullet.step = bare_step  # type: ignore[method-assign]
        env.reset(seed=0)
        env.step(np.zeros(3))
        substeps = env._substeps
        bare = max(steps / _seconds(lambda: _repeat(bare_step, steps * substeps)) for _ in range(rounds))
        return Speed(best, spent / whole, bare, substeps)
    finally:
        env.close()


def play(env: ToolEnv, steps: int) -> None:
    """So many control steps in episodes of replays."""
    done, seed = True, 0
    for _ in range(steps):
        if done:
            env.reset(seed=seed)
            seed += 1
        *_, terminated, truncated, _ = env.step(np.zeros(3))
        done = terminated or truncated


def _repeat(step: object, count: int) -> None:
    assert callable(step)
    for _ in range(count):
        step()


def _seconds(work: object) -> float:
    """Processor time of a call [s]."""
    assert callable(work)
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
