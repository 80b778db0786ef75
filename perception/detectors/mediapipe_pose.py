"""People by MediaPipe Pose behind the `Detector` protocol: scouted, one chosen, and followed in several passes.

The passes see the frames in both orders of time and mirrored; their errors are partly independent, so their fusion is
closer to the truth than any one. The detector's own smoothing lags by a frame; where it cannot be switched off, the
passes in opposite order cancel the lag.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from perception.click import Click
from perception.detectors.blazepose import NAMES, mirrored
from perception.detectors.detector import DetectionError
from perception.detectors.focus import SIDE_PX, Focus, Window, apart_from
from perception.detectors.pose_models import PackagedPose, PoseModel, TaskPose, packaged_task
from perception.detectors.scout import Scouted, scout
from perception.person import NoPersonError, choose, gate_detections
from perception.video import Image, read_frames
from records import Clip, Keypoints

_PART_BYTES = 256 * 2**20
"""Frames held in memory at a time, so that they can be seen in reverse."""


class Pass(NamedTuple):
    """One way of looking at the frames."""

    reverse: bool
    mirror: bool


ALL_PASSES = tuple(Pass(*ways) for ways in itertools.product((False, True), repeat=2))
"""Forward and reversed, plain and mirrored."""


class _Sighting(NamedTuple):
    uv: np.ndarray
    """(T, K, 2) px."""
    xyz: np.ndarray
    """(T, K, 3) m, camera axes, centred between the hips."""
    confidence: np.ndarray
    """(T, K); 0 where nobody was detected."""


class MediaPipePose:
    """Fused passes of MediaPipe Pose over the person who is meant."""

    def __init__(self, passes: Iterable[Pass] = ALL_PASSES, model: TaskPose | None = None) -> None:
        """Use a pose landmarker bundle, or the model in MediaPipe's package."""
        self.passes = tuple(passes)
        self.model = model
        if not self.passes:
            raise DetectionError("a detector needs at least one pass")

    def detect(self, clip: Clip, *, pick: Click | None = None) -> list[Keypoints]:
        """Return the person's keypoints with 3D landmarks, or nothing where no frame shows a person.

        Only the person who is meant is followed: the one at the click, else the most prominent; in the whole image as
        long as that finds them, else in a window that goes with them.

        Raises:
            DetectionError: MediaPipe or its model is missing.
            NoPersonError: there are people, but none at the click.
        """
        scouted = scout(clip, self.model or packaged_task(), also=pick.frame if pick else 0)
        people = [gate_detections(person) for person in scouted.people]
        try:
            chosen = choose(people, pick=pick, frames=scouted.frames)
        except NoPersonError:
            if pick is not None and people:
                raise
            return []
        others = [person for person in people if person is not people[chosen]]
        return [self._follow(clip, people[chosen], others, scouted)]

    def _follow(self, clip: Clip, person: Keypoints, others: list[Keypoints], scouted: Scouted) -> Keypoints:
        model: PoseModel = self.model or PackagedPose()
        others = apart_from(person, others)
        parts, first = [], 0
        for frames in _parts(read_frames(clip)):
            ways: list[_Sighting] = []
            whole = True
            for one in self.passes:
                focus = Focus(person, others, scouted)
                way = _run(frames, first, one, focus, model, whole=whole)
                if whole and not focus.agrees(first, way.uv, way.confidence.max(axis=1) > 0):
                    whole = False
                    way = _run(frames, first, one, Focus(person, others, scouted), model, whole=False)
                ways.append(way)
            parts.append(fuse(ways, clip.size_hw))
            first += len(frames)
        uv, xyz, confidence = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Keypoints(names=NAMES, uv=uv, confidence=confidence, xyz=xyz, fps=clip.fps, size_hw=clip.size_hw)


def single_pass() -> MediaPipePose:
    """One forward pass."""
    return MediaPipePose((Pass(reverse=False, mirror=False),))


def from_task(path: Path | str | None = None) -> MediaPipePose:
    """All passes with a `.task` model.

    Raises:
        DetectionError: no path, or not a model.
    """
    if path is None:
        raise DetectionError("mediapipe_task needs a model: --detector PATH.task (a pose_landmarker of MediaPipe)")
    return MediaPipePose(model=TaskPose.from_file(path))


def fuse(sightings: list[_Sighting], size_hw: tuple[int, int]) -> _Sighting:
    """Weighted mean of several sightings of the same frames, weights falling with the distance from their median.

    The weight is confidence / (1 + (d / s)^2) with d the distance from the passes' median [px] and s 2 % of the image
    diagonal, so that one pass that mistook left for right does not pull the others. The confidence is the mean weight
    over all passes: what some passes miss, or see elsewhere (a body that is not there), is less certain.
    """
    uv, xyz, confidence = (np.stack(part) for part in zip(*sightings, strict=True))
    seen = confidence > 0
    scale = 0.02 * float(np.hypot(*size_hw))
    masked = np.where(seen[..., None], uv, np.nan)
    anywhere = seen.any(axis=0)
    median = np.zeros(uv.shape[1:])
    median[anywhere] = np.nanmedian(masked[:, anywhere], axis=0)
    agreement = 1 / (1 + (np.linalg.norm(uv - median, axis=-1) / scale) ** 2)
    weight = confidence * agreement
    total = weight.sum(axis=0)
    share = weight / np.where(total > 0, total, 1)
    return _Sighting(
        uv=np.einsum("ptk,ptkd->tkd", share, uv),
        xyz=np.einsum("ptk,ptkd->tkd", share, xyz),
        confidence=total / len(sightings),
    )


def _run(frames: list[Image], first: int, one: Pass, focus: Focus, model: PoseModel, *, whole: bool) -> _Sighting:
    """Follow the person in one way, in the whole image or in a window; the result is in the frames' own orientation."""
    order = range(len(frames))[:: -1 if one.reverse else 1]
    window: Window | None = None

    def images() -> Iterator[Image]:
        nonlocal window
        for number in order:
            window = None if whole else focus.look(first + number)
            image = window.cut(frames[number]) if window is not None else frames[number]
            yield np.ascontiguousarray(image[:, ::-1]) if one.mirror else image

    uv, xyz = np.zeros((len(frames), len(NAMES), 2)), np.zeros((len(frames), len(NAMES), 3))
    confidence = np.zeros((len(frames), len(NAMES)))
    for number, found in zip(order, model.follow(images()), strict=True):
        if found is None:
            continue
        body = mirrored(found, frames[number].shape[1] if window is None else SIDE_PX) if one.mirror else found
        if window is not None:
            body = body._replace(uv=window.to_image(body.uv))
        if focus.accept(first + number, body):
            uv[number], xyz[number], confidence[number] = body
    return _Sighting(uv, xyz, confidence)


def _parts(frames: Iterator[Image]) -> Iterator[list[Image]]:
    """Cut a stream of frames into lists that fit in memory."""
    for first in frames:
        length = max(2, _PART_BYTES // first.nbytes)
        yield [first, *itertools.islice(frames, length - 1)]
