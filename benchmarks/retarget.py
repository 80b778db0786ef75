"""Retargeting to the Panda: benchmarks/retarget.py [../shared/data/tools/hammer_1.npz ...].

For each stroke, aligned first: distance of the tool's head from the stroke, use of the velocity and acceleration
limits, clearance, how much the stroke was slowed down, and processor time; then the nail in physics: replayed as it
is, and moved along with the nail (20 episodes, 5 cm). Beside it the base that costs nothing: half a metre before the
middle of the stroke, with the same solver for the joints and no slowing down.

A study with the same kind of solver and no collisions came to 7 mm mean, 25 mm at most, in 1 to 2.4 s.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.align import synthetic
from motion.problem import NormalEquations
from motion.robot import build_arm
from motion.tool import HAMMER, read_stroke
from records import Demonstration
from sim.align import align
from sim.arm_problem import ArmProblem
from sim.conditions import Spread
from sim.env import ToolEnv
from sim.retarget import retarget
from sim.tasks.task import TASKS

EPISODES = 20
"""Displaced episodes a stroke."""
NOISE = 0.05
"""Standard deviation of the nail's displacement [m]."""
STUDY = (7.0, 25.0)
"""Mean and largest distance that a throw-away study reached [mm]."""
SYNTHETIC = 4
"""Random synthetic strokes."""


def main() -> None:
    """Print a row per stroke, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path, nargs="*", help="files of head positions, see motion.tool.read_stroke")
    parser.add_argument("--robot", default="panda", help="a name of the table, or FILE.urdf:LINK")
    arguments = parser.parse_args()
    strokes = {path.stem: read_stroke(path, HAMMER) for path in arguments.strokes}
    strokes |= {f"synthetic {k}": stroke for k, stroke in enumerate(synthetic(SYNTHETIC))}
    print(
        f"{'stroke':<14}{'mean':>7}{'max mm':>8}{'degrees':>9}{'speed':>7}{'accel.':>7}{'clear mm':>9}{'slower':>7}"
        f"{'s':>6} | {'fixed base mm':>13} | {'replay':>7}{'moved along':>12}"
    )
    rows = []
    for name, stroke in strokes.items():
        demonstration = align(stroke).demonstration
        start = time.process_time()
        moving, tracking = retarget(demonstration, arguments.robot)
        seconds = time.process_time() - start
        replay, shifted = in_physics(moving)
        fixed = fixed_base(demonstration, arguments.robot)
        rows.append((tracking.mean_mm, tracking.max_mm, seconds, fixed, replay, shifted))
        print(
            f"{name:<14}{tracking.mean_mm:>7.1f}{tracking.max_mm:>8.1f}{tracking.mean_degrees:>9.1f}"
            f"{tracking.velocity:>7.2f}{tracking.acceleration:>7.2f}{tracking.clearance_mm:>9.1f}"
            f"{tracking.slowdown:>7.2f}{seconds:>6.1f} | {fixed:>13.1f} | {replay:>7.0%}{shifted:>12.0%}",
            flush=True,
        )
    table = np.array(rows)
    mean, _, seconds, fixed, replay, shifted = table.mean(axis=0)
    print(
        f"retarget: mean {mean:.1f} mm, largest {table[:, 1].max():.1f} mm (study {STUDY[0]:.0f} and {STUDY[1]:.0f};"
        f" fixed base {fixed:.0f} mean), {seconds:.1f} s; nail driven in {replay:.0%} of replays and {shifted:.0%} of"
        " episodes moved along"
    )


def in_physics(demonstration: Demonstration) -> tuple[float, float]:
    """Success of the replay with nothing displaced, and of the demonstration moved along with its object."""
    env = ToolEnv(demonstration, spread=Spread(NOISE))
    outcomes = []
    for seed in (None, *range(EPISODES)):
        _, info = env.reset(seed=seed, options={"object_offset": np.zeros(2)} if seed is None else None)
        done = False
        while not done:
            _, _, terminated, truncated, info = env.step(env.shift_action())
            done = terminated or truncated
        outcomes.append(info["success"])
    env.close()
    return float(outcomes[0]), float(np.mean(outcomes[1:]))


def fixed_base(demonstration: Demonstration, robot: str) -> float:
    """Mean distance [mm] from a base half a metre before the middle of the stroke: one start, no slowing down."""
    task, arm = TASKS.load(demonstration.task), build_arm(robot, HAMMER)
    work, obstacles = task.work(demonstration.scene), task.obstacles(demonstration.scene)
    problem = FixedBase(demonstration.tool, arm, work, obstacles)
    base = np.array([*(problem.head[: problem.T, :2].mean(axis=0) - [0.5, 0.0]), 0.0])
    q = np.tile(np.array(arm.spec.rest), (len(problem.head), 1))
    held = problem.minimise(q, base, 40, 0.05)
    return 1000 * float(problem.use(held.q, held.base).distance.mean())


class FixedBase(ArmProblem):
    """The same problem with the base where it is put."""

    def linearise(self, q: np.ndarray, base: np.ndarray, hinge: float) -> tuple[NormalEquations, float]:
        """Without derivatives by the base."""
        equations, cost = super().linearise(q, base, hinge)
        border, h = np.zeros_like(equations.border), np.zeros(3)
        return replace(equations, border=border, corner=np.eye(3), h=h), cost


if __name__ == "__main__":
    main()
