"""PromptHMR (Wang et al. 2025): `results.pkl` of its video pipeline, SMPL-X in a world with y up."""

from __future__ import annotations

from typing import Any

import numpy as np

from motion.importers.container import Content
from motion.importers.importer import ImportOptions, Track
from motion.importers.motion_file_error import MotionFileError
from motion.importers.slam_camera import slam_camera
from motion.importers.smpl import SmplTrack, axis_angles, frame_numbers, mean_shape, place

KEYS = {"pose", "trans"}


class PromptHmr:
    """joblib dict: people[id] = {frames, smplx_world: {pose (T, 165), shape (T, 10), trans (T, 3)}}, camera_world."""

    def recognises(self, content: Content) -> bool:
        """People of SMPL-X in the world."""
        value = content.value if content.kind == "pickle" else None
        people = value.get("people") if isinstance(value, dict) else None
        return isinstance(people, dict) and any(isinstance(p, dict) and "smplx_world" in p for p in people.values())

    def read(self, content: Content, options: ImportOptions) -> list[Track]:
        """Every person that was taken to the world."""
        fps = options.rate(None, content.path)
        return [
            place(_track(str(name), person, content, options), fps, options)
            for name, person in content.value["people"].items()
            if isinstance(person, dict) and "smplx_world" in person
        ]


def _track(name: str, person: dict[str, Any], content: Content, options: ImportOptions) -> SmplTrack:
    world = person["smplx_world"]
    if not isinstance(world, dict) or not set(world) >= KEYS:
        raise MotionFileError(f"smplx_world of person {name} without {', '.join(sorted(KEYS))}")
    turns = axis_angles(world["pose"], "smplx_world pose", content.path)
    frames = frame_numbers(person.get("frames", np.arange(len(turns))))
    seen = content.value.get("camera_world")
    camera = slam_camera(seen, "pred_cam_R", "pred_cam_T") if isinstance(seen, dict) else None
    return SmplTrack(
        name=name,
        frames=frames,
        turns=turns,
        trans=np.asarray(world["trans"], float),
        betas=mean_shape(world.get("shape", np.zeros(1))),
        family="smplx",
        K=None if camera is None else camera.K,
        camera=None if camera is None else camera.at(frames),
        size_hw=None if camera is None else options.size_hw or camera.size_hw,
    )
