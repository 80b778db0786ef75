"""Where an arm may stand for a stroke, and how it may hold the tool: what `sim.retarget` starts from.

A whole-trajectory optimisation ends in the nearest of many minima: elbow up or down, wrist this way or that, one or the
other side of the tool. Starts from all around the stroke are followed in few of its frames first, the better ones of
them with stricter limits, and only the best few in all frames.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from motion.robot import Arm, RobotSpec, build_arm
from motion.tool import Tool
from records import Demonstration, Motion
from sim.arm_problem import BASE, HINGES, ON_THE_GROUND, ArmProblem, Solution
from sim.tasks.task import TASKS

TALLEST = 1.0
"""Highest pedestal that is searched [m]."""
_GUESS = 0.3
"""A first guess of its height [m]."""
_CENTIMETRE = 0.01
"""Pedestals are built to the centimetre [m]."""
_DISTANCE = 0.36
"""Distance of a first guess of the base from the middle of the stroke, in lengths of the stretched arm."""
_FRAMES = 16
"""Frames of the stroke, about, that starts are compared by."""
_ITERATIONS = 12
"""For every start, and as many for the better ones."""
_STRICTER = 0.05
"""Standard deviation of a violated limit for the better ones, in shares of the limit."""
_BETTER = 4
"""One start in so many is followed with stricter limits."""
_ELSEWHERE = 0.6
"""Spread of joint angles about the rest configuration, where starts differ in them, too [rad]."""
_PLACES = (1.0, 0.5)
"""Where else the handle may be held, in shares of the usual distance from its free end."""
_ROLLS = np.radians([0.0, 60.0, -60.0, 120.0, -120.0, 180.0])
"""How else the hand may be turned about the handle [rad]."""


class Held(NamedTuple):
    """A way of holding the tool and a place of the base, and the best motion known with them."""

    demonstration: Demonstration
    """With the stroke as fast as it is shown, its tool held like this."""
    arm: Arm
    solution: Solution
    frames: int
    """Frames of the solution's stroke."""

    @property
    def too_heavy(self) -> bool:
        """Whether the arm's motors cannot even hold the tool still like this."""
        return self.arm.strain(self.solution.q) > 1.0


def search(
    demonstration: Demonstration,
    spec: RobotSpec,
    tools: Sequence[Tool],
    rng: np.random.Generator,
    *,
    starts: int,
    keep: int,
    pedestal: float | None = 0.0,
) -> list[Held]:
    """The best starts, best first; those whose motors cannot hold the tool still come last.

    Args:
        demonstration: the stroke.
        spec: the robot.
        tools: the tool in the ways that it may be held, each of which is tried.
        rng: for directions and joints that starts begin with.
        starts: bases tried around the stroke for each way of holding the tool.
        keep: how many starts are returned.
        pedestal: height of the base over the ground [m]; None: searched, too.
    """
    found = [start for tool in tools for start in _starts(demonstration, spec, tool, rng, starts, pedestal)]
    found.sort(key=lambda start: start[1].solution.cost)
    better = []
    for problem, held in found[: max(keep, -(-len(found) // _BETTER))]:
        solution = problem.minimise(held.solution.q, held.solution.base, _ITERATIONS, _STRICTER)
        better.append(held._replace(solution=solution))
    return sorted(better, key=lambda held: (held.too_heavy, held.solution.cost))[:keep]


def other_grips(usual: Tool) -> list[Tool]:
    """The tool held elsewhere along its handle, and from other sides of it."""
    places = [share * usual.grip for share in _PLACES]
    grips = [replace(usual, grip=place, grip_roll=roll) for place in places for roll in _ROLLS.tolist()]
    return [tool for tool in grips if tool != usual]


def problem_of(
    demonstration: Demonstration, arm: Arm, *, timed: bool = True, searched: Collection[str] = ON_THE_GROUND
) -> ArmProblem:
    """The arm's problem with a stroke in its task's scene."""
    task = TASKS.load(demonstration.task)
    work, obstacles = task.work(demonstration.scene), task.obstacles(demonstration.scene)
    return ArmProblem(demonstration.tool, arm, work, obstacles, working=task.working, timed=timed, searched=searched)


def _starts(
    demonstration: Demonstration,
    spec: RobotSpec,
    tool: Tool,
    rng: np.random.Generator,
    starts: int,
    pedestal: float | None,
) -> Iterator[tuple[ArmProblem, Held]]:
    """Coarse solutions from bases all around the stroke, each with the problem that it is followed with."""
    stroke = demonstration.tool.replace(parameters={**demonstration.tool.parameters, **tool.parameters()})
    held, arm = demonstration.replace(tool=stroke), build_arm(spec, tool)
    few = held.replace(tool=_sampled(stroke))
    problem = problem_of(few, arm)
    loose = problem if pedestal is not None else problem_of(few, arm, searched=BASE)
    middle = problem.head[: problem.T, :2].mean(axis=0)
    lengths = [np.linalg.norm(placement.translation) for placement in list(arm.model.jointPlacements)[1:]]
    distance = _DISTANCE * (float(np.sum(lengths)) + arm.tool.length - arm.tool.grip)
    first = rng.uniform(0, 2 * np.pi)
    for k in range(starts):
        angle = first + 2 * np.pi * k / starts
        x, y = middle - distance * np.array([np.cos(angle), np.sin(angle)])
        base = np.array([x, y, _GUESS if pedestal is None else pedestal, angle])
        rest = problem.rest + _ELSEWHERE * rng.standard_normal(problem.J) * (k % 2)
        q = np.tile(np.clip(rest, problem.middle - problem.half, problem.middle + problem.half), (len(problem.head), 1))
        solution = loose.minimise(q, base, _ITERATIONS, HINGES[0])
        if pedestal is None:
            solution.base[2] = _CENTIMETRE * round(float(np.clip(solution.base[2], 0, TALLEST)) / _CENTIMETRE)
        yield problem, Held(held, arm, solution, few.tool.num_frames)


def _sampled(stroke: Motion) -> Motion:
    """Every so many frames of a stroke: enough to tell where a base may stand."""
    every = -(-stroke.num_frames // _FRAMES)
    q, v, a = stroke.q[::every], stroke.v[::every], stroke.a[::every]
    return stroke.replace(q=q, v=v, a=a, fps=stroke.fps / every)
