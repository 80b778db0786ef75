"""Localisation of the steps of tasks in videos, by nothing but their descriptions: CrossTask without training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from perception.video import ClipError
from pretrain.narration import Skipped
from pretrain.probes.crosstask import Task, read_steps, read_tasks, read_videos
from pretrain.probes.encoding import enough
from pretrain.probes.ordered_steps import Located, locate_steps, recall, seconds_of, steps_found
from pretrain.probes.probe import Encoder, Outcome, ProbeError, named
from pretrain.probes.retrieval import text_embeddings
from pretrain.probes.video_files import VideoFiles
from pretrain.probes.viewing import Viewing, central, in_pieces, length_of, read_windows, stated
from pretrain.sampling import Sampling
from records.progress import tell_progress

_DRAWS = 20
"""Random orders whose mean recall is that of chance."""


@dataclass(frozen=True, kw_only=True)
class Localisation:
    """Recall of the annotated steps, mean over tasks: each step gets one second, and steps keep their order.

    A window around the middle of each second is compared with the description of each step by dot products.
    """

    tasks: Path
    """tasks_primary.txt of CrossTask."""
    videos: Path
    """videos_val.csv: task, video, address."""
    annotations: Path
    """Folder of TASK_VIDEO.csv: step, start, end."""
    viewing: Viewing = field(default_factory=lambda: Viewing(windows=1))

    def __call__(self, encoder: Encoder, folder: Path, *, seed: int = 0) -> Outcome:
        """Locate the steps in each video that can be read; the seed is that of chance.

        Raises:
            ProbeError: unreadable lists, or no video of a task can be used.
        """
        tasks, listed = read_tasks(self.tasks), read_videos(self.videos)
        listed = [(task, video) for task, video in listed if task in tasks]
        files, sampling = VideoFiles(folder), self.viewing.of(encoder.sampling)
        said = text_embeddings(encoder, [step for task in tasks.values() for step in task.steps])
        ends = np.cumsum([len(task.steps) for task in tasks.values()])
        text = dict(zip(tasks, np.split(said, ends[:-1]), strict=True))
        chance = np.random.default_rng(seed)
        located: dict[str, list[Located]] = {"encoder": [], "chance": [], "even spacing": []}
        skipped: list[Skipped] = []
        for k, (number, video) in enumerate(listed, 1):
            try:
                seconds, present = _annotated(files, video, self.annotations / f"{number}_{video}.csv", tasks[number])
                score = step_scores(encoder, _path(files, video), seconds, sampling, text[number])
            except (ClipError, ProbeError, OSError) as error:
                skipped.append(Skipped(video, str(error)))
                continue
            located["encoder"].append(Located(number, *steps_found(locate_steps(score), present)))
            located["even spacing"].append(Located(number, *steps_found(_evenly(*score.shape), present)))
            for _ in range(_DRAWS):
                moment = np.sort(chance.choice(score.shape[0], score.shape[1], replace=False))
                located["chance"].append(Located(number, *steps_found(moment, present)))
            tell_progress("locating steps", k, len(listed))
        enough(len(located["encoder"]), len(listed), skipped, "videos")
        found = {what: recall(videos) for what, videos in located.items()}
        if not found["encoder"]:
            raise ProbeError(f"{self.annotations}: no step of any task is annotated in the videos that can be used")
        mean = {what: {"recall": float(np.mean(list(tasks.values())))} for what, tasks in found.items()}
        return Outcome(
            probe="localisation",
            encoder=named(encoder),
            figures=mean.pop("encoder"),
            costless=mean,
            counts={
                "tasks": len(found["encoder"]),
                "videos": len(located["encoder"]),
                "videos listed": len(listed),
                "annotated steps": sum(video.present for video in located["encoder"]),
            },
            preprocessing=stated(self.viewing, encoder.sampling)
            | {"windows": "one around the middle of each second", "score": "dot product with the step's description"},
            skipped=tuple(skipped),
            detail={"recall by task": {f"{n} {tasks[n].title}": value for n, value in found["encoder"].items()}},
        )


def step_scores(
    encoder: Encoder, path: Path, seconds: int, sampling: Sampling, text: Float[np.ndarray, "K D"]
) -> Float[np.ndarray, "T K"]:
    """Dot products of the window around the middle of each second with each description.

    Raises:
        ClipError: the video cannot be read.
    """
    middle = np.arange(seconds) + 0.5
    moments = middle[:, None] + (np.arange(sampling.frames) - (sampling.frames - 1) / 2) / sampling.fps
    moments = np.clip(moments, 0.0, seconds)
    parts = []
    for piece in in_pieces(moments, _PIECE):
        frames = central(read_windows(path, piece, sampling), sampling.size)
        parts.append(np.asarray(encoder.encode_clips(frames).embedding, np.float64) @ text.T)
    return np.concatenate(parts)


_PIECE = 32
"""Seconds of a video whose frames are held at once."""


def _annotated(files: VideoFiles, video: str, annotation: Path, task: Task) -> tuple[int, Bool[np.ndarray, "T K"]]:
    seconds = int(length_of(_path(files, video)))
    if seconds < len(task.steps):
        raise ProbeError(f"{video}: {seconds} s are too short for {len(task.steps)} steps of one second each")
    step, interval = read_steps(annotation, task)
    return seconds, seconds_of(step, interval, seconds, len(task.steps))


def _path(files: VideoFiles, video: str) -> Path:
    path = files.find(video)
    if isinstance(path, str):
        raise ProbeError(path)
    return path


def _evenly(seconds: int, steps: int) -> np.ndarray:
    """The middle of each of as many equal parts as there are steps."""
    return ((np.arange(steps) + 0.5) * seconds / steps).astype(np.int64)
