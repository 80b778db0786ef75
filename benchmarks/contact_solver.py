"""What iterations of the contact solver are worth: python -m benchmarks.contact_solver [--episodes 100].

The hammer's and the scythe's own strokes, by the tool alone and in a Panda's hand, moved along with objects that are
displaced by 8 cm: success, how far the head is from where it is asked to be, and control steps a second of processor
time, with PyBullet's own number of iterations, the one of `sim.env`, and fewer.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from typing import NamedTuple

import numpy as np

import sim.env
from policies.agents import Shifted
from policies.evaluate import fresh_seeds, outcome
from records import Demonstration
from sim.conditions import Spread
from sim.retarget import retarget
from sim.tasks.task import TASKS

OWN = 50
"""PyBullet's."""
SPREAD = Spread(0.08)


class Found(NamedTuple):
    """Of all episodes."""

    success: np.ndarray
    miss: float
    """Mean distance of the head from its target at the end of control steps [m]."""
    rate: float
    """Control steps a second."""


def main() -> None:
    """Print a row for each tool and number of iterations, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=100)
    options = parser.parse_args()
    usual = sim.env.SOLVER_ITERATIONS
    own = {task: TASKS.load(task).scripted() for task in ("hammer", "scythe")}
    named = own | {f"{task}, panda": retarget(own[task], "panda").demonstration for task in own}
    print(f"{'environment':<18}{'iterations':>11}{'success':>9}  {'95 % interval':<16}{'off, mm':>8}{'steps/s':>9}")
    figures = []
    for name, demonstration in named.items():
        rows = {}
        for iterations in (OWN, usual, usual // 2):
            rows[iterations] = found = tried(demonstration, iterations, options.episodes)
            share = outcome(found.success)
            print(
                f"{name:<18}{iterations:>11}{share.success:>9.2f}  {f'{share.low:.3f} to {share.high:.3f}':<16}"
                f"{1000 * found.miss:>8.2f}{found.rate:>9.0f}",
                flush=True,
            )
        here, theirs = rows[usual], rows[OWN]
        shares = f"{here.success.mean():.2f} ({theirs.success.mean():.2f})"
        figures.append(f"{name} {shares}, {here.rate / theirs.rate:.2f} times as fast")
    print(f"contact_solver: success with {usual} iterations ({OWN} in brackets): {'; '.join(figures)}")


def tried(demonstration: Demonstration, iterations: int, episodes: int) -> Found:
    """Play fresh episodes of the moved demonstration."""
    usual, sim.env.SOLVER_ITERATIONS = sim.env.SOLVER_ITERATIONS, iterations
    try:
        env = sim.env.ToolEnv(demonstration, spread=SPREAD)
    finally:
        sim.env.SOLVER_ITERATIONS = usual
    agent, success, off, spent = Shifted(), [], [], 0.0
    with contextlib.closing(env):
        head = env.obs_names.index("head_x")
        for seed in fresh_seeds(0, episodes):
            obs, info = env.reset(seed=seed)
            agent.start(env, np.random.default_rng(seed))
            done, frame = False, 0
            while not done:
                action = agent.act(obs)
                before = time.process_time()
                obs, _, terminated, truncated, info = env.step(action)
                spent += time.process_time() - before
                done, frame = terminated or truncated, min(frame + 1, len(env._path) - 1)
                off.append(np.linalg.norm(obs[head : head + 3] - env._path[frame] - env._displacement[:3]))
            success.append(bool(info["success"]))
    return Found(np.array(success), float(np.mean(off)), len(off) / spent)


if __name__ == "__main__":
    main()
