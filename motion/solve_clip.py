"""Solve a clip of any length: at once where it is short, else window by window, in memory that does not grow with it.

What all frames share is estimated on a sample of windows, whose Gaussians are fused, and then held. These hold where
they were linearised, so that is done again where they were fused: Newton's steps on what is shared, with the frames
eliminated (variable projection, Golub and Pereyra 1973). Then windows are solved one after the other; each starts,
where it overlaps the one before, from its solution, so that both find the same minimum, and they are blended there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError

from motion.elimination import Memory
from motion.problem import assemble, costs
from motion.residuals.residual import Residual
from motion.solve import MIN_DAMPING, Solution, SolverOptions, solve
from motion.state import State
from motion.windows import BAND, Window, WindowOptions, blend, divide, part_of_state, parts_of
from records.progress import tell_progress

_log = logging.getLogger(__name__)

REFINEMENTS = 2
"""How often what all frames share is estimated again, on windows that are solved with what was found before."""


def solve_clip(
    residuals: Mapping[str, Residual],
    state: State,
    options: SolverOptions | None = None,
    windows: WindowOptions | None = None,
    what: str = "motion",
) -> Solution:
    """Minimise the sum of all residuals' losses, as `motion.solve.solve` does, for clips of any length.

    Args:
        residuals: by name; their arrays with a row per frame, pair or triple of frames are divided with the clip.
        state: where to start.
        options: steps and tolerances.
        windows: how long clips are divided.
        what: is told as progress of long clips.

    Raises:
        DidNotConverge: the cost at a start, or every step, is not finite; `solution` holds the window that failed.
    """
    options, total, residuals = options or SolverOptions(), state.num_frames, dict(residuals)
    parts = divide(total, state.fps, windows or WindowOptions())
    if len(parts) == 1:
        return solve(residuals, state, options)
    memory, sample = Memory(), _sample(parts, windows or WindowOptions())
    q, tool_q = state.q.copy(), None if state.tool_q is None else state.tool_q.copy()
    done, work = 0, (1 + REFINEMENTS) * len(sample) + len(parts)
    shared = state.shared
    for again in range(1 + REFINEMENTS):
        fused = _Fusion(residuals, state)
        how = replace(options, shared=False, widening=1.0) if again else options
        for frames in sample:
            tell_progress(what, done, work)
            here, start = parts_of(residuals, frames, total), part_of_state(replace(state, q=q, tool_q=tool_q), frames)
            found = solve(here, replace(start, shared=shared), how, memory).state
            fused.add(here, found)
            q[frames] = found.q
            if tool_q is not None and found.tool_q is not None:
                tool_q[frames] = found.tool_q
            done += 1
        shared = fused.mean()
    statuses, iterations, held = [], 0, replace(options, shared=False)
    for n, window in enumerate(parts):
        tell_progress(what, done, work)
        begun = parts[n - 1].frames.stop - window.frames.start if n else 0
        start = replace(
            part_of_state(replace(state, q=q, tool_q=tool_q), window.frames),
            shared=shared,
            tool_length=state.tool_length,
        )
        warm = replace(held, widening=1.0) if window.kept in sample else held
        solution = solve(parts_of(residuals, window.frames, total), start, warm, memory)
        _place(q, solution.state.q, window, begun)
        if tool_q is not None and solution.state.tool_q is not None:
            _place(tool_q, solution.state.tool_q, window, begun)
        statuses.append(solution.status)
        iterations = max(iterations, solution.iterations)
        done += 1
    tell_progress(what, done, work)
    found = replace(state, q=q, tool_q=tool_q, shared=shared)
    worst = next((s for s in ("iteration limit", "stalled") if s in statuses), "converged")
    return Solution(state=found, status=worst, iterations=iterations, cost=costs(residuals, found))


def _sample(windows: Sequence[Window], options: WindowOptions) -> list[slice]:
    """Frames in the middle of some windows, spread over the clip, the first and the last among them."""
    count = max(1, min(options.sample, len(windows)))
    chosen = sorted(set(np.round(np.linspace(0, len(windows) - 1, count)).astype(int).tolist()))
    return [_middle(windows[n].kept, options.sample_frames) for n in chosen]


def _middle(frames: slice, most: int) -> slice:
    more = max(frames.stop - frames.start - max(most, BAND + 1), 0)
    return slice(frames.start + more // 2, frames.stop - (more - more // 2))


def _place(clip: np.ndarray, found: np.ndarray, window: Window, begun: int) -> None:
    """Write a window's motion; its first `begun` frames go over from that of the window before."""
    first = window.frames.start
    if begun:
        found = found.copy()
        found[:begun] = blend(clip[first : first + begun], found[:begun])
    clip[window.frames] = found


def _of_shared_alone(residual: Residual, state: State) -> bool:
    """Whether a residual is one for the whole clip, of what all frames share."""
    if residual.error(state).shape[0] != 1:
        return False
    jacobian = residual.jacobian(state)
    return jacobian.direct is not None and jacobian.points is jacobian.turns is jacobian.frames is None


class _Fusion:
    """Product of what windows tell of the parameters that all frames share: Gaussians, each with the same prior."""

    def __init__(self, residuals: Mapping[str, Residual], state: State) -> None:
        frames = slice(0, BAND + 1)
        short = part_of_state(state, frames)
        parts = parts_of(residuals, frames, state.num_frames)
        prior = {name: residual for name, residual in parts.items() if _of_shared_alone(residual, short)}
        self._prior: Float[np.ndarray, "S S"] = assemble(prior, short).dense().corner
        self._information = self._prior.copy()
        self._pull = np.zeros(len(self._prior))

    def add(self, residuals: Mapping[str, Residual], state: State) -> None:
        """Add a window, at its solution."""
        try:
            rest = assemble(residuals, state).factorise(MIN_DAMPING).rest
        except LinAlgError:
            _log.warning("a sampled window does not tell what all frames share: its equations are singular")
            return
        self._information += rest[:-1, :-1] - self._prior
        # Where the solver stopped is not yet the minimum along what is known least: the rest of the way is a step.
        self._pull += rest[:-1, :-1] @ state.shared - rest[-1, :-1]

    def mean(self) -> Float[np.ndarray, "S"]:
        """Most probable parameters; the prior's where no window could tell."""
        # Parameters that nothing tells of, as the length of a tool that nobody holds, stay at 0.
        known = np.diag(self._information) > 0
        mean = np.zeros(len(known))
        mean[known] = np.linalg.solve(self._information[np.ix_(known, known)], self._pull[known])
        return mean
