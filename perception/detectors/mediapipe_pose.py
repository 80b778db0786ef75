"""MediaPipe Pose (0.10.21, model bundled with the package) behind the `Detector` protocol.

Several passes over the frames see them in both orders of time and mirrored; their errors are partly independent, so
their fusion is closer to the truth than any one. The detector's own smoothing lags by a frame and is switched off.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from perception.detectors.detector import DetectionError
from perception.video import Image, read_frames
from records import Clip, Keypoints

_LANDMARKS = {
    "nose": 0, "l_eye": 2, "r_eye": 5, "l_ear": 7, "r_ear": 8, "l_mouth": 9, "r_mouth": 10, "l_shoulder": 11,
    "r_shoulder": 12, "l_elbow": 13, "r_elbow": 14, "l_wrist": 15, "r_wrist": 16, "l_pinky": 17, "r_pinky": 18,
    "l_index": 19, "r_index": 20, "l_thumb": 21, "r_thumb": 22, "l_hip": 23, "r_hip": 24, "l_knee": 25, "r_knee": 26,
    "l_ankle": 27, "r_ankle": 28, "l_heel": 29, "r_heel": 30, "l_toes": 31, "r_toes": 32,
}  # fmt: skip
"""Column of each named point in BlazePose's 33 landmarks."""

NAMES = (*_LANDMARKS, "l_fingers", "r_fingers")
"""Points of the output: the landmarks, and the fingers midway between the knuckles of index and little finger."""

_WINDOW_BYTES = 256 * 2**20
"""Frames held in memory at a time, so that they can be seen in reverse."""

_LEAST_VISIBILITY = 1e-3
"""A landmark of a detected person keeps at least this confidence: 0 means not detected."""


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
    """Fused passes of MediaPipe Pose; one person, the most prominent."""

    def __init__(self, passes: Iterable[Pass] = ALL_PASSES) -> None:
        self.passes = tuple(passes)
        if not self.passes:
            raise DetectionError("a detector needs at least one pass")

    def detect(self, clip: Clip) -> list[Keypoints]:
        """Return the person's keypoints with 3D landmarks, or nothing where no frame shows a person."""
        windows = []
        for frames in _windows(read_frames(clip)):
            windows.append(fuse([_run(frames, one) for one in self.passes], clip.size_hw))
        uv, xyz, confidence = (np.concatenate(part) for part in zip(*windows, strict=True))
        if not confidence.any():
            return []
        return [Keypoints(names=NAMES, uv=uv, confidence=confidence, xyz=xyz, fps=clip.fps, size_hw=clip.size_hw)]


def single_pass() -> MediaPipePose:
    """One forward pass."""
    return MediaPipePose((Pass(reverse=False, mirror=False),))


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


def _run(frames: list[Image], one: Pass) -> _Sighting:
    """Look at frames in one way; results are in the frames' own order and orientation."""
    ordered = frames[::-1] if one.reverse else frames
    images = (np.ascontiguousarray(f[:, ::-1]) if one.mirror else f for f in ordered)
    found = [_landmarks(result, frames[0].shape[:2]) for result in _results(images)]
    uv, xyz, confidence = (np.stack(part) for part in zip(*found, strict=True))
    if one.mirror:
        twins = [NAMES.index(_twin(name)) for name in NAMES]
        uv, xyz, confidence = uv[:, twins], xyz[:, twins], confidence[:, twins]
        uv[..., 0] = np.where(confidence > 0, frames[0].shape[1] - 1 - uv[..., 0], 0)
        xyz[..., 0] *= -1
    order = slice(None, None, -1 if one.reverse else 1)
    return _Sighting(uv[order], xyz[order], confidence[order])


def _results(images: Iterable[Image]) -> Iterator[Any]:
    try:
        from mediapipe.python.solutions.pose import Pose
    except ImportError as error:
        raise DetectionError(f"MediaPipe 0.10.21 is not installed ({error}); `make test` installs it") from error
    with _quiet(), Pose(model_complexity=1, smooth_landmarks=False, min_detection_confidence=0.5) as pose:
        for image in images:
            yield pose.process(image)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """MediaPipe's native log goes to file descriptor 2 whatever its level: hold it back while the graph is running."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _landmarks(result: Any, size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Named points of one result: uv (K, 2) px, xyz (K, 3) m, confidence (K,)."""
    count = len(NAMES)
    uv, xyz, confidence = np.zeros((count, 2)), np.zeros((count, 3)), np.zeros(count)
    if result.pose_landmarks is None or result.pose_world_landmarks is None:
        return uv, xyz, confidence
    flat = np.array([(p.x, p.y, p.visibility) for p in result.pose_landmarks.landmark])
    world = np.array([(p.x, p.y, p.z) for p in result.pose_world_landmarks.landmark])
    columns = list(_LANDMARKS.values())
    uv[: len(columns)] = flat[columns, :2] * [size_hw[1], size_hw[0]] - 0.5
    xyz[: len(columns)] = world[columns]
    confidence[: len(columns)] = np.clip(flat[columns, 2], _LEAST_VISIBILITY, 1)
    for side in "lr":
        knuckles = [NAMES.index(f"{side}_index"), NAMES.index(f"{side}_pinky")]
        fingers = NAMES.index(f"{side}_fingers")
        uv[fingers], xyz[fingers] = uv[knuckles].mean(axis=0), xyz[knuckles].mean(axis=0)
        confidence[fingers] = confidence[knuckles].min()
    return uv, xyz, confidence


def _twin(name: str) -> str:
    return {"l_": "r_", "r_": "l_"}.get(name[:2], name[:2]) + name[2:]


def _windows(frames: Iterator[Image]) -> Iterator[list[Image]]:
    """Cut a stream of frames into lists that fit in memory."""
    for first in frames:
        length = max(2, _WINDOW_BYTES // first.nbytes)
        yield [first, *itertools.islice(frames, length - 1)]
