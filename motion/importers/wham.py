"""WHAM (Shin et al. 2024): `wham_output.pkl` of its demo, SMPL in a world with y up."""

from __future__ import annotations

import numpy as np

from motion.exporters.amass import PELVIS_REST
from motion.importers.container import Content
from motion.importers.importer import ImportOptions, Track
from motion.importers.smpl import SmplTrack, axis_angles, camera_from_bodies, frame_numbers, mean_shape, place

KEYS = {"pose_world", "trans_world"}


class Wham:
    """joblib dict {id: {pose, trans, pose_world (T, 72), trans_world (T, 3), betas (T, 10), frame_ids (T)}}."""

    def recognises(self, content: Content) -> bool:
        """People with a pose in the world."""
        people = content.value.values() if content.kind == "pickle" and isinstance(content.value, dict) else ()
        return bool(people) and all(isinstance(one, dict) and set(one) >= KEYS for one in people)

    def read(self, content: Content, options: ImportOptions) -> list[Track]:
        """Every person; the camera where the image size is given: WHAM takes the image diagonal as focal length."""
        fps = options.rate(None, content.path)
        tracks = []
        for name, person in content.value.items():
            turns = axis_angles(person["pose_world"], "pose_world", content.path)
            trans = np.asarray(person["trans_world"], float).reshape(-1, 3)
            K = camera = None
            if options.size_hw is not None and {"pose", "trans"} <= set(person):
                h, w = options.size_hw
                focal = options.focal or float(np.hypot(h, w))
                K = np.array([[focal, 0, w / 2], [0, focal, h / 2], [0, 0, 1]])
                seen = axis_angles(person["pose"], "pose", content.path)[:, 0]
                p_camera = np.asarray(person["trans"], float).reshape(-1, 3) + PELVIS_REST
                camera = camera_from_bodies(turns[:, 0], trans + PELVIS_REST, seen, p_camera)
            track = SmplTrack(
                name=str(name),
                frames=frame_numbers(person.get("frame_ids", np.arange(len(turns)))),
                turns=turns,
                trans=trans,
                betas=mean_shape(person.get("betas", np.zeros(1))),
                K=K,
                camera=camera,
                size_hw=options.size_hw,
            )
            tracks.append(place(track, fps, options))
        return tracks
