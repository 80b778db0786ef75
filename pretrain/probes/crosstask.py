"""CrossTask's release: tasks with their steps, which videos show them, and when.

Zhukov et al., Cross-task weakly supervised learning from instructional videos, CVPR 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from pretrain.probes.probe import ProbeError
from pretrain.probes.rows import number_in, read_lines, stretch_in


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is done in some videos, and its steps in order."""

    number: str
    title: str
    steps: tuple[str, ...]


def read_tasks(path: Path | str) -> dict[str, Task]:
    """Read `tasks_primary.txt`: number, title, address, count of steps, steps between commas, an empty line.

    Raises:
        ProbeError: unreadable, cut short, or a task with another count of steps than it states.
    """
    lines = read_lines(path)
    while lines and not lines[-1]:
        lines.pop()
    tasks: dict[str, Task] = {}
    for first in range(0, len(lines), 6):
        block = lines[first : first + 5]
        if len(block) < 5:
            raise ProbeError(f"{path}: line {first + 1}: cut short; a task has 5 lines and an empty one")
        number, title, _, count, steps = block
        names = tuple(step.strip() for step in steps.split(","))
        if number_in(path, f"line {first + 4}", count) != len(names):
            raise ProbeError(f"{path}: line {first + 4}: task {number} states {count} steps, and names {len(names)}")
        tasks[number] = Task(number=number, title=title, steps=names)
    if not tasks:
        raise ProbeError(f"{path}: has no tasks")
    return tasks


def read_videos(path: Path | str) -> list[tuple[str, str]]:
    """Task and name of each video of `videos_val.csv` (rows `task,video,address` without a header).

    Raises:
        ProbeError: unreadable, empty, or a row without two names.
    """
    videos = []
    for number, line in enumerate(read_lines(path), 1):
        if not line:
            continue
        task, _, rest = line.partition(",")
        video = rest.partition(",")[0]
        if not task or not video:
            raise ProbeError(f"{path}: line {number}: {line!r} is not task,video,address")
        videos.append((task, video))
    if not videos:
        raise ProbeError(f"{path}: has no videos")
    return videos


def read_steps(path: Path | str, task: Task) -> tuple[Int[np.ndarray, "A"], Float[np.ndarray, "A 2"]]:
    """Number, from 0, and stretch [s] of each annotated step of a video (rows `step,start,end`, steps from 1).

    Raises:
        ProbeError: unreadable, or a row that is none, or a step that the task does not have.
    """
    steps, intervals = [], []
    for number, line in enumerate(read_lines(path), 1):
        if not line:
            continue
        parts = line.split(",")
        if len(parts) != 3:
            raise ProbeError(f"{path}: line {number}: {line!r} is not step,start,end")
        step = number_in(path, f"line {number}", parts[0])
        if step not in range(1, len(task.steps) + 1):
            raise ProbeError(f"{path}: line {number}: step {parts[0]} of a task with {len(task.steps)} steps")
        steps.append(int(step) - 1)
        intervals.append(stretch_in(path, f"line {number}", parts[1], parts[2]))
    return np.array(steps, np.int64), np.array(intervals, np.float64).reshape(-1, 2)
