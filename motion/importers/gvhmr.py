"""GVHMR (Shen et al. 2024): `hmr4d_results.pt` of its demo, SMPL-X in a world with y up and the ground anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from motion.importers.container import Content
from motion.importers.importer import ImportOptions, Track
from motion.importers.motion_file_error import MotionFileError
from motion.importers.smpl import PELVIS, SmplTrack, axis_angles, camera_from_bodies, mean_shape, place

FPS = 30.0
"""The demo copies every video to 30 frames/s first."""

PARAMETERS = {"global_orient", "body_pose", "transl"}


class Gvhmr:
    """torch dict smpl_params_global, _incam: {body_pose (L, 63), betas, global_orient, transl}; K_fullimg."""

    def recognises(self, content: Content) -> bool:
        """Parameters in the world."""
        return content.kind == "torch" and isinstance(content.value, dict) and "smpl_params_global" in content.value

    def read(self, content: Content, options: ImportOptions) -> list[Track]:
        """The one person, and the camera as the person sees it: the pelvis in the world against that in the camera."""
        results = content.value
        world = _parameters(results, "smpl_params_global")
        turns = _turns(world, content)
        trans = np.asarray(world["transl"], float)
        K = camera = size = None
        if "K_fullimg" in results and "smpl_params_incam" in results:
            K = np.asarray(results["K_fullimg"], float).reshape(-1, 3, 3)[0]
            size = (round(2 * K[1, 2]), round(2 * K[0, 2]))
            seen = _parameters(results, "smpl_params_incam")
            p_camera = np.asarray(seen["transl"], float) + PELVIS["smplx"]
            camera = camera_from_bodies(turns[:, 0], trans + PELVIS["smplx"], _turns(seen, content)[:, 0], p_camera)
        track = SmplTrack(
            name="0",
            frames=np.arange(len(turns)),
            turns=turns,
            trans=trans,
            betas=mean_shape(world.get("betas", np.zeros(1))),
            family="smplx",
            K=K,
            camera=camera,
            size_hw=size,
        )
        return [place(track, options.rate(FPS, content.path), options)]


def _parameters(results: dict[str, Any], key: str) -> dict[str, Any]:
    parameters = results[key]
    if not isinstance(parameters, dict) or not set(parameters) >= PARAMETERS:
        raise MotionFileError(f"{key} without {', '.join(sorted(PARAMETERS))}")
    return parameters


def _turns(parameters: dict[str, Any], content: Content) -> np.ndarray:
    pose = [np.asarray(parameters[key], float) for key in ("global_orient", "body_pose")]
    if any(part.ndim != 2 for part in pose) or len(pose[0]) != len(pose[1]):
        raise MotionFileError(f"global_orient {pose[0].shape} and body_pose {pose[1].shape}; expected (L, 3), (L, 63)")
    return axis_angles(np.concatenate(pose, axis=1), "body_pose", content.path)
