"""The studio: clips of a person who uses a tool, drawn with a known truth.

Body, clothes, acting, camera and setting are drawn apart from one seed, so that any of them can be varied alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, UInt8

from motion.tool import TOOLS, Tool
from perception.click import Click
from perception.video import open_clip, write_video
from records import Clip, Interaction
from sim.mesh import Mesh, SkinnedMesh, joined
from sim.studio_body import draw_look, dress
from sim.studio_camera import draw_camera
from sim.studio_motion import Acting, act
from sim.studio_painter import Painter, fine_camera
from sim.studio_scene import draw_setting, nail_mesh, tool_mesh
from sim.studio_stroke import Character, draw_character, stroke
from sim.studio_truth import true_interaction

SECONDS = 3.8
"""Length of a clip by default [s]: two blows and a half."""
FEWEST = 3
"""Frames that accelerations need."""
OUTLINE = ("head", "nose", "l_elbow", "r_elbow", "l_fingers", "r_fingers", "l_heel", "r_heel", "l_toes", "r_toes")
"""Points of the body that the camera must see, beside those of the tool."""


class StudioError(ValueError):
    """A clip that the studio cannot make."""


class Take(NamedTuple):
    """A clip and what is true of it."""

    clip: Clip
    truth: Interaction
    head_click: str
    """Where the tool's head is seen: `x,y@frame` [px]."""
    handle_click: str
    """The same of the handle's free end."""


def render_clip(
    path: Path | str,
    *,
    tool: str = "hammer",
    seed: int = 0,
    num_frames: int | None = None,
    size_hw: tuple[int, int] = (480, 640),
    fps: float = 25.0,
) -> Take:
    """Draw a clip of a person who hammers, and write it as a video.

    Args:
        path: video file to write, `.mp4`.
        tool: name in the table of tools; the studio knows the hammer.
        seed: of person, clothes, stroke, camera, setting and noise.
        num_frames: length of the clip; by default 3.8 s.
        size_hw: height and width of the image [px].
        fps: frame rate [1/s].

    Raises:
        StudioError: another tool, or a clip too short.
    """
    frames = round(SECONDS * fps) if num_frames is None else num_frames
    if tool != "hammer" or frames < FEWEST or fps <= 0:
        raise StudioError(
            f"{frames} frames at {fps} fps with the tool {tool!r}: the studio acts with the 'hammer', for at least"
            f" {FEWEST} frames at a positive rate"
        )
    held: Tool = TOOLS.load(tool)
    acts, looks, views, rooms, noise = (np.random.default_rng([seed, part]) for part in range(5))
    character = draw_character(acts)
    acting = act(character, held, stroke(character, held, frames, fps), fps)
    outline = _outline(character, acting, held)
    camera = draw_camera(views, outline, character.side, size_hw)
    truth = true_interaction(character, acting, held, camera, fps)
    setting = draw_setting(rooms, fine_camera(camera), character.nail)
    painter = Painter(camera, setting, outline.mean(axis=0) * [1, 1, 0])
    shot = _Shot(
        person=dress(character.body, draw_look(looks, character.body), character.side),
        tool=tool_mesh(held),
        nail=nail_mesh(),
    )
    endpoints = np.stack([acting.p_tool + acting.R_tool @ p for p in (held.p_head, np.zeros(3))], axis=1)
    uv = camera.project(endpoints)
    seen = np.zeros(uv.shape[:2], bool)
    write_video(path, _filmed(shot, character, acting, painter, noise, uv, seen), fps)
    head, handle = (_click(uv, seen, k) for k in range(2))
    return Take(open_clip(path, fps=fps), truth, head, handle)


class _Shot(NamedTuple):
    """What moves before the camera."""

    person: SkinnedMesh
    tool: Mesh
    nail: Mesh


def _filmed(
    shot: _Shot,
    character: Character,
    acting: Acting,
    painter: Painter,
    noise: np.random.Generator,
    uv: Float[np.ndarray, "T 2 2"],
    seen: Bool[np.ndarray, "T 2"],
) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """Paint frame after frame, and note in `seen` where the tool is what is seen at its endpoints `uv` [px]."""
    R, p = character.body.joint_poses(acting.q)
    first = len(shot.person.mesh.faces)
    last = first + len(shot.tool.faces)
    for t in range(len(R)):
        tool = shot.tool.moved(acting.R_tool[t], acting.p_tool[t])
        nail = shot.nail.moved(np.eye(3), acting.nail[t])
        picture = painter.paint(joined([shot.person.posed(R[t], p[t]), tool, nail]), noise)
        column, row = np.clip(np.round(uv[t]).astype(int), 0, np.array(picture.face.shape)[::-1] - 1).T
        face = picture.face[row, column]
        seen[t] = (face >= first) & (face < last)
        yield picture.image


def _click(uv: Float[np.ndarray, "T 2 2"], seen: Bool[np.ndarray, "T 2"], end: int) -> str:
    """Where one of the tool's ends is seen, half-way through its turning: there is least to turn either way."""
    along = uv[:, 0] - uv[:, 1]
    angle = np.unwrap(np.arctan2(along[:, 1], along[:, 0]))
    away = np.abs(angle - 0.5 * (angle.min() + angle.max()))
    frame = int(np.argmin(np.where(seen[:, end], away, away.max() + 1)))
    x, y = np.round(uv[frame, end], 1).tolist()
    return str(Click(x, y, frame))


def _outline(character: Character, acting: Acting, tool: Tool) -> Float[np.ndarray, "N 3"]:
    """Points that the camera must see [m]."""
    corners = np.array([[0, 0, 0], [1, 0, 1], [1, 0, -1]]) * [tool.length + 0.5 * tool.head_size[0], 0, 0.1]
    at_tool = acting.p_tool[:, None] + np.einsum("tij,cj->tci", acting.R_tool, corners)
    return np.concatenate([character.body.site_positions(acting.q, OUTLINE), at_tool], axis=1).reshape(-1, 3)
