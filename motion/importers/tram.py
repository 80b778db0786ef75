"""TRAM (Wang et al. 2024): `hps/hps_track_k.npy` beside `camera.npy`, SMPL in a camera that moves."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from motion.importers.container import Content, read_content
from motion.importers.importer import ImportOptions, Track
from motion.importers.motion_file_error import MotionFileError
from motion.importers.slam_camera import SlamCamera, slam_camera
from motion.importers.smpl import PELVIS, SmplTrack, frame_numbers, mean_shape, place

KEYS = {"pred_rotmat", "pred_trans", "frame"}


class Tram:
    """pickled dict: pred_rotmat (N, 24, 3, 3), pred_shape (N, 10), pred_trans (N, 1, 3), frame (N), in the camera."""

    def recognises(self, content: Content) -> bool:
        """Rotation matrices and frames."""
        return content.kind == "pickle" and isinstance(content.value, dict) and set(content.value) >= KEYS

    def read(self, content: Content, options: ImportOptions) -> list[Track]:
        """The person of one file, taken to the world by the camera."""
        values = content.value
        frames = frame_numbers(values["frame"])
        turns = np.asarray(values["pred_rotmat"], float)
        trans = np.asarray(values["pred_trans"], float).reshape(-1, 3)
        if turns.ndim != 4 or len(trans) != len(frames) or len(turns) != len(frames):
            raise MotionFileError(
                f"pred_rotmat {turns.shape}, {len(trans)} places and {len(frames)} frames; expected one length"
            )
        camera, up = _camera(content.path)
        pose = camera.at(frames)
        R, t = pose[:, :3, :3], pose[:, :3, 3]
        pelvis = np.einsum("nij,nj->ni", R, trans + PELVIS["smpl"]) + t
        turns = np.concatenate([(R @ turns[:, 0])[:, None], turns[:, 1:]], axis=1)
        track = SmplTrack(
            name=content.path.stem.removeprefix("hps_track_"),
            frames=frames,
            turns=turns,
            trans=pelvis - PELVIS["smpl"],
            betas=mean_shape(values.get("pred_shape", np.zeros(1))),
            up=up,
            K=camera.K,
            camera=pose,
            size_hw=options.size_hw or camera.size_hw,
        )
        return [place(track, options.rate(None, content.path), options)]


def _camera(path: Path) -> tuple[SlamCamera, Literal["y", "-y"]]:
    """The camera beside the folder `hps`: with `world_cam_*` y is up, else the first frame's camera is the world."""
    places = (path.parent.parent / "camera.npy", path.parent / "camera.npy")
    found = next((file for file in places if file.is_file()), None)
    if found is None:
        raise MotionFileError(f"{path}: no camera.npy beside it or above it; TRAM needs it to know the world")
    values = read_content(found).value
    if not isinstance(values, dict):
        raise MotionFileError(f"{found}: not TRAM's camera; expected a dict with img_focal and the camera's R and T")
    if "world_cam_R" in values:
        return slam_camera(values, "world_cam_R", "world_cam_T"), "y"
    return slam_camera(values, "pred_cam_R", "pred_cam_T"), "-y"
