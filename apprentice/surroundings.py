"""Surroundings of known shape, as the command line names them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from apprentice.options import Surroundings
from apprentice.stages import UsageError
from records import Camera, digest

if TYPE_CHECKING:
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
    from motion.scan import load_scene, read_transform

    if named.scene_frame == WORLD:
        return load_scene(named.scene, up=named.scene_up)
    if named.scene_frame != CAMERA:
        return load_scene(named.scene, up=named.scene_up, T_world_scene=read_transform(named.scene_frame))
    if camera is None or not camera.static:
        raise UsageError("--scene-frame camera needs a camera that is known and stands still; use world or a file")
    T = camera.T_world_camera[0]
    # Axes of a camera are what they are: y down, z forwards.
    return load_scene(named.scene, T_world_scene=T, seen_from=T[:3, 3])


def key(named: Surroundings) -> str:
    """What a result depends on: the files and the frame."""
    files = [path for path in (named.scene, Path(named.scene_frame)) if path is not None and path.is_file()]
    return digest(*files, named.scene_up, named.scene_frame) if named.scene is not None else ""
