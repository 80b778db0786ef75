"""Episodes as rewards see them: watched as an agent acts, taken from a record, or from a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from policies.agents import Agent
from policies.datasets.dataset import steps_of
from policies.rewards.film import Film
from policies.rewards.reward import Watched
from records import Episodes
from sim.env import ToolEnv
from sim.felt import FELT

Asked = Film | Literal["scene"] | None
"""Pictures from close by, those of the whole scene as the environment renders it, or none."""


def watch(env: ToolEnv, agent: Agent, seeds: Sequence[int], *, film: Asked = None) -> list[Watched]:
    """Let an agent act, one episode for each seed, and keep all that a reward may look at.

    Args:
        env: made with `feel` where forces shall be told, with `render_mode` where it shall be filmed.
        agent: acts.
        seeds: of the episodes.
        film: how to take pictures, which are kept in memory.
    """
    return [_watched(env, agent, seed, film=film) for seed in seeds]


def _watched(env: ToolEnv, agent: Agent, seed: int, *, film: Asked) -> Watched:
    first, info = env.reset(seed=seed, options={"follow": agent.follows})
    agent.start(env, np.random.default_rng([seed, 1]))
    obs, action, reward, forces = [first], [], [], []

    def picture(obs: np.ndarray) -> list[np.ndarray]:
        if film is None:
            return []
        return [film.picture(env, obs) if isinstance(film, Film) else env.render()]

    frames = picture(first)
    done = False
    while not done:
        action.append(np.asarray(agent.act(obs[-1]), float))
        seen, gained, ended, cut, info = env.step(action[-1])
        obs.append(seen)
        reward.append(float(gained))
        if env.feels:
            forces.append(env.felt())
        frames += picture(seen)
        done = ended or cut
    return Watched(
        obs=np.stack(obs),
        obs_names=tuple(env.obs_names),
        action=np.stack(action),
        frames=_again(frames) if film is not None else None,
        fps=env.fps,
        forces=np.stack(forces) if forces else None,
        force_names=FELT if forces else (),
        success=bool(info["success"]),
        reward=np.array(reward),
    )


def watched_episodes(
    episodes: Episodes, *, film: Callable[[Episodes, int], Iterator[np.ndarray]] | None = None
) -> list[Watched]:
    """Recorded episodes.

    Args:
        episodes: as recorded.
        film: makes the pictures of an episode by its number, one more than it has steps, such as
            `policies.datasets.replayed.Replayed.of` with `last`.
    """

    def frames(number: int) -> Callable[[], Iterator[np.ndarray]] | None:
        return None if film is None else lambda: film(episodes, number)

    return [
        Watched(
            obs=np.asarray(episode.obs, float),
            obs_names=episodes.obs_names,
            action=np.asarray(episode.action, float),
            frames=frames(number),
            fps=episodes.fps,
            success=episode.success,
            reward=np.asarray(episode.reward, float),
        )
        for number, episode in enumerate(steps_of(episodes))
    ]


def watched_video(path: Path | str, *, fps: float | None = None) -> Watched:
    """A video: frames alone, read anew each time that they are looked at.

    Args:
        path: of the video.
        fps: its true rate, where the file states another one.

    Raises:
        ClipError: not a video.
        RewardError: it has a single frame.
    """
    from perception.video import open_clip, read_frames

    clip = open_clip(path, fps=fps)
    steps = clip.num_frames - 1
    return Watched(
        obs=np.zeros((steps + 1, 0)), action=np.zeros((steps, 0)), frames=lambda: read_frames(clip), fps=clip.fps
    )


def _again(frames: Sequence[np.ndarray]) -> Callable[[], Iterator[np.ndarray]]:
    return lambda: iter(frames)
