"""The stages of a close-up: the motion of a tool alone, from clicks on points of it, where nobody's body is in view."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apprentice.options import Marks, Source
from apprentice.stages import UsageError, named_tool
from apprentice.watching import open_source
from records import Camera, Clip, Keypoints, Motion, Run, digest

if TYPE_CHECKING:
    from motion.tool_points import Fit, Span
    from perception.click import Click

_log = logging.getLogger("apprentice")

STILLS = 6
"""Pictures on the sheet."""
SHEET_WIDTH = 640
"""Of each [px]."""


def stroke(run: Run, source: Source, marks: Marks) -> Motion:
    """Stages `clip`, `tool_points`, `camera`, `stroke`, and the picture `stroke.png` of how well they fit.

    Raises:
        UsageError: no points, no distance, or a tool that needs a person.
    """
    from motion.tool import TOOLS
    from perception.tool_track import track_points

    tool = named_tool(marks.tool, marks.tool_file)
    if not tool.anchor:
        alone = [name for name in TOOLS if TOOLS.load(name).anchor]
        raise UsageError(
            f"a {tool.name} is not followed alone, only: {', '.join(alone)}; estimate it with who holds it:"
            " apprentice estimate"
        )
    clicks, span = named_clicks(marks.point), stated_span(marks.distance)
    clip = open_source(run, source)
    watched = (Path(clip.path), clip.fps, clip.start, clip.num_frames)
    said = {name: [str(click) for click in of_point] for name, of_point in clicks.items()}
    seen = run.stage("tool_points", digest(*watched, said), Keypoints, lambda: track_points(clip, clicks))
    camera = run.stage(
        "camera", digest(*watched, marks.focal, marks.camera, seen), Camera, lambda: _camera(clip, seen, marks)
    )

    def compute() -> Motion:
        from motion.tool_points import motion_of_points
        from sim.tool_shape import spout_tip

        fit = motion_of_points(seen, camera, tool, anchor=tool.anchor, place=spout_tip(tool), span=span)
        points = {name: np.round(place, 4).tolist() for name, place in zip(seen.names, fit.points, strict=True)}
        run.add_metrics("stroke", {"error_px": fit.error, "points": points})
        _sheet(run.path / "stroke.png", clip, seen, camera, fit)
        _log.info("points of the tool fit within %.1f px (median)", fit.error)
        return fit.motion

    return run.stage("stroke", digest(seen, camera, repr(tool), list(span)), Motion, compute)


def named_clicks(texts: Sequence[str]) -> dict[str, list[Click]]:
    """Clicks by the name of their point, from `NAME=x,y@frame`.

    Raises:
        UsageError: no click, or one without a name.
        ClickError: a click that cannot be read.
    """
    from perception.click import Click

    found: dict[str, list[Click]] = {}
    for text in texts:
        name, named, click = text.partition("=")
        if not named or not name.strip():
            raise UsageError(f"cannot read the point {text!r}; expected NAME=x,y@frame, for example spout=320,180@0")
        found.setdefault(name.strip(), []).append(Click.parse(click))
    if not found:
        raise UsageError(
            "no point of the tool; click on three or more, one of them its spout: --point spout=x,y@frame"
            " --point lid=x,y@frame ..."
        )
    return found


def stated_span(text: str | None) -> Span:
    """Distance of two points, from `NAME,NAME=METRES`.

    Raises:
        UsageError: none, or another form.
    """
    from motion.tool_points import Span

    names, _, length = (text or "").partition("=")
    first, _, second = names.partition(",")
    try:
        return Span(first.strip(), second.strip(), float(length))
    except ValueError:
        raise UsageError(
            f"{f'cannot read {text!r}' if text else 'the size of the tool is not known'}; measure how far two of the"
            " points are apart: --distance spout,lid=0.2 [m]"
        ) from None


def _camera(clip: Clip, seen: Keypoints, marks: Marks) -> Camera:
    """From its file or the lens, and from what is built; nobody is seen."""
    from perception.lens import stated_focal
    from perception.track import TrackOptions, observe_camera
    from perception.vertical import still_segments
    from perception.video import pixel_aspect

    aspect = pixel_aspect(clip)
    focal = marks.focal if marks.focal is not None else stated_focal(clip, aspect)
    options = TrackOptions(
        camera_file=str(marks.camera) if marks.camera else None,
        camera_name=marks.camera_name,
        focal=focal,
        pixel_aspect=aspect,
    )
    return observe_camera(seen, options, still_segments(clip))


def _sheet(path: Path, clip: Clip, seen: Keypoints, camera: Camera, fit: Fit) -> None:
    """Frames of the clip with the simulated tool, the points as they are seen, and as the fit has them."""
    import cv2

    from apprentice.drawing import Drawing, dots
    from apprentice.shapes import SEEN, TOOL, tool_lines
    from apprentice.stills import chosen_frames
    from motion.body import rotations
    from perception.video import read_frames
    from records.atomic import atomic_path

    scale = SHEET_WIDTH / clip.size_hw[1]
    drawing = Drawing(camera, [tool_lines(fit.motion, width=0.005)], scale=scale)
    points = np.einsum("tij,kj->tki", rotations(fit.motion.q[:, 3:7]), fit.points) + fit.motion.q[:, None, :3]
    fitted, chosen = camera.project(points), chosen_frames(fit.motion, STILLS)
    stills = []
    for frame, image in enumerate(read_frames(clip)):
        if frame in chosen:
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            drawing.onto(small, frame)
            dots(small, scale * seen.uv[frame][seen.seen[frame]], SEEN, 5)
            stills.append(dots(small, scale * fitted[frame], TOOL, 2.5))
    stills += [np.full_like(stills[0], 255)] * (len(stills) % 2)
    rows = [np.hstack(stills[k : k + 2]) for k in range(0, len(stills), 2)]
    with atomic_path(path) as temporary:
        cv2.imwrite(str(temporary), np.vstack(rows)[..., ::-1])
