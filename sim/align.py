"""Alignment: where must the nail stand so that the demonstrated stroke drives it?

A kinematic surrogate proposes placements (CMA-ES), physics decides. Zorina et al. (RA-L 2021) search at random with
physics in the loop; `random_search` does that, to compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cma
import numpy as np

from motion.tool import Tool, tool_of
from records import Demonstration, Motion
from sim.env import ToolEnv
from sim.placement import Placement, Swing, place, shortfall, swing_of

REPLAYS = 20
"""Perturbed replays that a placement's score is counted over."""
NOISE = 0.02
"""Standard deviation of the nail's displacement in a perturbed replay [m]."""
ROBUST = 0.8
"""Share of perturbed replays that a robust placement solves."""
_POPULATION = 12
_ITERATIONS = 60
_CENTRE = (0.0, 0.0, 0.0, 0.85, 0.0, 0.0)
_SPREAD = (1.5, 0.02, 0.02, 0.08, 0.25, 0.25)
"""Start and standard deviations of the search: strike [frames], along, across [m], scale, tilt, roll [rad]."""


class AlignError(ValueError):
    """The stroke cannot solve the task, wherever its objects stand."""


class Alignment(NamedTuple):
    """A placed stroke and what it took to find it."""

    demonstration: Demonstration
    placement: Placement
    tried: int
    """Placements simulated up to the robust one."""
    simulations: int
    """Simulated episodes in all, perturbed replays included."""


def align(stroke: Motion, task: str = "hammer", *, seed: int = 0, budget: int = 40) -> Alignment:
    """Place the scene so that the stroke solves the task robustly.

    Args:
        stroke: motion of the tool, in metres, z up; where it stands in the world does not matter.
        task: name of the task.
        seed: of the search and of the perturbations.
        budget: placements that are simulated at most.

    Raises:
        AlignError: no placement within the budget is robust; the message says how far the best one came.
    """
    tool = _tool(stroke, task)
    return _decide(stroke, tool, proposals(stroke, tool, seed=seed), seed=seed, budget=budget)


def random_search(stroke: Motion, task: str = "hammer", *, seed: int = 0, budget: int = 1000) -> Alignment:
    """The same by the search of Zorina et al.: placements at random around peaks of the head's speed.

    Raises:
        AlignError: nothing robust within the budget.
    """
    tool = _tool(stroke, task)
    return _decide(stroke, tool, _random_placements(stroke, tool, seed), seed=seed, budget=budget)


def proposals(stroke: Motion, tool: Tool, *, seed: int) -> Iterator[Placement]:
    """Placements that ought to work by kinematics, the best first; then further ones around them, for ever."""
    rng = np.random.default_rng(seed)
    swing = swing_of(stroke, tool)
    while True:
        found = [_search(swing, tool, strike, int(rng.integers(1, 2**31))) for strike in strikes(stroke, tool)]
        for _, placement in sorted(found, key=lambda pair: pair[0]):
            yield placement


def strikes(stroke: Motion, tool: Tool) -> list[int]:
    """Frames in which the head moves down fastest: the local maxima of its downward speed, fastest first.

    Raises:
        AlignError: the head never descends.
    """
    z = _head_heights(stroke, tool)
    down = -np.gradient(z) * stroke.fps
    inner = np.arange(2, len(down) - 2)
    peaks = [int(t) for t in inner if down[t] == down[max(t - 3, 0) : t + 4].max() and down[t] > 0.3]
    if not peaks:
        raise AlignError(
            f"the tool never strikes: its head descends at {max(float(down.max()), 0.0):.2f} m/s at most,"
            " 0.3 m/s are needed"
        )
    return sorted(peaks, key=lambda t: -down[t])[:3]


def score(demonstration: Demonstration, *, seed: int, replays: int = REPLAYS, noise: float = NOISE) -> float:
    """Share of replays that solve the task with its objects displaced at random."""
    rng = np.random.default_rng([seed, 1])
    offsets = rng.normal(0, noise, (replays, 2))
    return float(np.mean(_outcomes(demonstration, offsets)))


def _decide(stroke: Motion, tool: Tool, placements: Iterator[Placement], *, seed: int, budget: int) -> Alignment:
    """Simulate placements in turn until one is robust."""
    simulations, best, best_score = 0, None, -1.0
    for tried, placement in zip(range(1, budget + 1), placements, strict=False):
        demonstration = place(stroke, tool, placement)
        simulations += 1
        if not _outcomes(demonstration, np.zeros((1, 2)))[0]:
            continue
        share = score(demonstration, seed=seed)
        simulations += REPLAYS
        if share > best_score:
            best, best_score = placement, share
        if share >= ROBUST:
            error = float(np.sqrt(share * (1 - share) / REPLAYS))
            scored = demonstration.replace(score=share, spread=error, replays=REPLAYS)
            return Alignment(scored, placement, tried, simulations)
    if best is None:
        raise AlignError(
            f"the stroke does not solve {stroke.model!r} in any of {budget} placements that were simulated"
        )
    raise AlignError(
        f"no robust placement in {budget}: the best one solves {best_score:.0%} of perturbed replays,"
        f" {ROBUST:.0%} are needed"
    )


def _outcomes(demonstration: Demonstration, offsets: np.ndarray) -> list[bool]:
    """Success of one replay per offset (N, 2) [m], by the tool alone."""
    env = ToolEnv(demonstration.replace(robot=None), object_noise=0.0)
    try:
        return [_replay(env, offset) for offset in offsets]
    finally:
        env.close()


def _replay(env: ToolEnv, offset: np.ndarray) -> bool:
    env.reset(options={"object_offset": offset})
    done, info = False, {"success": False}
    while not done:
        _, _, terminated, truncated, info = env.step(np.zeros(3))
        done = terminated or truncated
    return bool(info["success"])


def _search(swing: Swing, tool: Tool, strike: int, seed: int) -> tuple[float, Placement]:
    """Best placement around a strike by CMA-ES on the kinematic surrogate, with its shortfall."""

    def decode(x: np.ndarray) -> Placement:
        values = np.array(_CENTRE) + np.array(_SPREAD) * x
        return Placement(strike + values[0], values[1], values[2], float(np.clip(values[3], 0.5, 1.0)), *values[4:])

    def objective(x: np.ndarray) -> float:
        return shortfall(swing, tool, decode(x)) + 1e-2 * float(x @ x)

    options = {"seed": seed, "popsize": _POPULATION, "maxiter": _ITERATIONS, "verbose": -9}
    result = cma.fmin2(objective, np.zeros(len(_CENTRE)), 1.0, options)
    return float(objective(result[0])), decode(np.asarray(result[0]))


def _random_placements(stroke: Motion, tool: Tool, seed: int) -> Iterator[Placement]:
    """Scale from {.5, .75, 1}, nail N(0, .1 m) from the head at a peak, in xy and height; roll at random."""
    rng = np.random.default_rng(seed)
    z = _head_heights(stroke, tool)
    peaks = strikes(stroke, tool)
    speed = np.abs(np.gradient(z)) * stroke.fps
    while True:
        peak = peaks[rng.integers(len(peaks))]
        along, across, height = rng.normal(0, 0.1, 3)
        strike = float(np.clip(peak + height / max(speed[peak], 0.1) * stroke.fps, 2, len(z) - 3))
        scale = float(rng.choice([0.5, 0.75, 1.0]))
        yield Placement(strike, along, across, scale, 0.0, float(rng.normal(0, 0.5)))


def _head_heights(stroke: Motion, tool: Tool) -> np.ndarray:
    return swing_of(stroke, tool).head[:, 2]


def _tool(stroke: Motion, task: str) -> Tool:
    if task != "hammer":
        raise AlignError(f"alignment knows the task 'hammer', not {task!r}")
    if "length" not in stroke.parameters or stroke.num_frames < 6:
        raise AlignError(
            f"a stroke of at least 6 frames of a tool is needed, not {stroke.num_frames} of {stroke.model!r}"
        )
    return tool_of(stroke)
