"""Speed of the environments: benchmarks/env.py [DEMONSTRATION ...] [--task hammer scythe ...].

    python -m benchmarks.env runs/demo/retargeted.npz

For each task's own stroke, by the tool alone and for some in a Panda's hand, and for saved demonstrations: control
steps a second over whole episodes, resets included, the best of several rounds. Then how much of a control step is bare
`stepSimulation` of the same bodies in the same motion: the same episodes are played again and again, in turn with a
clock around the control step and around each physics step, and of every single step the quickest repetition counts.
Beside it bare steps of the same bodies at rest, which are quicker: nothing touches and motors have nothing to do.
All in processor time.
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
from sim.retarget import retarget
from sim.tasks.task import TASKS

STUDY = {"hammer, panda": 1490}
"""Control steps a second that a throw-away study of this project reached, on another machine."""
HELD = ("hammer", "scythe")
"""Tasks whose own stroke is measured in a robot's hand, too."""


class Speed(NamedTuple):
    """Of one environment."""

    steps: float
    """Control steps a second."""
    share: float
    """Bare physics steps of the same bodies in the same motion, as a share of control steps."""
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
    parser.add_argument("--steps", type=int, default=400, help="control steps in a round")
    options = parser.parse_args()
    named = {task: TASKS.load(task).scripted() for task in options.task}
    named |= {f"{task}, panda": retarget(named[task], "panda").demonstration for task in options.task if task in HELD}
    for path in options.demonstrations:
        record = Demonstration.load(path)
        robot = record.robot.model if record.robot is not None else "tool alone"
        named[f"{record.task}, {robot}"] = record
    print(f"{'environment':<20}{'steps/s':>9}{'bare of it':>12}{'bare, at rest':>15}{'ratio':>7}{'substeps':>10}")
    figures = []
    for name, demonstration in named.items():
        found = measure(demonstration, options.rounds, options.steps)
        print(
            f"{name:<20}{found.steps:>9.0f}{found.share:>12.2f}{found.bare:>15.0f}{found.steps / found.bare:>7.2f}"
            f"{found.substeps:>10}",
            flush=True,
        )
        study = f" (study {STUDY[name]})" if name in STUDY else ""
        figures.append(f"{name} {found.steps:.0f} steps/s{study}, {found.share:.2f} of bare physics")
    print(f"env: {'; '.join(figures)}")


def measure(demonstration: Demonstration, rounds: int, steps: int) -> Speed:
    """Replay a demonstration again and again."""
    env = ToolEnv(demonstration, spread=Spread(0.05))
    bullet, clock = env._bullet, time.thread_time
    reading = min(-clock() + clock() for _ in range(1000))
    bare_step = bullet.step
    bare_spent: list[float] = []

    def timed() -> None:
        start = clock()
        bare_step()
        bare_spent.append(clock() - start - reading)

    try:
        play(env, steps)
        seconds, whole, physics = [], [], []
        for _ in range(rounds):
            start = time.process_time()
            whole.append(play(env, steps))
            seconds.append(time.process_time() - start)
            bullet.step = timed  # type: ignore[method-assign]
            play(env, steps)
            bullet.step = bare_step  # type: ignore[method-assign]
            physics.append(bare_spent[-steps * env._substeps :])
        share = np.min(physics, axis=0).sum() / np.min(whole, axis=0).sum()
        env.reset(seed=0)
        env.step(np.zeros(3))
        count = steps * env._substeps
        bare = max(steps / _seconds(lambda: _repeat(bare_step, count)) for _ in range(rounds))
        return Speed(steps / min(seconds), float(share), bare, env._substeps)
    finally:
        env.close()


def play(env: ToolEnv, steps: int) -> list[float]:
    """So many control steps in episodes of replays, always the same; how long each took, resets included [s]."""
    done, spent, still = False, [], np.zeros(3)
    env.reset(seed=0)
    before = time.thread_time()
    for _ in range(steps):
        if done:
            env.reset()
        *_, terminated, truncated, _ = env.step(still)
        done = terminated or truncated
        now = time.thread_time()
        spent.append(now - before)
        before = now
    return spent


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
