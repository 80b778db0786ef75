"""How long a clip takes, over how long it lasts: benchmarks/realtime.py DIR [--clips NAME ...].

`DIR` holds `CLIP.mp4` and `CLIP.npz` (fps), as for benchmarks/parkour.py. Every clip goes the way of `apprentice
estimate`, in one process whose detector uses all processors; programs and models are loaded before the watch runs. Per
stage: seconds of the wall clock, and of all processors together, for each second of the clip. The first tells how long
one waits on a machine that does nothing else; the second hardly depends on what else runs, and no division of the work
makes the wait shorter than it over the number of processors. Beside it the bound that costs nothing: decoding the
video, without which nobody sees anything. Nobody has published the speed of such an estimate. Last line: the whole.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motion.body import body_of
from motion.estimate import estimate
from motion.exporters import export
from motion.forces import solve_forces
from perception.detectors.detector import load_detector
from perception.detectors.pose_models import packaged_task
from perception.detectors.scout import scout
from perception.person import choose_person
from perception.track import TrackOptions, observe_keypoints
from perception.vertical import still_segments
from perception.video import open_clip, pixel_aspect, read_frames
from records import Clip
from records.processors import usable_processors

WARM_UP = 12
"""Frames that are estimated before the watch runs."""
WHOLE = ("detection", "background", "camera and contacts", "motion and forces", "export")
"""Stages that together are the whole; the others are parts of them, or bounds."""


class Spent(NamedTuple):
    """Time over the duration of the clip [1]."""

    wall: float
    processors: float
    """Of all processors together."""


def spend(clip: Clip) -> dict[str, Spent]:
    """Time of every stage of a clip."""
    watch = Watch(clip.num_frames / clip.fps)
    with watch.stage("decoding alone"):
        for _ in read_frames(clip):
            pass
    with watch.stage("scouting alone"):
        scout(clip, packaged_task())
    with watch.stage("detection"):
        person = choose_person(load_detector("mediapipe").detect(clip))
    with watch.stage("background"):
        segments = still_segments(clip)
    with watch.stage("camera and contacts"):
        seen = observe_keypoints(person, TrackOptions(pixel_aspect=pixel_aspect(clip)), segments=segments)
    with watch.stage("motion and forces"):
        found = estimate(seen.person, seen.camera, seen.contacts)
    with watch.stage("forces alone"):
        solve_forces(body_of(found.person), found.person, found.contacts, camera=found.camera)
    with watch.stage("export"), tempfile.TemporaryDirectory() as folder:
        export(found, "csv", folder)
    return watch.spent


class Watch:
    """Times stages in seconds of a clip that lasts `duration` [s]."""

    def __init__(self, duration: float, clocks: tuple[Callable[[], float], ...] | None = None) -> None:
        """Take the time of the wall and of the process, or of other clocks."""
        self.spent: dict[str, Spent] = {}
        self._duration = duration
        self._clocks = clocks or (time.perf_counter, time.process_time)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is inside."""
        start = [clock() for clock in self._clocks]
        yield
        self.spent[name] = Spent(
            *((clock() - s) / self._duration for clock, s in zip(self._clocks, start, strict=True))
        )


def report(clips: dict[str, dict[str, Spent]], processors: int) -> str:
    """Table of the stages, means over clips, and the figure line."""
    stages = list(next(iter(clips.values())))
    means = {name: Spent(*np.mean([spent[name] for spent in clips.values()], axis=0)) for name in stages}
    whole = Spent(*np.sum([means[name] for name in WHOLE], axis=0))
    lines = [f"{'seconds per second of the clip':32}{'wall':>8}{'processors':>12}"]
    for name in stages:
        label = name if name in WHOLE else f"  {name}"
        lines.append(f"{label:32}{means[name].wall:8.2f}{means[name].processors:12.2f}")
    lines.append(f"{'the whole':32}{whole.wall:8.2f}{whole.processors:12.2f}")
    decoding = means["decoding alone"]
    lines.append(
        f"realtime: {whole.wall:.2f} times the duration of the clip on {processors} processors ({whole.processors:.2f}"
        f" of their time, so {whole.processors / processors:.2f} at best); decoding alone {decoding.wall:.2f}"
    )
    return "\n".join(lines)


def main() -> None:
    """Time every clip of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder with CLIP.mp4 and CLIP.npz")
    parser.add_argument("--clips", nargs="+", help="names of clips; by default all")
    arguments = parser.parse_args()
    videos = sorted(v for v in arguments.folder.glob("*.mp4") if v.with_suffix(".npz").exists())
    videos = [v for v in videos if not arguments.clips or v.stem in arguments.clips]
    if not videos:
        parser.error(f"{arguments.folder} holds no CLIP.mp4 with its CLIP.npz")
    processors = usable_processors()
    clips = {}
    for video in videos:
        with np.load(video.with_suffix(".npz")) as truth:
            clip = open_clip(video, fps=float(truth["fps"]))
        if not clips:
            spend(clip.replace(num_frames=min(WARM_UP, clip.num_frames)))
        clips[video.stem] = spend(clip)
        wall, all_processors = np.sum([clips[video.stem][name] for name in WHOLE], axis=0)
        print(f"{video.stem}: {wall:.2f} times its duration, {all_processors:.2f} of all processors", flush=True)
    print("\n" + report(clips, processors))


if __name__ == "__main__":
    main()
