"""From a clip, or from keypoints alone, to everything that perception hands on: person, tool, contacts, camera."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from perception.camera import fit_camera
from perception.camera_file import read_calibration
from perception.click import Click
from perception.contact import estimate_contacts
from perception.detectors.detector import load_detector
from perception.hands_axis import Side, ToolReach, hands_axis
from perception.lens import stated_focal
from perception.person import choose_person
from perception.tool_csv import read_tool_csv
from perception.tool_track import track_tool
from perception.vertical import still_segments
from perception.video import pixel_aspect
from records import Camera, Clip, ContactStates, Keypoints

SIGMA_POSED = np.deg2rad(0.2)
"""Error of the vertical of a calibrated camera [rad]: that of the floor or the level that its world was laid on."""


class Observations(NamedTuple):
    """What is seen of a person, and of the tool if there is one, in every frame."""

    person: Keypoints
    tool: Keypoints | None
    contacts: ContactStates
    camera: Camera


@dataclass(frozen=True)
class TrackOptions:
    """What the user knows beforehand, or wants otherwise."""

    detector: str = "mediapipe"
    """Name in the table of detectors, or the path of a `.task` model."""
    person: Click | None = None
    """A point on the person, where there are several."""
    tool_head: tuple[Click, ...] = ()
    """Points on the tool's working end."""
    tool_handle: tuple[Click, ...] = ()
    """Points on the tool's other end."""
    two_handed: bool = False
    """Whether both hands hold the tool, so that the line through them is its axis where no click says better."""
    reach: ToolReach = field(default_factory=lambda: ToolReach(head=0.6, handle=0.2))
    """How far a two-handed tool sticks out beyond the hands [m]."""
    leading: Side | None = None
    """The hand nearer to the tool's head; by default the lower one."""
    tool_csv: str | None = None
    """A table of tool endpoints, `frame,name,x,y[,confidence]`; it takes the place of clicks."""
    camera_file: str | None = None
    """A calibration: OpenCV YAML or Qualisys."""
    camera_name: str | None = None
    """Which camera of a file that holds several."""
    focal: float | None = None
    """Focal length fx [px]; by default from the file's metadata, else from the image size."""
    pixel_aspect: float | None = None
    """Width of a pixel over its height; by default what the file declares."""
    height: float = 1.7
    """Body height [m]."""


def track(clip: Clip, options: TrackOptions | None = None) -> Observations:
    """Find the person and the tool in the clip, the contacts and the camera.

    Raises:
        ValueError: one of the stages has nothing to work on; its message says what to do.
    """
    options = options or TrackOptions()
    candidates = load_detector(options.detector).detect(clip, pick=options.person)
    person = choose_person(candidates, pick=options.person)
    tool = None
    if options.tool_csv is None and (options.tool_head or options.tool_handle):
        tool = track_tool(clip, person, head=options.tool_head, handle=options.tool_handle)
    aspect = options.pixel_aspect if options.pixel_aspect is not None else pixel_aspect(clip)
    focal = options.focal if options.focal is not None else stated_focal(clip, aspect)
    known = replace(options, focal=focal, pixel_aspect=aspect)
    return observe_keypoints(person, known, tool=tool, segments=still_segments(clip))


def observe_keypoints(
    person: Keypoints,
    options: TrackOptions | None = None,
    *,
    tool: Keypoints | None = None,
    segments: Float[np.ndarray, "N 4"] | None = None,
) -> Observations:
    """Complete detections that came without a video, or after `track` has looked at it.

    Args:
        person: the detections.
        options: clicks and detector are of no use here and are ignored.
        tool: the tool's endpoints where they are known; else from the table or the hands, as the options say.
        segments: line segments of the still background, where there is a video.

    Raises:
        ValueError: one of the stages has nothing to work on; its message says what to do.
    """
    options = options or TrackOptions()
    if options.tool_csv is not None:
        tool = read_tool_csv(options.tool_csv, num_frames=person.num_frames, fps=person.fps, size_hw=person.size_hw)
    if options.two_handed and (tool is None or tool.confidence.max(axis=0).min() == 0):
        axis = hands_axis(person, options.reach, leading=options.leading, height=options.height)
        tool = axis if tool is None else merge_tool(tool, axis)
    camera = observe_camera(person, options, segments)
    contacts = estimate_contacts(person, camera, tool)
    return Observations(person, tool, contacts, camera)


def observe_camera(
    person: Keypoints, options: TrackOptions, segments: Float[np.ndarray, "N 4"] | None = None
) -> Camera:
    """The camera from its file, as far as that goes, and from the person's motion and what is built."""
    calibration = None
    if options.camera_file is not None:
        calibration = read_calibration(options.camera_file, name=options.camera_name, size_hw=person.size_hw)
        if calibration.posed:
            return calibration.camera.replace(tilt_sigma=np.array([SIGMA_POSED, SIGMA_POSED]))
    return fit_camera(
        person,
        focal=options.focal,
        pixel_aspect=options.pixel_aspect or 1.0,
        height=options.height,
        intrinsics=None if calibration is None else calibration.camera,
        segments=segments,
    ).camera


def merge_tool(tool: Keypoints, axis: Keypoints) -> Keypoints:
    """Endpoints that were never seen are taken from the hands' axis; those that were keep their gaps."""
    never = tool.confidence.max(axis=0) == 0
    return tool.replace(
        uv=np.where(np.reshape(never, (1, -1, 1)), axis.uv, tool.uv),
        confidence=np.where(never, axis.confidence, tool.confidence),
    )
