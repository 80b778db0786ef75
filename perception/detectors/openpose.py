"""Keypoints that OpenPose wrote: a folder with one JSON file per frame, or arrays of the 18- or 25-point model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from perception.detectors.detector import DetectionError, image_size
from perception.linking import Linker
from records import Keypoints

_BODY_25 = (
    "nose", "neck", "r_shoulder", "r_elbow", "r_wrist", "l_shoulder", "l_elbow", "l_wrist", "pelvis", "r_hip", "r_knee",
    "r_ankle", "l_hip", "l_knee", "l_ankle", "r_eye", "l_eye", "r_ear", "l_ear", "l_toes", "l_small_toe", "l_heel",
    "r_toes", "r_small_toe", "r_heel",
)  # fmt: skip
_COCO_18 = (
    "nose", "neck", "r_shoulder", "r_elbow", "r_wrist", "l_shoulder", "l_elbow", "l_wrist", "r_hip", "r_knee",
    "r_ankle", "l_hip", "l_knee", "l_ankle", "r_eye", "l_eye", "r_ear", "l_ear",
)  # fmt: skip
NAMES = {25: _BODY_25, 18: _COCO_18}
"""Point names by model size, in OpenPose's order."""


def read_npz(path: Path, *, sequence: str | None, fps: float, size_hw: tuple[int, int] | None) -> list[Keypoints]:
    """Read one sequence `(T, 18 or 25, 3)` (x px, y px, confidence; 0 = not detected) of an `.npz`.

    Raises:
        DetectionError: not such a file, or no such sequence.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            names = sorted(file.files)
            if sequence is None and len(names) == 1:
                sequence = names[0]
            if sequence not in names:
                raise DetectionError(f"{path}: name one of its sequences with --sequence: {', '.join(names)}")
            points = file[sequence].astype(float)
    except DetectionError:
        raise
    except Exception as error:  # a damaged archive raises errors of zipfile, zlib and struct
        raise DetectionError(f"{path}: not a readable .npz of OpenPose arrays ({error})") from error
    return [_keypoints(points, f"{path} [{sequence}]", fps, size_hw)]


def read_json(path: Path, *, sequence: str | None, fps: float, size_hw: tuple[int, int] | None) -> list[Keypoints]:
    """Read a folder of `*_keypoints.json`, one file per frame in the order of their names.

    People are joined into tracks by the nearest detection in the frame before (mean distance of shared points).

    Raises:
        DetectionError: no such files, or malformed ones.
    """
    files = sorted(path.glob("*.json"))
    if sequence is not None:
        files = [file for file in files if file.name.startswith(sequence)]
    if not files:
        raise DetectionError(f"{path}: holds no OpenPose *_keypoints.json files")
    linker = Linker(fps)
    for frame, file in enumerate(files):
        linker.add(frame, _people(file))
    tracks = [track.spread(len(files)) for track in linker.tracks]
    tracks.sort(key=lambda track: -float((track[..., 2] > 0).sum()))
    return [_keypoints(track, str(path), fps, size_hw) for track in tracks]


def _people(file: Path) -> list[np.ndarray]:
    try:
        people = json.loads(file.read_text())["people"]
        found = [np.array(person["pose_keypoints_2d"], float).reshape(-1, 3) for person in people]
    except (KeyError, TypeError, ValueError) as error:
        raise DetectionError(f"{file}: not an OpenPose keypoint file ({error})") from error
    return [person for person in found if len(person) in NAMES]


def _keypoints(points: np.ndarray, where: str, fps: float, size_hw: tuple[int, int] | None) -> Keypoints:
    if points.ndim != 3 or points.shape[1] not in NAMES or points.shape[2] != 3:
        raise DetectionError(f"{where}: shape {points.shape}, expected (frames, 18 or 25, 3)")
    if not np.isfinite(points).all():
        raise DetectionError(f"{where}: holds NaN; missing points have confidence 0")
    confidence = np.clip(points[..., 2], 0, 1)
    uv = np.where(confidence[..., None] > 0, points[..., :2], 0)
    size = image_size(size_hw, float(uv[..., 0].max(initial=0)), float(uv[..., 1].max(initial=0)))
    return Keypoints(names=NAMES[points.shape[1]], uv=uv, confidence=confidence, fps=fps, size_hw=size)
