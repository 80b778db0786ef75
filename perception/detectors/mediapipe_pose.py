"""People by MediaPipe's pose networks behind the `Detector` protocol: scouted, one chosen, and seen in several views.

One network follows the person from frame to frame. Where it finds them, others look too: the same one at the mirror
image, and a larger one where it is installed. Errors of networks and of mirror images are partly independent, so their
fusion is closer to the truth than any one. Views of a frame wait for nothing but the place of the person, so they share
the processors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np

from perception.click import Click
from perception.detectors.blazepose import NAMES
from perception.detectors.crew import Crew, in_order
from perception.detectors.detector import DetectionError
from perception.detectors.pose_models import LEAST_SCORE, TaskPose, heavy_network, packaged_task
from perception.detectors.pose_network import PoseNetwork, Sight
from perception.detectors.region import Region
from perception.detectors.scout import scout
from perception.detectors.target import Target
from perception.person import NoPersonError, choose, gate_detections
from perception.video import Image, read_frames
from records import Clip, Keypoints

_log = logging.getLogger(__name__)

SETTLING = 2
"""Looks by which the square settles around a person who was lost."""

MOMENT = 0.24
"""Time within which a body is about where it is in the median [s]: mistakes of all views at once last for less."""


class Model(NamedTuple):
    """A landmark network."""

    content: bytes
    name: str
    """How errors call it."""


class View(NamedTuple):
    """One more way of looking at a person."""

    model: Model
    mirror: bool


class _Sighting(NamedTuple):
    uv: np.ndarray
    """(T, K, 2) px."""
    xyz: np.ndarray
    """(T, K, 3) m, camera axes, centred between the hips."""
    confidence: np.ndarray
    """(T, K); 0 where nobody was detected."""


class MediaPipePose:
    """Fused views of the person who is meant."""

    def __init__(self, task: TaskPose | None = None, views: Iterable[View] | None = None) -> None:
        """Use a pose landmarker bundle, or the one in MediaPipe's package; and the usual views beside its own."""
        self._task = task
        self._views = None if views is None else tuple(views)

    def detect(self, clip: Clip, *, pick: Click | None = None) -> list[Keypoints]:
        """Return the person's keypoints with 3D landmarks, or nothing where no frame shows a person.

        Only the person who is meant is followed: the one at the click, else the most prominent.

        Raises:
            DetectionError: MediaPipe, LiteRT or the model is missing.
            NoPersonError: there are people, but none at the click.
        """
        task = self._task or packaged_task()
        scouted = scout(clip, task, also=pick.frame if pick else 0)
        people = [gate_detections(person) for person in scouted.people]
        try:
            chosen = choose(people, pick=pick, frames=scouted.frames)
        except NoPersonError:
            if pick is not None and people:
                raise
            return []
        target = Target(people[chosen], [person for person in people if person is not people[chosen]], scouted)
        model = Model(task.landmarks, task.name)
        return [follow(clip, target, model, self._beside(model))]

    def _beside(self, model: Model) -> tuple[View, ...]:
        if self._views is not None:
            return self._views
        heavy = heavy_network() if self._task is None else None
        if heavy is None and self._task is None:
            _log.warning("the larger pose network is not installed (`make` fetches it): joints are some mm less exact")
        larger = model if heavy is None else Model(heavy, "the larger pose model of MediaPipe")
        return (View(model, mirror=True), *(() if heavy is None else (View(larger, mirror=False),)))


def single_view() -> MediaPipePose:
    """The one view that follows the person."""
    return MediaPipePose(views=())


def from_task(path: Path | str | None = None) -> MediaPipePose:
    """All views with a `.task` model.

    Raises:
        DetectionError: no path, or not a model.
    """
    if path is None:
        raise DetectionError("mediapipe_task needs a model: --detector PATH.task (a pose_landmarker of MediaPipe)")
    return MediaPipePose(TaskPose.from_file(path))


def follow(clip: Clip, target: Target, model: Model, views: tuple[View, ...]) -> Keypoints:
    """Follow the person with one network, and fuse with it what the other views see."""
    network = PoseNetwork(*model)
    found = [_empty(clip.num_frames) for _ in range(1 + len(views))]

    def looks(crew: Crew[_Networks]) -> Iterator[tuple[int, list[Callable[[], Sight]]]]:
        place: Region | None = None
        for frame, image in enumerate(read_frames(clip)):
            sight = _track(network, image, frame, place, target)
            if _enter(found[0], frame, sight, target):
                place = sight.around
            yield frame, [crew.later(_look, view, image, sight.around) for view in views]

    with Crew(lambda: nullcontext(_Networks())) as crew:
        for frame, waiting in in_order(looks(crew)):
            for sighting, sight in zip(found[1:], waiting, strict=True):
                _enter(sighting, frame, sight(), target)
    fused = fuse(found, clip.size_hw, clip.fps)
    return Keypoints(names=NAMES, fps=clip.fps, size_hw=clip.size_hw, **fused._asdict())


def fuse(sightings: list[_Sighting], size_hw: tuple[int, int], fps: float) -> _Sighting:
    """Weighted mean of several sightings of the same frames, weights falling with the distance from their median.

    The weight is confidence / (1 + (d / s)^2) with d the distance from the median of all views over `MOMENT` [px] and s
    2 % of the image diagonal, so that one view that mistook left for right does not pull the others, nor a moment in
    which all of them saw legs where arms are. The confidence is the mean weight over all views: what some views miss,
    or see elsewhere (a body that is not there), is less certain.
    """
    uv, xyz, confidence = (np.stack(part) for part in zip(*sightings, strict=True))
    reach = round(MOMENT * fps / 2) if len(sightings) > 1 else 0  # One view has no second opinion of its moments.
    scale = 0.02 * float(np.hypot(*size_hw))
    masked = np.where((confidence > 0)[..., None], uv, np.nan)
    median = np.zeros(uv.shape[1:])
    for frame in range(len(median)):
        near = masked[:, max(frame - reach, 0) : frame + reach + 1].reshape(-1, *median.shape[1:])
        known = ~np.isnan(near[..., 0]).all(axis=0)
        median[frame, known] = np.nanmedian(near[:, known], axis=0)
    agreement = 1 / (1 + (np.linalg.norm(uv - median, axis=-1) / scale) ** 2)
    weight = confidence * agreement
    total = weight.sum(axis=0)
    share = weight / np.where(total > 0, total, 1)
    return _Sighting(
        uv=np.einsum("ptk,ptkd->tkd", share, uv),
        xyz=np.einsum("ptk,ptkd->tkd", share, xyz),
        confidence=total / len(sightings),
    )


class _Networks(dict[Model, PoseNetwork]):
    """Networks of one thread, loaded when they are first asked for."""

    def __missing__(self, model: Model) -> PoseNetwork:
        return self.setdefault(model, PoseNetwork(*model))


def _look(networks: _Networks, view: View, image: Image, region: Region) -> Sight:
    return networks[view.model].look(image, region, mirror=view.mirror)


def _track(network: PoseNetwork, image: Image, frame: int, place: Region | None, target: Target) -> Sight:
    """The person where they were last; else where the scout saw them; else whatever looks most like them."""
    sights = []
    for region, settling in ((place, 0), (target.start(frame), SETTLING)):
        if region is None:
            continue
        for _ in range(settling):
            region = network.look(image, region).around
        sight = network.look(image, region)
        if _is_target(sight, frame, target):
            return sight
        sights.append(sight)
    return max(sights, key=lambda sight: sight.presence)


def _is_target(sight: Sight, frame: int, target: Target) -> bool:
    return sight.presence >= LEAST_SCORE and target.is_it(frame, sight.body)


def _empty(frames: int) -> _Sighting:
    points = len(NAMES)
    return _Sighting(np.zeros((frames, points, 2)), np.zeros((frames, points, 3)), np.zeros((frames, points)))


def _enter(sighting: _Sighting, frame: int, sight: Sight, target: Target) -> bool:
    """Note a sight of the person meant, and say whether it is one."""
    seen = _is_target(sight, frame, target)
    if seen:
        for values, value in zip(sighting, sight.body, strict=True):
            values[frame] = value
    return seen
