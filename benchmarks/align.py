"""Alignment against random search: benchmarks/align.py [../shared/data/tools/hammer_1.npz ...] [--seeds 3].

For each stroke and seed: how many placements are simulated up to the first robust one, by the kinematic surrogate and
by random search with the same physics, and the success of both over 20 replays with the nail moved by 2 cm. One
placement is one simulation; the 20 replays that check a placement which drove the nail are counted apart. Strokes are
those of the files, and synthetic ones drawn at random (rate, size, speed, direction, 1 to 3 cm of noise).

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

from motion.tool import HAMMER, read_stroke
from records import Motion
from sim.align import ROBUST, AlignError, Alignment, align, random_search

BUDGET = 500
"""Placements after which random search gives up; it then counts as this many."""
SYNTHETIC = 4
"""Random synthetic strokes."""


class Row(NamedTuple):
    """One search."""

    tried: int
    score: float
    seconds: float


def main() -> None:
    """Print a row per stroke and seed, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path, nargs="*", help="files of head positions, see motion.tool.read_stroke")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    strokes = {path.stem: read_stroke(path, HAMMER) for path in arguments.strokes}
    strokes |= {f"synthetic {k}": stroke for k, stroke in enumerate(synthetic(SYNTHETIC))}
    print(f"{'stroke':<14}{'seed':>5} | {'ours':>6}{'success':>9}{'s':>6} | {'random':>7}{'success':>9}{'s':>6}")
    ours, theirs = [], []
    for name, stroke in strokes.items():
        for seed in range(arguments.seeds):
            mine, other = searched(align, stroke, seed), searched(random_search, stroke, seed)
            ours.append(mine)
            theirs.append(other)
            print(
                f"{name:<14}{seed:>5} | {mine.tried:>6}{mine.score:>9.0%}{mine.seconds:>6.1f} |"
                f" {other.tried:>7}{other.score:>9.0%}{other.seconds:>6.1f}",
                flush=True,
            )
    median, median_random = (float(np.median([row.tried for row in rows])) for rows in (ours, theirs))
    mean, mean_random = (float(np.mean([row.score for row in rows])) for rows in (ours, theirs))
    print(
        f"align: {median:.0f} simulations to the first robust placement (median; at most"
        f" {max(row.tried for row in ours)}), random search {median_random:.0f} (at most"
        f" {max(row.tried for row in theirs)}): {median_random / median:.0f} times fewer; success over perturbed"
        f" replays {mean:.0%} (random {mean_random:.0%}); robust means >= {ROBUST:.0%}"
    )


def searched(search: Callable[..., Alignment], stroke: Motion, seed: int) -> Row:
    """Run one search, counting a failure as the whole budget."""
    start = time.process_time()
    try:
        found = search(stroke, seed=seed, budget=BUDGET)
    except AlignError:
        return Row(BUDGET, 0.0, time.process_time() - start)
    return Row(found.tried, found.demonstration.score, time.process_time() - start)


def synthetic(count: int) -> list[Motion]:
    """Strokes that the tests draw too."""
    sys.path.append(str(Path(__file__).parent.parent / "tests" / "sim"))
    from strokes import random_stroke

    return [random_stroke(1000 + k) for k in range(count)]


if __name__ == "__main__":
    main()
