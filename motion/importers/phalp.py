"""4DHumans and PHALP (Goel et al. 2023): a dict per video frame, SMPL in the camera.

The place of a person is written for a focal length of 5000 px at 256 px image size. Depth is proportional to the focal
length, so it is brought to the camera's own. The camera is taken to be static and level.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from motion.importers.container import Content
from motion.importers.importer import ImportOptions, Track
from motion.importers.motion_file_error import MotionFileError
from motion.importers.smpl import SmplTrack, mean_shape, place

FOCAL_PER_SIZE = 5000.0 / 256.0
"""Focal length that the places are written for, over the longer side of the image [1]."""

KEYS = {"tid", "smpl", "camera"}


class Phalp:
    """joblib dict {frame: {tid, smpl: [{global_orient, body_pose, betas}], camera: [(3)], size: [(h, w)], time}}."""

    def recognises(self, content: Content) -> bool:
        """Frames of tracked bodies."""
        frames = content.value.values() if content.kind == "pickle" and isinstance(content.value, dict) else ()
        return bool(frames) and all(isinstance(frame, dict) and set(frame) >= KEYS for frame in frames)

    def read(self, content: Content, options: ImportOptions) -> list[Track]:
        """Every person that was tracked."""
        fps = options.rate(None, content.path)
        h, w = options.size_hw or _size(content.value)
        assumed = {"camera_tilt": 0.0}
        focal = options.focal
        if focal is None:
            focal = assumed["focal"] = float(np.hypot(h, w))
        depth = focal / (FOCAL_PER_SIZE * max(h, w))
        K = np.array([[focal, 0, w / 2], [0, focal, h / 2], [0, 0, 1]])
        tracks = []
        for name, poses in _people(content.value).items():
            frames = np.array([frame for frame, _, _ in poses])
            turns, betas = zip(*(_pose(body) for _, body, _ in poses), strict=True)
            trans = np.array([np.ravel(camera).astype(float) for _, _, camera in poses])
            if trans.shape != (len(poses), 3):
                raise MotionFileError(f"places of person {name} of shape {trans.shape}; expected three numbers each")
            track = SmplTrack(
                name=name,
                frames=frames,
                turns=np.array(turns),
                trans=trans * [1, 1, depth],
                betas=mean_shape(np.array(betas)),
                up="-y",
                K=K,
                camera=np.tile(np.eye(4), (len(poses), 1, 1)),
                size_hw=(h, w),
                assumed=assumed,
            )
            tracks.append(place(track, fps, options))
        return tracks


def _people(frames: dict[Any, dict[str, Any]]) -> dict[str, list[tuple[int, Any, Any]]]:
    """Frame number, body and place of each detection of each person."""
    people: dict[str, list[tuple[int, Any, Any]]] = defaultdict(list)
    for order, frame in enumerate(frames.values()):
        number = int(frame.get("time", order))
        for n, person in enumerate(frame["tid"]):
            # A person who is out of sight for a while stays in the list, with the last pose that was seen.
            lost = frame["tracked_time"][n] if "tracked_time" in frame else 0
            if n < min(len(frame["smpl"]), len(frame["camera"])) and not lost:
                people[str(person)].append((number, frame["smpl"][n], frame["camera"][n]))
    once = {name: {pose[0]: pose for pose in reversed(poses)} for name, poses in people.items()}
    return {name: [poses[frame] for frame in sorted(poses)] for name, poses in once.items()}


def _pose(body: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(body, dict) or not {"global_orient", "body_pose"} <= set(body):
        raise MotionFileError("a body without global_orient and body_pose")
    parts = [np.asarray(body[key], float).reshape(-1, 3, 3) for key in ("global_orient", "body_pose")]
    return np.concatenate(parts), np.ravel(body.get("betas", np.zeros(10))).astype(float)


def _size(frames: dict[Any, dict[str, Any]]) -> tuple[int, int]:
    sizes = [size for frame in frames.values() for size in frame.get("size", [])]
    if not sizes:
        raise MotionFileError("the file does not say the image size; give size_hw")
    h, w = (int(n) for n in np.ravel(sizes[0])[:2])
    return h, w
