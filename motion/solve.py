"""Robust Levenberg-Marquardt over a whole clip, with graduated non-convexity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError

from motion.elimination import Memory
from motion.problem import ClipEquations, Problem, ProblemAt
from motion.residuals.residual import Residual
from motion.state import State

MIN_DAMPING, MAX_DAMPING = 1e-7, 1e8
"""Range of Marquardt's damping [1]."""


class DidNotConverge(RuntimeError):
    """The solver failed numerically; `solution` holds the best state that it had."""

    def __init__(self, message: str, solution: Solution) -> None:
        super().__init__(message)
        self.solution = solution


@dataclass(frozen=True, kw_only=True)
class SolverOptions:
    """Steps and tolerances."""

    iterations: int = 14
    """Most accepted or rejected linearisations."""
    widening: float = 4.0
    """First factor on the widths of redescending losses; 1 for a warm start."""
    narrowing: float = 0.6
    """Factor on the widening per iteration, until it is 1."""
    tolerance: float = 1e-3
    """Relative decrease of the cost below which the solver has converged."""
    damping: float = 1e-3
    """First Marquardt damping."""
    shared: bool = True
    """Whether what all frames share is estimated, too; else it stays as it is."""


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Where the solver ended."""

    state: State
    status: str
    """`converged`, `stalled` (no step decreases the cost) or `iteration limit`."""
    iterations: int
    cost: Mapping[str, float]
    """Final cost per residual."""


class _Tried(NamedTuple):
    at: ProblemAt | None
    decrease: float
    damping: float
    failure: str


def solve(
    residuals: Mapping[str, Residual],
    state: State,
    options: SolverOptions | None = None,
    memory: Memory | None = None,
) -> Solution:
    """Minimise the sum of all residuals' losses.

    Args:
        residuals: by name.
        state: where to start.
        options: steps and tolerances.
        memory: is worked in, and may be used again.

    Raises:
        DidNotConverge: the cost at the start, or every step, is not finite.
    """
    options = options or SolverOptions()
    widening, damping, status = options.widening, options.damping, "iteration limit"
    problem, memory = Problem(residuals, state.num_frames), memory or Memory()
    at = problem.at(state)
    cost = sum(at.costs(widening).values())
    if not np.isfinite(cost):
        raise DidNotConverge(
            "the cost at the start is not finite; check the keypoints and the camera",
            Solution(state=state, status="stalled", iterations=0, cost={}),
        )
    iteration = 0
    for iteration in range(1, options.iterations + 1):
        equations = at.equations(widening, memory, shared=options.shared)
        tried = _step(problem, equations, cost, damping)
        damping = tried.damping
        if tried.failure:
            solution = Solution(state=at.state, status="stalled", iterations=iteration, cost={})
            raise DidNotConverge(f"no step could be computed: {tried.failure}", solution)
        if tried.at is None:
            status = "stalled" if widening == 1 else status
        else:
            at = tried.at
            if widening == 1 and tried.decrease < options.tolerance * cost:
                status = "converged"
            cost -= tried.decrease
        if widening == 1 and status != "iteration limit":
            break
        if widening > 1:
            widening = max(1.0, widening * options.narrowing)
            cost = sum(at.costs(widening).values())
    return Solution(state=at.state, status=status, iterations=iteration, cost=at.costs())


def _step(problem: Problem, equations: ClipEquations, cost: float, damping: float) -> _Tried:
    """Try steps with growing damping until one decreases the cost."""
    failure = ""
    while damping <= MAX_DAMPING:
        try:
            candidate = equations.at.state.step(*equations.solve(damping))
        except LinAlgError as error:
            failure, damping = str(error), 10 * damping
            continue
        failure = ""
        at = problem.at(candidate)
        new = sum(at.costs(equations.widening).values())
        if np.isfinite(new) and new < cost:
            return _Tried(at, cost - new, max(damping / 5, MIN_DAMPING), "")
        damping *= 8
    return _Tried(None, 0.0, SolverOptions().damping, failure)
