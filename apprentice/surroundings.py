"""Surroundings of known shape, as the command line names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apprentice.options import Surroundings
from apprentice.stages import UsageError
from records import Camera, digest

if TYPE_CHECKING:
    from motion.scan import Shape, Up
    from motion.scene import Scene

WORLD, CAMERA = "world", "camera"


def load(named: Surroundings, camera: Camera | None) -> Scene | None:
    """Read the scene and place it in the world; None where none is named.

    Raises:
        UsageError: a scene in the axes of a camera that moves or is not there.
        SceneError: not a scene.
    """
    if named.scene is None:
        return None
    from motion.scan import load_scene

    up, T = _placing(named, camera)
    return load_scene(named.scene, up=up, T_world_scene=T, seen_from=T[:3, 3] if named.scene_frame == CAMERA else None)


def of_run(config: Mapping[str, Any], given: Camera | None, found: Camera) -> Shape | None:
    """The same to look at, in the world of a run's result; None where there is none, or its files have gone.

    Args:
        config: what the verbs of the run were asked for.
        given: the camera before the estimate refined it.
        found: the camera of the result, whose world may have its ground elsewhere.

    Raises:
        SceneError: the file is not a scene any more.
    """
    asked = config.get("estimate", {}).get("surroundings", {})
    if not asked.get("scene"):
        return None
    named = Surroundings(**{**asked, "scene": Path(asked["scene"])})
    files = [Path(asked["scene"])] + ([] if named.scene_frame in (WORLD, CAMERA) else [Path(named.scene_frame)])
    if not all(path.is_file() for path in files):
        return None
    from motion.scan import read_shape

    up, T = _placing(named, given or found)
    T = T.copy()
    T[2, 3] += 0.0 if given is None else found.T_world_camera[0, 2, 3] - given.T_world_camera[0, 2, 3]
    return read_shape(files[0], up=up, T_world_scene=T)


def _placing(named: Surroundings, camera: Camera | None) -> tuple[Up, np.ndarray]:
    """The axis that points up, and then T_world_scene."""
    if named.scene_frame == WORLD:
        return named.scene_up, np.eye(4)
    if named.scene_frame != CAMERA:
        from motion.scan import read_transform

        return named.scene_up, read_transform(named.scene_frame)
    if camera is None or not camera.static:
        raise UsageError("--scene-frame camera needs a camera that is known and stands still; use world or a file")
    # Axes of a camera are what they are: y down, z forwards.
    return "z", camera.T_world_camera[0]


def key(named: Surroundings) -> str:
    """What a result depends on: the files and the frame."""
    files = [path for path in (named.scene, Path(named.scene_frame)) if path is not None and path.is_file()]
    return digest(*files, named.scene_up, named.scene_frame) if named.scene is not None else ""
