"""Episodes as a LeRobotDataset (huggingface.co/docs/lerobot, "LeRobotDataset v3.0")."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from motion.exporters.lerobot_dataset import LeRobotEpisode, LeRobotVideo
from motion.exporters.lerobot_dataset import write_dataset as write_files
from perception.video import write_video
from policies.datasets.dataset import CAMERA, Pictures, steps_of
from records import Episodes
from records.atomic import write_json


def write_lerobot(
    episodes: Episodes, folder: Path, arguments: Mapping[str, Any], pictures: Pictures | None
) -> list[Path]:
    """Write the dataset, and beside LeRobot's own files `meta/environment.json`, what the environment is made from.

    A frame holds what the agent saw before a step, what it did, and what followed: `next.reward`, its terms,
    `next.done` and `next.success`. The observation after the last step is left out, as the format wants.
    """
    columns = []
    for episode in steps_of(episodes):
        values: dict[str, np.ndarray] = {
            "observation.state": episode.obs[:-1],
            "action": episode.action,
            "next.reward": episode.reward[:, None],
            "next.reward_terms": episode.terms,
            "next.done": episode.done[:, None],
            "next.success": (episode.done & episode.success)[:, None],
        }
        columns.append(LeRobotEpisode(episodes.task, values))
    names = {
        "observation.state": list(episodes.obs_names),
        "action": list(episodes.action_names),
        "next.reward_terms": list(episodes.term_names),
    }
    videos = {} if pictures is None else {f"observation.images.{CAMERA}": _film(episodes, pictures)}
    files = write_files(
        columns,
        folder,
        fps=episodes.fps,
        names=names,
        robot_type=arguments["robot"] or arguments["tool"],
        videos=videos,
    )
    write_json(folder / "meta/environment.json", dict(arguments))
    return [*files, folder / "meta/environment.json"]


def _film(episodes: Episodes, pictures: Pictures) -> LeRobotVideo:
    def write(path: Path) -> None:
        numbers = range(len(episodes.length))
        images = itertools.chain.from_iterable(pictures.of(episodes, number) for number in numbers)
        write_video(path, images, episodes.fps)

    return LeRobotVideo(pictures.size_hw, write)
