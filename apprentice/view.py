"""The 3D scene of a run as a rerun recording: person, tool, forces and camera over time, and the robot beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apprentice import surroundings
from apprentice.figures import spoken
from apprentice.findings import Findings, gather
from apprentice.shapes import (
    FORCE,
    MIDDLE,
    SEEN,
    TOOL,
    Lines,
    force_lines,
    ground_lines,
    person_lines,
    robot_lines,
    swung_point,
    tool_lines,
    trail_lines,
)
from apprentice.stills import true_lines
from records import Camera, Demonstration, Interaction, Keypoints, Run
from records.atomic import atomic_path

if TYPE_CHECKING:
    import rerun as rr

PERSON, ROBOT, FORCES = "person", "robot", "forces"
"""Roots of the scene: two worlds, each with z up and its ground at z = 0, and the plots."""
NAIL: tuple[int, int, int] = (148, 163, 184)
_IMAGE_DISTANCE = 0.6
"""Where the camera's image hangs before it [m]."""


def write_scene(run: Run) -> Path:
    """Write `scene.rrd`; what the run does not hold is left out.

    Raises:
        OSError: the folder cannot be written, or the disk is full; the scene that was there is intact.
    """
    import rerun as rr

    findings = gather(run)
    recording = rr.RecordingStream("apprentice", recording_id=findings.name, send_properties=False)
    path = run.path / "scene.rrd"
    with atomic_path(path) as temporary:
        recording.save(temporary, default_blueprint=_blueprint(findings))
        _log_all(recording, findings)
        recording.flush()
        recording.disconnect()
    return path


def _log_all(recording: rr.RecordingStream, findings: Findings) -> None:
    import rerun as rr

    interaction = findings.interaction
    if interaction is not None:
        recording.log(PERSON, rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        for group in _person_scene(interaction, findings.truth):
            _log_lines(recording, f"{PERSON}/{group.name}", group, interaction.person.fps)
        _log_camera(recording, interaction.camera, interaction.person.fps)
        _log_surroundings(recording, findings, interaction.camera)
        _log_forces(recording, interaction, "estimate")
        if findings.truth is not None:
            _log_forces(recording, findings.truth, "truth")
    for name, points in (("person", findings.person), ("tool", findings.tool)):
        if points is not None:
            _log_points(recording, f"{PERSON}/camera/{name}", points)
    if findings.demonstration is not None:
        recording.log(ROBOT, rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        for group in _robot_scene(findings.demonstration):
            _log_lines(recording, f"{ROBOT}/{group.name}", group, findings.demonstration.tool.fps)


def _person_scene(interaction: Interaction, truth: Interaction | None) -> Iterator[Lines]:
    body = person_lines(interaction.person)
    yield body
    if interaction.tool is not None:
        yield tool_lines(interaction.tool)
    yield force_lines(interaction.forces)
    yield trail_lines(swung_point(interaction.person, interaction.tool))
    yield ground_lines(body.ends.reshape(-1, 3))
    if truth is not None:
        yield from true_lines(interaction, truth)


def _robot_scene(demonstration: Demonstration) -> Iterator[Lines]:
    tool = tool_lines(demonstration.tool)
    robot = robot_lines(demonstration)
    yield tool
    if robot is not None:
        yield robot
    points = tool.ends if robot is None else np.concatenate([tool.ends, robot.ends], axis=1)
    yield ground_lines(points.reshape(-1, 3))
    if {"nail_x", "nail_y", "nail_z"} <= set(demonstration.scene):
        top = np.array([demonstration.scene[f"nail_{axis}"] for axis in "xyz"])
        ends = np.array([[top * [1, 1, 0], top]])[None]
        yield Lines("nail", ends, np.array([NAIL], np.uint8), np.array([0.01]))


def _log_lines(recording: rr.RecordingStream, entity: str, group: Lines, fps: float) -> None:
    """Segments that change over time, or stand still where they have but one frame."""
    import rerun as rr

    radii = group.width / 2
    frames, count = group.ends.shape[:2]
    ends = group.ends.astype(np.float32)
    if frames == 1:
        recording.log(entity, rr.LineStrips3D(ends[0], colors=group.colour, radii=radii), static=True)
        return
    flat = ends.reshape(-1, 2, 3)
    if group.arrow:
        recording.log(entity, rr.Arrows3D.from_fields(colors=group.colour, radii=radii), static=True)
        columns = rr.Arrows3D.columns(origins=flat[:, 0], vectors=flat[:, 1] - flat[:, 0])
    else:
        recording.log(entity, rr.LineStrips3D.from_fields(colors=group.colour, radii=radii), static=True)
        columns = rr.LineStrips3D.columns(strips=flat)
    recording.send_columns(entity, [_clock(frames, fps)], columns.partition([count] * frames))


def _log_camera(recording: rr.RecordingStream, camera: Camera, fps: float) -> None:
    import rerun as rr

    entity = f"{PERSON}/camera"
    height, width = camera.size_hw
    pinhole = rr.Pinhole(
        image_from_camera=camera.K,
        resolution=[width, height],
        camera_xyz=rr.ViewCoordinates.RDF,
        image_plane_distance=_IMAGE_DISTANCE,
    )
    recording.log(entity, pinhole, static=True)
    pose = camera.T_world_camera
    if camera.static:
        recording.log(entity, rr.Transform3D(translation=pose[0, :3, 3], mat3x3=pose[0, :3, :3]), static=True)
    else:
        columns = rr.Transform3D.columns(translation=pose[:, :3, 3], mat3x3=pose[:, :3, :3])
        recording.send_columns(entity, [_clock(len(pose), fps)], columns)


def _log_surroundings(recording: rr.RecordingStream, findings: Findings, found: Camera) -> None:
    """Surroundings of known shape, where the estimate was given them."""
    import rerun as rr

    held = surroundings.of_run(findings.config, findings.camera, found)
    if held is None:
        return
    points, entity = held.points.astype(np.float32), f"{PERSON}/surroundings"
    if len(held.faces):
        faces = held.faces.astype(np.uint32)
        recording.log(
            entity, rr.Mesh3D(vertex_positions=points, triangle_indices=faces, albedo_factor=[*NAIL, 120]), static=True
        )
    else:
        recording.log(entity, rr.Points3D(points, colors=[NAIL], radii=[0.005]), static=True)


def _log_points(recording: rr.RecordingStream, entity: str, points: Keypoints) -> None:
    """Keypoints that were seen; a frame without any shows none."""
    import rerun as rr

    seen = points.seen
    colour = TOOL if "tool_head" in points.names else SEEN
    recording.log(entity, rr.Points2D.from_fields(colors=[colour], radii=[-3.0]), static=True)
    columns = rr.Points2D.columns(positions=points.uv[seen].astype(np.float32)).partition(seen.sum(axis=1))
    recording.send_columns(entity, [_clock(points.num_frames, points.fps)], columns)


def _log_forces(recording: rr.RecordingStream, interaction: Interaction, whose: str) -> None:
    """Vertical force of every contact [N]."""
    import rerun as rr

    forces = interaction.forces
    for c, name in enumerate(forces.names):
        entity = f"{FORCES}/{name}/{whose}"
        colour = FORCE if whose == "estimate" else MIDDLE
        label = f"{spoken(name)}, {whose}, vertical, N"
        recording.log(entity, rr.SeriesLines(colors=[colour], names=[label]), static=True)
        columns = rr.Scalars.columns(scalars=forces.wrench[:, c, 2])
        recording.send_columns(entity, [_clock(len(forces.wrench), forces.fps)], columns)


def _clock(frames: int, fps: float) -> rr.TimeColumn:
    import rerun as rr

    return rr.TimeColumn("time", duration=np.arange(frames) / fps)


def _blueprint(findings: Findings) -> rr.blueprint.Blueprint:
    """Person and robot side by side, the forces below."""
    import rerun.blueprint as rrb

    views: list = []
    if findings.interaction is not None:
        views.append(rrb.Spatial3DView(origin=PERSON, name="person"))
    elif findings.person is not None:
        views.append(rrb.Spatial2DView(origin=f"{PERSON}/camera", name="keypoints"))
    if findings.demonstration is not None:
        views.append(rrb.Spatial3DView(origin=ROBOT, name="robot"))
    rows: list = [rrb.Horizontal(*views)] if views else []
    if findings.interaction is not None:
        names = findings.interaction.forces.names
        plots = [rrb.TimeSeriesView(origin=f"{FORCES}/{name}", name=spoken(name)) for name in names]
        rows.append(rrb.Horizontal(*plots))
    return rrb.Blueprint(rrb.Vertical(*rows, row_shares=[3, 1][: len(rows)]), rrb.TimePanel(state="collapsed"))
