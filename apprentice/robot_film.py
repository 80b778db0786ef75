"""The robot (or the tool alone) doing the task in simulation, filmed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from apprentice.drawing import Image
from apprentice.findings import Findings
from apprentice.stages import judged_under
from records import Demonstration, Episodes

if TYPE_CHECKING:
    from policies.trials import Trial

SIZE_HW = (360, 480)
"""Of the film [px]."""
EVERY = 2
"""One step of the simulation in so many is drawn: the software renderer takes a fifth of a second for each."""
LINGER = 0.6
"""How long the last picture stays [s]."""


class Film(NamedTuple):
    """One episode."""

    frames: list[Image]
    fps: float
    """[1/s], so that the film runs at the speed of the simulation."""
    agent: str
    """Who acts: `policy`, ..., or `replay` for the demonstration as it is."""
    success: bool
    offset: np.ndarray
    """How far the objects stood from where they were demonstrated (2,) [m]."""


def robot_film(
    demonstration: Demonstration,
    episodes: Episodes | None = None,
    *,
    under: Trial | None = None,
    size_hw: tuple[int, int] | None = None,
) -> Film:
    """Film the first episode of an agent once more, or a replay of the demonstration where there are no episodes.

    Args:
        demonstration: the placed stroke, with a robot's motion or without.
        episodes: of an agent in this demonstration's environment.
        under: what the episodes were judged under; by default everything is as it was demonstrated.
        size_hw: height and width [px]; `SIZE_HW` by default.
    """
    from policies.trials import Trial
    from sim.actions import RESIDUAL, model_of
    from sim.conditions import STILL

    under = under or Trial(STILL)
    acts = model_of(episodes.action_names) if episodes is not None else RESIDUAL
    env = under.environment(demonstration, action=acts, render_mode="rgb_array", size_hw=size_hw or SIZE_HW)
    try:
        _, info = env.reset(seed=int(episodes.seed[0]) if episodes is not None else 0)
        frames, done = [env.render()], False
        for step, action in enumerate(_actions(env.action_space.shape, episodes), 1):
            _, _, terminated, truncated, info = env.step(action)
            done = terminated or truncated
            if done or step % EVERY == 0:
                frames.append(env.render())
            if done:
                break
        frames += [frames[-1]] * round(LINGER * env.fps / EVERY)
        agent = episodes.agent if episodes is not None else "replay"
        return Film(frames, env.fps / EVERY, agent, bool(info["success"]), info["object_offset"])
    finally:
        env.close()


def film_of(findings: Findings, *, size_hw: tuple[int, int] | None = None) -> Film:
    """The film of a run that has a demonstration: of its policy where that has been evaluated."""
    if findings.demonstration is None:
        raise ValueError(f"{findings.path} has no demonstration to film")
    under = judged_under(findings.metrics)
    if findings.episodes is None or under is None or not len(findings.episodes.length):
        return robot_film(findings.demonstration, size_hw=size_hw)
    return robot_film(findings.demonstration, findings.episodes, under=under, size_hw=size_hw)


def filmstrip(film: Film, count: int = 5) -> list[Image]:
    """Pictures spread evenly over a film, the last one where it ends."""
    chosen = np.unique(np.linspace(0, len(film.frames) - 1, count).round().astype(int))
    return [film.frames[k] for k in chosen]


def _actions(shape: tuple[int, ...] | None, episodes: Episodes | None) -> Iterator[np.ndarray]:
    if episodes is not None:
        yield from episodes.action[: episodes.length[0]]
        return
    while True:
        yield np.zeros(shape or (0,))
