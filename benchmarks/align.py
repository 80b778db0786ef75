"""Alignment against random search: benchmarks/align.py [FILE ...] [--task hammer scythe spade pour] [--searches 20].

    python -m benchmarks.align ../shared/data/tools/*_1.npz ../shared/data/handtool/openpose18.npz

For each task and search: how many placements are simulated up to the first robust one, by the kinematic surrogate and
by random search with the same physics, and the success of both over 20 replays with the objects moved by 2 cm. One
placement is one simulation; the 20 replays that check a placement which solved the task are counted apart. Each search
has a seed of its own, and the strokes take turns: those of the files (head positions, or people's joints, whose
sequences are named TOOL_N; spades and scythes are held in both hands), synthetic ones drawn at random with noise (20
of them if there are no files), and the task's own scripted one. `--changed` adds each file's stroke mirrored, smaller,
and at another pace.

A search that ends without a robust placement counts as its whole budget; random search gets `--random-budget` of them,
where the published one, Zorina et al. (RA-L 2021), gets up to 20,000 samples: its medians are lower bounds where they
reach that number.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motion.tool import TOOLS, head_positions, read_stroke, tool_motion, tool_of
from records import Motion
from sim.align import BUDGET, ROBUST, AlignError, Alignment, align, random_search
from sim.tasks.task import TASKS

RANDOM_BUDGET = {"hammer": 500, "scythe": 500, "spade": 200, "pour": 60}
"""Placements after which random search gives up; it then counts as this many. Half a minute to a minute's worth."""
SYNTHETIC = 20
"""Random synthetic strokes of a task."""
REQUIRED = {"hammer": 15, "scythe": 250, "spade": 300, "pour": 300}
"""Placements that may be simulated in the median."""


class Row(NamedTuple):
    """One search."""

    tried: int
    score: float
    seconds: float
    refused: str = ""
    """Why there is no placement."""


def main() -> None:
    """Print a row per task, stroke and seed, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path, nargs="*", help="files named TOOL_N, or detections of several sequences")
    parser.add_argument("--task", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--searches", type=int, default=20, help="searches of a task, each with a seed of its own")
    parser.add_argument("--budget", type=int, default=BUDGET, help="placements after which a search gives up")
    parser.add_argument("--random-budget", type=int, help="the same for random search; 0 leaves it out")
    parser.add_argument("--changed", action="store_true", help="strokes of the files mirrored, smaller, slower, too")
    parser.add_argument("--only", help="strokes whose name begins so")
    options = parser.parse_args()
    figures = [table(task, options) for task in options.task]
    print(f"align: {'; '.join(figures)}; robust means >= {ROBUST:.0%} of replays")


def table(task: str, options: argparse.Namespace) -> str:
    """Search with the strokes of a task in turn; prints the rows and returns the figure."""
    print(
        f"{task:<18}{'seed':>5} | {'ours':>6}{'success':>9}{'s':>6} | {'random':>7}{'success':>9}{'s':>6}", flush=True
    )
    most = RANDOM_BUDGET[task] if options.random_budget is None else options.random_budget
    strokes = strokes_of(task, options.strokes, changed=options.changed)
    named = [(name, stroke) for name, stroke in strokes.items() if name.startswith(options.only or "")]
    ours, theirs = [], []
    for seed in range(options.searches):
        name, stroke = named[seed % len(named)]
        mine = searched(align, stroke, task, seed, options.budget)
        ours.append(mine)
        row = f"{name:<18}{seed:>5} | {mine.tried:>6}{mine.score:>9.0%}{mine.seconds:>6.1f} |"
        if most:
            other = searched(random_search, stroke, task, seed, most)
            theirs.append(other)
            row += f" {other.tried:>7}{other.score:>9.0%}{other.seconds:>6.1f}"
        print(f"{row}  {mine.refused}", flush=True)
    figure = f"{task} {_told(ours)} ({REQUIRED[task]} required)"
    return figure + (f", random search up to {most} {_told(theirs)}" if theirs else "")


def _told(rows: list[Row]) -> str:
    """Simulations to the first robust placement, and what they are worth."""
    tried = [row.tried for row in rows]
    robust = sum(row.score >= ROBUST for row in rows)
    return (
        f"{np.median(tried):.0f} simulations (median of {len(rows)}; at most {max(tried)}),"
        f" {np.median([row.seconds for row in rows]):.1f} s, {robust} of {len(rows)} robust"
    )


def searched(search: Callable[..., Alignment], stroke: Motion, task: str, seed: int, budget: int) -> Row:
    """Run one search, counting a failure as the whole budget."""
    start = time.process_time()
    try:
        found = search(stroke, task, seed=seed, budget=budget)
    except AlignError as error:
        return Row(budget, 0.0, time.process_time() - start, str(error))
    return Row(found.tried, found.demonstration.score, time.process_time() - start)


def strokes_of(task: str, files: list[Path], *, changed: bool = False) -> dict[str, Motion]:
    """Strokes of a task's tool, by name: of the files, changed ones, synthetic ones, and the scripted one."""
    tool = TASKS.load(task).tool
    found: dict[str, Motion] = {}
    for path in files:
        with np.load(path, allow_pickle=False) as file:
            sequences = [name for name in sorted(file.files) if name.startswith(f"{tool}_")]
        if sequences:
            found |= {f"seen {name}": estimated(path, name, tool) for name in sequences}
        elif path.stem.startswith(f"{tool}_"):
            found[path.stem] = read_stroke(path, TOOLS.load(tool))
    if changed:
        found |= {f"{name} {how}": change(stroke) for name, stroke in found.items() for how, change in CHANGES.items()}
    found |= {f"synthetic {k}": stroke for k, stroke in enumerate(synthetic(task, 4 if files else SYNTHETIC))}
    return found | {"scripted": TASKS.load(task).scripted().tool}


def estimated(path: Path, sequence: str, tool: str) -> Motion:
    """The tool's motion of a person whose joints were detected."""
    from motion.estimate import estimate
    from perception.detectors.detector import read_keypoints
    from perception.track import TrackOptions, observe_keypoints

    options = TrackOptions(two_handed=TOOLS.load(tool).two_handed)
    seen = observe_keypoints(read_keypoints(path, sequence=sequence)[0], options)
    motion = estimate(seen.person, seen.camera, seen.contacts, tool=seen.tool, tool_name=tool).tool
    assert motion is not None
    return motion


def mirrored(stroke: Motion) -> Motion:
    """As a left-handed person would do it: in a mirror that stands along x, its handle's axis and its head."""
    tool, free = tool_of(stroke), np.array(stroke.q[:, :3])
    head = head_positions(tool, stroke)
    return tool_motion(tool, head * [1, -1, 1], free * [1, -1, 1], stroke.fps)


def resized(stroke: Motion, size: float) -> Motion:
    """By somebody of another size with the same tool: the path of the head is scaled."""
    tool = tool_of(stroke)
    head, q = head_positions(tool, stroke), np.array(stroke.q)
    q[:, :3] += (size - 1) * head
    return stroke.replace(q=q)


def paced(stroke: Motion, pace: float) -> Motion:
    """Quicker in its first half than in its second, by this factor at its middle."""
    t = np.linspace(0, 1, stroke.num_frames)
    warped = np.interp(t, t + (pace - 1) / (2 * np.pi) * np.sin(2 * np.pi * t), np.arange(stroke.num_frames))
    tool, k = tool_of(stroke), np.arange(stroke.num_frames)
    ends = (head_positions(tool, stroke), np.array(stroke.q[:, :3]))
    head, free = (np.stack([np.interp(warped, k, column) for column in end.T], axis=1) for end in ends)
    return tool_motion(tool, head, free, stroke.fps)


CHANGES: dict[str, Callable[[Motion], Motion]] = {
    "mirrored": mirrored,
    "x 0.8": lambda stroke: resized(stroke, 0.8),
    "paced": lambda stroke: paced(stroke, 1.6),
}
"""What is done to a stroke to test a placer on more than was in view when it was made."""


def synthetic(task: str, count: int) -> list[Motion]:
    """Strokes that the tests draw, too."""
    sys.path.append(str(Path(__file__).parent.parent / "tests" / "sim"))
    from digging import random_digging
    from mowing import random_mowing
    from pouring import random_pouring
    from strokes import random_stroke

    draw = {"hammer": random_stroke, "scythe": random_mowing, "spade": random_digging, "pour": random_pouring}[task]
    return [draw(1000 + k) for k in range(count)]


if __name__ == "__main__":
    main()
