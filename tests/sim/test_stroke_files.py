"""Strokes from tables: any task's own stroke, written as a table of its two ends, is placed; bad ones get one line."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from motion.tool import ToolError, head_positions, motion_of_poses, read_stroke, tool_of
from records import RecordError
from sim.align import AlignError, align
from sim.placement import Placer
from sim.replay import outcomes
from sim.tasks.task import TASKS


def table(path, stroke, *, spoil=None):
    """Write `t,hx,hy,hz,gx,gy,gz`."""
    head = head_positions(tool_of(stroke), stroke)
    rows = np.column_stack([np.arange(len(head)) / stroke.fps, head, stroke.q[:, :3]])
    if spoil is not None:
        rows[5, 1:] = spoil
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["t", "hx", "hy", "hz", "gx", "gy", "gz"])
        writer.writerows(rows.tolist())
    return path


@pytest.mark.parametrize("task", list(TASKS))
def test_a_table_is_placed_and_solves_the_task(task, tmp_path):
    kind = TASKS.load(task)
    scripted = kind.scripted().tool
    tool = tool_of(scripted)
    stroke = read_stroke(table(tmp_path / "stroke.csv", scripted), tool)
    placer: Placer = kind.placer(stroke, tool)
    best = min(placer.starts(), key=placer.shortfall)
    if task in ("hammer", "scythe"):
        found = align(stroke, task, seed=0)
        assert found.tried <= 3
        assert found.remarks == ()
    else:
        assert outcomes(placer.place(best), np.zeros((1, 2))) == [True]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_tables_that_are_not_finite_are_refused(value, tmp_path):
    scripted = TASKS.load("hammer").scripted().tool
    path = table(tmp_path / "stroke.csv", scripted, spoil=value)
    with pytest.raises(ToolError, match=r"stroke\.csv: a stroke needs at least 3 frames of finite positions"):
        read_stroke(path, tool_of(scripted))


def test_a_motion_with_nan_is_no_record():
    stroke = TASKS.load("spade").scripted().tool
    q = np.array(stroke.q)
    q[3, 0] = np.nan
    with pytest.raises(RecordError, match=r"Motion\.q: not finite at index \(3, 0\)"):
        stroke.replace(q=q)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("hammer", "never strikes"),
        ("scythe", "never sweeps"),
        ("spade", "moves 0.00 m away"),
        ("pour", "never tilted"),
    ],
)
def test_a_tool_that_is_only_lifted_is_refused_in_one_line(task, message):
    """It leaves the ground for good."""
    kind = TASKS.load(task)
    tool = tool_of(kind.scripted().tool)
    p = np.outer(np.linspace(0, 1, 48), [0.0, 0.0, 1.0])
    rising = motion_of_poses(tool.name, tool.parameters(), np.tile(np.eye(3), (48, 1, 1)), p, 24.0)
    with pytest.raises(AlignError, match=message) as refused:
        align(rising, task)
    assert "\n" not in str(refused.value)
