"""Alignment against random search: benchmarks/align.py [STROKE ...] [--task hammer scythe] [--seeds 3].

    python -m benchmarks.align ../shared/data/tools/hammer_1.npz ../shared/data/handtool/openpose18.npz --seeds 3

For each task, stroke and seed: how many placements are simulated up to the first robust one, by the kinematic surrogate
and by random search with the same physics, and the success of both over 20 replays with the objects moved by 2 cm. One
placement is one simulation; the 20 replays that check a placement which solved the task are counted apart. Strokes are
those of the files (head positions, or people's joints, whose sequences are named TOOL_N), synthetic ones drawn at
random (rate, size, speed, direction, 1 to 3 cm of noise), and the task's own scripted one.

Published: Zorina et al. (RA-L 2021) search at random, up to 20,000 samples.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motion.tool import TOOLS, read_stroke
from records import Motion
from sim.align import ROBUST, AlignError, Alignment, align, random_search
from sim.tasks.task import TASKS

BUDGET = 500
"""Placements after which random search gives up; it then counts as this many."""
SYNTHETIC = 4
"""Random synthetic strokes of a task that the tests draw strokes for."""


class Row(NamedTuple):
    """One search."""

    tried: int
    score: float
    seconds: float


def main() -> None:
    """Print a row per task, stroke and seed, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path, nargs="*", help="files named TOOL_N, or detections of several sequences")
    parser.add_argument("--task", nargs="+", default=["hammer", "scythe"], choices=list(TASKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=BUDGET, help="placements after which a search gives up")
    options = parser.parse_args()
    figures = [table(task, options) for task in options.task]
    print(f"align: {'; '.join(figures)}; robust means >= {ROBUST:.0%} of replays")


def table(task: str, options: argparse.Namespace) -> str:
    """Search with every stroke of a task; prints the rows and returns the figure."""
    print(
        f"{task:<14}{'seed':>5} | {'ours':>6}{'success':>9}{'s':>6} | {'random':>7}{'success':>9}{'s':>6}", flush=True
    )
    ours, theirs = [], []
    for name, stroke in strokes_of(task, options.strokes).items():
        for seed in range(options.seeds):
            mine, other = (searched(how, stroke, task, seed, options.budget) for how in (align, random_search))
            ours.append(mine)
            theirs.append(other)
            print(
                f"{name:<14}{seed:>5} | {mine.tried:>6}{mine.score:>9.0%}{mine.seconds:>6.1f} |"
                f" {other.tried:>7}{other.score:>9.0%}{other.seconds:>6.1f}",
                flush=True,
            )
    tried, tried_random = ([row.tried for row in rows] for rows in (ours, theirs))
    score, score_random = (np.mean([row.score for row in rows]) for rows in (ours, theirs))
    return (
        f"{task} {np.median(tried):.0f} simulations to the first robust placement (median of {len(ours)}; at most"
        f" {max(tried)}), {np.median([row.seconds for row in ours]):.1f} s, random search {np.median(tried_random):.0f}"
        f" (at most {max(tried_random)}), {np.median([row.seconds for row in theirs]):.1f} s; success over perturbed"
        f" replays {score:.0%} (random {score_random:.0%})"
    )


def searched(search: Callable[..., Alignment], stroke: Motion, task: str, seed: int, budget: int) -> Row:
    """Run one search, counting a failure as the whole budget."""
    start = time.process_time()
    try:
        found = search(stroke, task, seed=seed, budget=budget)
    except AlignError:
        return Row(budget, 0.0, time.process_time() - start)
    return Row(found.tried, found.demonstration.score, time.process_time() - start)


def strokes_of(task: str, files: list[Path]) -> dict[str, Motion]:
    """Strokes of a task's tool, by name: of the files, synthetic ones, and the scripted one."""
    tool = TASKS.load(task).tool
    found: dict[str, Motion] = {}
    for path in files:
        with np.load(path, allow_pickle=False) as file:
            sequences = [name for name in sorted(file.files) if name.startswith(f"{tool}_")]
        if sequences:
            found |= {name: estimated(path, name, tool) for name in sequences}
        elif path.stem.startswith(f"{tool}_"):
            found[path.stem] = read_stroke(path, TOOLS.load(tool))
    found |= {f"synthetic {k}": stroke for k, stroke in enumerate(synthetic(task))}
    return found | {"scripted": TASKS.load(task).scripted().tool}


def estimated(path: Path, sequence: str, tool: str) -> Motion:
    """The tool's motion of a person whose joints were detected."""
    from motion.estimate import estimate
    from perception.detectors.detector import read_keypoints
    from perception.track import observe_keypoints

    seen = observe_keypoints(read_keypoints(path, sequence=sequence)[0])
    motion = estimate(seen.person, seen.camera, seen.contacts, tool=seen.tool, tool_name=tool).tool
    assert motion is not None
    return motion


def synthetic(task: str) -> list[Motion]:
    """Strokes that the tests draw too, of tasks that they draw some for."""
    sys.path.append(str(Path(__file__).parent.parent / "tests" / "sim"))
    from mowing import random_mowing
    from strokes import random_stroke

    draw = {"hammer": random_stroke, "scythe": random_mowing}.get(task)
    return [draw(1000 + k) for k in range(SYNTHETIC)] if draw else []


if __name__ == "__main__":
    main()
