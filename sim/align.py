"""Alignment: where must the task's objects stand so that the demonstrated stroke solves it?

A kinematic surrogate proposes placements (CMA-ES), physics decides. Zorina et al. (RA-L 2021) search at random with
physics in the loop; `random_search` does that, to compare.

A placement is *robust* when at least `ROBUST` of `REPLAYS` replays solve the task with its objects displaced by a
normal distribution of `NOISE` metres. The search ends at the first robust one. Where the budget passes without one, the
best is returned with a warning if it solves at least `MAJORITY` of its replays: what is learned afterwards starts from
a stroke that works more often than not, and the score says how often.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import cma
import numpy as np

from motion.tool import tool_of
from records import Demonstration, Motion
from sim.placement import AlignError, Placer
from sim.replay import outcomes
from sim.swing import SHORTEST
from sim.tasks.task import TASKS

__all__ = [
    "BUDGET",
    "MAJORITY",
    "NOISE",
    "REPLAYS",
    "ROBUST",
    "AlignError",
    "Alignment",
    "align",
    "random_search",
    "score",
]

REPLAYS = 20
"""Perturbed replays that a placement's score is counted over."""
NOISE = 0.02
"""Standard deviation of the objects' displacement in a perturbed replay [m]."""
ROBUST = 0.8
"""Share of perturbed replays that a robust placement solves."""
MAJORITY = 0.5
"""Share that the best placement must solve where none is robust."""
BUDGET = 300
"""Placements that are simulated at most: strokes of people that are poorly seen take a hundred."""
PROMISING = 0.5
"""Shortfall of a placement that is offered before other starts are searched."""
_POPULATION = 12
_ITERATIONS = 40
_SHRINK = 3e-2
"""Weight of a placement's squared distance from the start, in standard deviations: the stroke is changed little."""
_WANDER = 0.5
"""Spread of further proposals around a searched optimum, in standard deviations of the search."""

_log = logging.getLogger(__name__)


class Alignment(NamedTuple):
    """A placed stroke and what it took to find it."""

    demonstration: Demonstration
    placement: Any
    """The task's own NamedTuple of numbers."""
    tried: int
    """Placements simulated, the accepted one included: one simulation each."""
    simulations: int
    """Simulated episodes in all: placements, and the perturbed replays of each that solved the task."""
    remarks: tuple[str, ...] = ()
    """What the placed stroke does that was not observed, and what the recording does not show."""


def align(stroke: Motion, task: str = "hammer", *, seed: int = 0, budget: int = BUDGET) -> Alignment:
    """Place the scene so that the stroke solves the task robustly.

    Args:
        stroke: motion of the tool, in metres, z up; where it stands in the world does not matter.
        task: name of the task.
        seed: of the search and of the perturbations.
        budget: placements that are simulated at most.

    Raises:
        AlignError: no placement within the budget solves the task more often than not; the message says how far the
            best one came.
        UnknownName: no such task.
    """
    placer = _placer(stroke, task)
    found = _decide(proposals(placer, seed=seed), placer, seed=seed, budget=budget)
    for remark in found.remarks:
        _log.warning(remark)
    return found


def random_search(stroke: Motion, task: str = "hammer", *, seed: int = 0, budget: int = 1000) -> Alignment:
    """The same by the search of Zorina et al.: placements at random around the moments where the stroke may work.

    Raises:
        AlignError: nothing within the budget.
        UnknownName: no such task.
    """
    placer = _placer(stroke, task)
    rng = np.random.default_rng(seed)
    return _decide((placer.guess(rng) for _ in range(budget)), placer, seed=seed, budget=budget)


def proposals(placer: Placer[Any], *, seed: int) -> Iterator[Any]:
    """Placements that ought to work by kinematics, good ones first; then further ones around them, for ever.

    A start is searched only when it is asked for: the first one that looks good often is.

    Raises:
        AlignError: the stroke has no moment at which it could work.
    """
    rng = np.random.default_rng(seed)
    found, offered = [], []
    for start in sorted(placer.starts(), key=placer.shortfall):
        shortfall, placement = _search(placer, start, int(rng.integers(1, 2**31)))
        if shortfall <= PROMISING:
            offered.append(placement)
            yield placement
        else:
            found.append((shortfall, placement))
    rest = [placement for _, placement in sorted(found, key=lambda pair: pair[0])]
    yield from rest
    best = offered + rest
    while True:
        for centre in best:
            yield _moved(placer, centre, _WANDER * rng.standard_normal(len(placer.ranges)))


def score(demonstration: Demonstration, *, seed: int, replays: int = REPLAYS, noise: float = NOISE) -> float:
    """Share of replays by the tool alone that solve the task with its objects displaced at random (`noise` [m])."""
    rng = np.random.default_rng([seed, 1])
    offsets = rng.normal(0, noise, (replays, 2))
    return float(np.mean(outcomes(demonstration, offsets)))


def _decide(placements: Iterator[Any], placer: Placer[Any], *, seed: int, budget: int) -> Alignment:
    """Simulate placements in turn until one is robust."""
    simulations, tried, best, best_score = 0, 0, None, 0.0
    for placement in itertools.islice(placements, budget):
        demonstration = placer.place(placement)
        tried, simulations = tried + 1, simulations + 1
        if not outcomes(demonstration, np.zeros((1, 2)))[0]:
            continue
        share = score(demonstration, seed=seed)
        simulations += REPLAYS
        if best is None or share > best_score:
            best, best_score = placement, share
        if share >= ROBUST:
            break
    if best is None:
        raise AlignError(f"the stroke does not solve the task in any of {tried} placements that were simulated")
    if best_score < MAJORITY:
        raise AlignError(
            f"no robust placement in {tried}: the best one solves {best_score:.0%} of replays with the objects moved by"
            f" {100 * NOISE:.0f} cm, {MAJORITY:.0%} are needed"
        )
    if best_score < ROBUST:
        _log.warning(
            "no placement of %d solves %.0f %% of perturbed replays; the best one, taken, solves %.0f %%",
            tried,
            100 * ROBUST,
            100 * best_score,
        )
    error = float(np.sqrt(best_score * (1 - best_score) / REPLAYS))
    scored = placer.place(best).replace(score=best_score, spread=error, replays=REPLAYS)
    return Alignment(scored, best, tried, simulations, placer.remarks(best))


def _search(placer: Placer[Any], start: Any, seed: int) -> tuple[float, Any]:
    """Best placement around a start by CMA-ES on the kinematic surrogate, with its shortfall."""

    def objective(x: np.ndarray) -> float:
        return placer.shortfall(_moved(placer, start, x)) + _SHRINK * float(x @ x)

    options = {"seed": seed, "popsize": _POPULATION, "maxiter": _ITERATIONS, "verbose": -9}
    x = np.asarray(cma.fmin2(objective, np.zeros(len(placer.ranges)), 1.0, options)[0])
    return float(objective(x)), _moved(placer, start, x)


def _moved(placer: Placer[Any], start: Any, x: np.ndarray) -> Any:
    """The placement `x` standard deviations from a start, within its ranges."""
    values = [
        float(np.clip(value + span.spread * step, span.low, span.high))
        for value, span, step in zip(start, placer.ranges, x, strict=True)
    ]
    return type(start)(*values)


def _placer(stroke: Motion, task: str) -> Placer[Any]:
    kind = TASKS.load(task)
    if stroke.q.shape[1] != 7 or stroke.num_frames < SHORTEST:
        raise AlignError(
            f"a stroke is at least {SHORTEST} frames of a tool's pose;"
            f" {stroke.model!r} has {stroke.num_frames} frames of {stroke.q.shape[1]} numbers"
        )
    if stroke.model != kind.tool:
        _log.warning("the task %s is done with a %s; this is a stroke of %r", task, kind.tool, stroke.model)
    placer: Placer[Any] = kind.placer(stroke, tool_of(stroke))
    return placer
