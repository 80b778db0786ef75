"""What learning can add at most where places are misjudged, known before any training.

    python -m benchmarks.tolerance scripted --task pour --robot none [--noise .05] [--place .03 .04 .05]

The demonstration is replayed with its objects displaced to the points of a grid. That map says with what probability a
tool solves the task that comes to work beside its objects by a normal error, and so what there is to expect where
objects are displaced by a standard deviation s and seen beside by another one, e, throughout an episode:

- replayed as recorded, the error is s; moved along with what is seen, it is e;
- of what is seen, a part s^2 / (s^2 + e^2) is the place to expect, and about it an error of s e / sqrt(s^2 + e^2) is
  left whatever is done: the smaller one over sqrt 2, or more. Wherever the demonstration is led to, its objects are
  beside by that error about some point of the map, and the point where most is solved can always be chosen. That is the
  ceiling of all policies that move the demonstration along as a whole, to a place that they take from what is seen.

It is no ceiling for policies that change the stroke itself so that it takes larger errors, or that see its outcome in
time. Errors along x and y are independent. Between the points of the grid, success is interpolated; beyond it there is
none.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import norm

from benchmarks.policy import demonstrated
from policies.evaluate import outcome
from records import Demonstration
from sim.conditions import STILL
from sim.env import ToolEnv
from sim.tasks.task import TASKS

FINE = 400
"""Points that expectations are summed over, from the middle of the grid to each side."""


def main() -> None:
    """Print the map, a table of expectations, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="file of a stroke, a run folder, or `scripted`")
    parser.add_argument("--task", default="pour", choices=list(TASKS))
    parser.add_argument("--sequence", help="of people's joints, where the file holds several")
    parser.add_argument("--robot", default="none", help="`none` leaves the tool alone")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.05], help="of the objects' place [m]")
    parser.add_argument(
        "--place", type=float, nargs="+", default=[0.03, 0.04, 0.05], help="error of the seen place [m]"
    )
    parser.add_argument("--reach", type=float, default=0.08, help="of the grid, along x and y to both sides [m]")
    parser.add_argument("--points", type=int, default=11, help="of the grid along x and y")
    options = parser.parse_args()
    started = time.process_time()
    axis = np.linspace(-options.reach, options.reach, options.points)
    solved = solved_map(demonstrated(options), axis)
    print(f"solved where objects are displaced along x (down, {100 * axis[0]:.1f} to {100 * axis[-1]:.1f} cm) and y:")
    for row in solved:
        print("  " + "".join(".#"[int(one)] for one in row))
    print(f"{solved.size} episodes, {time.process_time() - started:.0f} s\n")
    print(f"{'noise':<8}{'place':<8}{'replay':>8}{'shifted':>9}{'ceiling':>9}{'gain':>7}  episodes to tell them apart")
    figures = []
    for noise in options.noise:
        for place in options.place:
            left = noise * place / math.hypot(noise, place)
            replay, shifted = (float(expected(solved, axis, sd)[FINE, FINE]) for sd in (noise, place))
            ceiling = float(expected(solved, axis, left).max())
            free = max(replay, shifted)
            print(
                f"{noise:<8.3f}{place:<8.3f}{replay:>8.3f}{shifted:>9.3f}{ceiling:>9.3f}{ceiling - free:>7.3f}"
                f"  {telling(free, ceiling)}"
            )
            figures.append(f"seen {100 * place:g} cm beside {ceiling:.2f} moved along at best, {free:.2f} without")
    print(f"tolerance, {options.task}: {'; '.join(figures)}")


def solved_map(demonstration: Demonstration, axis: Float[np.ndarray, "N"]) -> Float[np.ndarray, "N N"]:
    """Whether the replay solves its task with its objects displaced by axis[i] along x and axis[j] along y [m]."""
    env = ToolEnv(demonstration, spread=STILL)
    solved = np.zeros((len(axis), len(axis)))
    still = np.zeros(len(env.action_names))
    try:
        for i, x in enumerate(axis):
            for j, y in enumerate(axis):
                env.reset(seed=0, options={"object_offset": (float(x), float(y))})
                done = False
                while not done:
                    *_, terminated, truncated, info = env.step(still)
                    done = terminated or truncated
                solved[i, j] = float(info["success"])
    finally:
        env.close()
    return solved


def expected(solved: Float[np.ndarray, "N N"], axis: Float[np.ndarray, "N"], sd: float) -> Float[np.ndarray, "M M"]:
    """Success with errors of a standard deviation along each axis [m], about points all over the grid.

    The middle one, [FINE, FINE], is that of errors about nothing.
    """
    fine = np.linspace(axis[0], axis[-1], 2 * FINE + 1)
    between = RegularGridInterpolator((axis, axis), solved)(np.stack(np.meshgrid(fine, fine, indexing="ij"), axis=-1))
    weights = (fine[1] - fine[0]) * norm.pdf(np.subtract.outer(fine, fine), scale=sd)
    return np.asarray(weights @ between @ weights.T)


def telling(less: float, more: float) -> str:
    """Episodes from which on the intervals of two shares do not overlap, to a tenth; or that there are too many."""
    for count in (round(100 * 1.1**k) for k in range(50)):
        low, high = (outcome(np.arange(count) < round(share * count)) for share in (less, more))
        if low.high < high.low:
            return str(count)
    return "more than 10,000"


if __name__ == "__main__":
    main()
