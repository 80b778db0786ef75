"""Videos of the generated corpus as files: `NAME.mp4` with `NAME.vtt` beside it, and one table of the labels."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from perception.video import Sound, write_video
from pretrain.corpus.canvas import whole
from pretrain.corpus.generated import GeneratedVideos
from pretrain.corpus.options import CorpusError
from pretrain.corpus.script import Script
from pretrain.transcode import SOUND_RATES
from records.atomic import write_text
from records.progress import tell_progress

LABELS = "labels.csv"
"""Table of what happens in the videos of a folder, to evaluate with."""
_COLUMNS = ("video", "action", "thing", "start", "end", "said_from", "said_until")
_TOGETHER = 32
"""Frames that are painted at a time."""


def write_films(videos: GeneratedVideos, folder: Path | str, *, size: int, fps: float) -> list[Path]:
    """Write the videos of an epoch, square, with their narration, labels and, where options say so, sound.

    Args:
        videos: where they come from.
        folder: is made if it is not there; what it holds under the same names is replaced.
        size: height and width [px].
        fps: frame rate [1/s].

    Returns:
        The video files.

    Raises:
        CorpusError: a size, a rate or sound that no video has.
    """
    if size < 2 or not 0 < fps < math.inf:
        raise CorpusError(f"{size} px at {fps:g} frames per second: expected at least 2 px and a positive rate")
    if videos.options.sample_rate not in (0, *SOUND_RATES):
        rates = ", ".join(map(str, SOUND_RATES))
        raise CorpusError(f"sound of {videos.options.sample_rate} samples a second; choose from: 0, {rates}")
    folder = Path(folder)
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(_COLUMNS)
    paths = []
    for index in range(len(videos)):
        script, path = videos.script(index), folder / f"{index:06d}.mp4"
        write_text(path.with_suffix(".vtt"), vtt(script))
        paths.append(write_video(path, _painted(script, size, fps), fps, sound=_heard(videos, index)))
        rows.writerows((path.stem, *row) for row in _labels(script))
        tell_progress("painting videos", index + 1, len(videos))
    write_text(folder / LABELS, table.getvalue())
    return paths


def vtt(script: Script) -> str:
    """The narration as WebVTT."""
    cues = [f"{_clock(start)} --> {_clock(end)}\n{script.sentence(k)}\n" for k, (start, end) in enumerate(script.said)]
    return "\n".join(["WEBVTT\n", *cues])


def _painted(script: Script, size: int, fps: float) -> Iterator[np.ndarray]:
    moments = np.arange(round(script.duration * fps)) / fps
    for part in np.split(moments, np.arange(_TOGETHER, len(moments), _TOGETHER)):
        yield from script.frames(part, whole((size, size)))


def _heard(videos: GeneratedVideos, index: int) -> Sound | None:
    """All sound of a video; None where the options make none."""
    rate = videos.options.sample_rate
    wave = videos.sound(index, 0.0, videos.script(index).duration, rate)
    return None if wave is None else Sound(wave, rate)


def _labels(script: Script) -> Iterator[tuple[str, ...]]:
    """Action, thing, its start and end, and those of its sentence [s]."""
    for step, (action, thing) in enumerate(zip(script.actions, script.things, strict=True)):
        middle, half = script.middle[step], script.lasting[step] / 2
        said = script.said[script.about == step][0]
        yield action, thing, *(f"{moment:.3f}" for moment in (middle - half, middle + half, *said))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(float(seconds) * 1000), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
