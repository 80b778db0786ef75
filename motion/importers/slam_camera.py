"""The moving camera that TRAM and PromptHMR write: rotation and place per frame, focal length, principal point."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from motion.importers.motion_file_error import MotionFileError


class SlamCamera(NamedTuple):
    """A camera along a clip."""

    pose: Float[np.ndarray, "T 4 4"]
    """Pose in the file's world, for every frame of the video."""
    K: Float[np.ndarray, "3 3"]
    size_hw: tuple[int, int]
    """Twice the principal point: both formats put it in the middle."""

    def at(self, frames: Int[np.ndarray, "N"]) -> Float[np.ndarray, "N 4 4"]:
        """Poses at frames of the video.

        Raises:
            MotionFileError: the camera ends before.
        """
        if frames.size and (frames.min() < 0 or frames.max() >= len(self.pose)):
            raise MotionFileError(f"the camera has {len(self.pose)} frames, the person is in frame {frames.max()}")
        return self.pose[frames]


def slam_camera(values: dict[str, Any], rotation: str, place: str) -> SlamCamera:
    """Read the camera under its names.

    Raises:
        MotionFileError: a part is missing, or shapes do not fit together.
    """
    missing = [key for key in (rotation, place, "img_focal", "img_center") if key not in values]
    if missing:
        raise MotionFileError(f"the camera has no {missing[0]}")
    R, t = np.asarray(values[rotation], float), np.asarray(values[place], float)
    if R.ndim != 3 or R.shape[1:] != (3, 3) or t.shape != (len(R), 3):
        raise MotionFileError(f"camera rotations {R.shape} and places {t.shape}; expected (T, 3, 3) and (T, 3)")
    pose = np.tile(np.eye(4), (len(R), 1, 1))
    pose[:, :3, :3], pose[:, :3, 3] = R, t
    focal, (cx, cy) = float(np.ravel(values["img_focal"])[0]), np.ravel(values["img_center"]).astype(float)[:2]
    return SlamCamera(pose, np.array([[focal, 0, cx], [0, focal, cy], [0, 0, 1]]), (round(2 * cy), round(2 * cx)))
