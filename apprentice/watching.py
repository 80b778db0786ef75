"""The stages from a clip, or what others have made of one, to the motion and forces of a person in the run folder."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from apprentice import surroundings
from apprentice.options import Foreign, Seeing, Source, Subject, Surroundings
from apprentice.stages import UsageError, named_tool
from records import Camera, Clip, ContactStates, Interaction, Keypoints, Run, digest

if TYPE_CHECKING:
    from motion.tool import Tool
    from perception.track import Observations, TrackOptions

_log = logging.getLogger("apprentice")

NOTHING_KNOWN = Surroundings()


def name_of(source: Source) -> str:
    """What a run is called by default: the sequence, the clip or the file of keypoints."""
    if source.sequence:
        return source.sequence
    path = source.clip or source.keypoints
    if path is None:
        raise UsageError("nothing to watch: give a CLIP, or --keypoints FILE")
    return path.stem


def observe(run: Run, source: Source, seeing: Seeing, subject: Subject) -> Observations:
    """Stages `clip`, `person`, `tool_seen`, `tool`, `camera`, `contacts`: everything that is seen."""
    from perception.track import Observations, observe_keypoints
    from perception.vertical import still_segments

    options = _track_options(seeing, subject)
    if source.clip is not None and source.keypoints is not None:
        raise UsageError("give either a CLIP or --keypoints, not both")
    clip = None
    if source.clip is not None:
        clip = open_source(run, source)
        person = _detect(run, clip, options)
        tracked = _track_tool(run, clip, person, options)
        options = _with_lens(clip, options)
    else:
        person, tracked = _read_person(run, source, options), None
    key = digest(person, tracked, clip is not None, _settings(options))
    seen = functools.cache(
        lambda: observe_keypoints(
            person, options, tool=tracked, segments=None if clip is None else still_segments(clip)
        )
    )
    tool = None
    if tracked is not None or options.two_handed or options.tool_csv is not None:
        tool = run.stage("tool", key, Keypoints, lambda: cast(Keypoints, seen().tool))
    camera = run.stage("camera", key, Camera, lambda: seen().camera)
    contacts = run.stage("contacts", key, ContactStates, lambda: seen().contacts)
    return Observations(person, tool, contacts, camera)


def open_source(run: Run, source: Source) -> Clip:
    """Stage `clip`: the stretch of video that is watched."""
    from perception.video import open_clip

    if source.clip is None:
        raise UsageError("a CLIP is needed")
    clip = open_clip(source.clip, fps=source.fps, start=source.start, end=source.end)
    clip = clip.replace(path=str(Path(clip.path).resolve()))
    clip.save(run.file("clip"))
    return clip


def estimate(
    run: Run, seen: Observations, seeing: Seeing, subject: Subject, around: Surroundings = NOTHING_KNOWN
) -> Interaction:
    """Stage `interaction`: 3D motion of person and tool, and contact forces."""
    from motion.estimate import EstimateOptions
    from motion.estimate import estimate as estimate_motion

    measured = seeing.focal is not None or seeing.camera is not None
    options = EstimateOptions(height=subject.height, mass=subject.mass, focal_known=measured)
    tool = _held(subject)
    if seen.tool is not None and tool is None:
        raise UsageError("the tool's endpoints are given but not which tool it is; name it with --tool")
    known = (repr(tool), subject.height, subject.mass, measured, surroundings.key(around))
    key = digest(seen.person, seen.tool, seen.contacts, seen.camera, *known)
    return run.stage(
        "interaction",
        key,
        Interaction,
        lambda: estimate_motion(
            seen.person,
            seen.camera,
            seen.contacts,
            tool=seen.tool,
            tool_name=tool,
            options=options,
            scene=surroundings.load(around, seen.camera),
        ),
    )


def bring_in(
    run: Run,
    foreign: Foreign,
    source: Source,
    seeing: Seeing,
    subject: Subject,
    around: Surroundings = NOTHING_KNOWN,
) -> Interaction:
    """Stage `interaction` from motion that another program has found: ground, contacts and forces are added."""
    from motion.importers import import_motion
    from motion.importers.interaction import interaction_of

    if foreign.motion is None or source.clip is not None or source.keypoints is not None:
        raise UsageError("give either a CLIP, --keypoints or --motion, only one of them")
    if subject.tool is not None or subject.tool_file is not None:
        raise UsageError("a tool cannot be added to --motion; estimate it from the clip or from keypoints")
    known = {
        "format": foreign.motion_format,
        "person": seeing.person,
        "fps": source.fps,
        "height": subject.height,
        "mass": subject.mass,
        "focal": seeing.focal,
        "size_hw": source.size,
    }

    def compute() -> Interaction:
        tracks = import_motion(cast(Path, foreign.motion), body_model=foreign.body_model, **cast(Any, known))
        if len(tracks) > 1:
            names = ", ".join(track.name for track in tracks)
            _log.warning(
                "%d people in the file (%s): took the longest seen; --person names another", len(tracks), names
            )
        return interaction_of(tracks[0], scene=surroundings.load(around, tracks[0].camera))

    key = digest(existing(foreign.motion), _file(foreign.body_model), known, surroundings.key(around))
    return run.stage("interaction", key, Interaction, compute)


def existing(path: Path) -> Path:
    """The path of an input, which must exist.

    Raises:
        UsageError: it does not.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    return path


def _detect(run: Run, clip: Clip, options: TrackOptions) -> Keypoints:
    from perception.detectors.detector import load_detector
    from perception.person import choose_person

    detector, model = load_detector(options.detector), _file(Path(options.detector))
    key = digest(Path(clip.path), clip.fps, clip.start, clip.num_frames, options.detector, model, str(options.person))
    return run.stage(
        "person",
        key,
        Keypoints,
        lambda: choose_person(detector.detect(clip, pick=options.person), pick=options.person),
    )


def _read_person(run: Run, source: Source, options: TrackOptions) -> Keypoints:
    from perception.detectors.detector import read_keypoints
    from perception.person import choose_person

    if source.keypoints is None:
        raise UsageError("nothing to watch: give a CLIP, or --keypoints FILE")
    fps = source.fps if source.fps is not None else 24.0
    people = read_keypoints(source.keypoints, sequence=source.sequence, fps=fps, size_hw=source.size)
    person = choose_person(people, pick=options.person)
    return run.stage("person", digest(person), Keypoints, lambda: person)


def _track_tool(run: Run, clip: Clip, person: Keypoints, options: TrackOptions) -> Keypoints | None:
    from perception.tool_track import track_tool

    if options.tool_csv is not None or not (options.tool_head or options.tool_handle):
        return None
    clicks = [str(click) for click in (*options.tool_head, "|", *options.tool_handle)]
    key = digest(Path(clip.path), clip.fps, clip.start, clip.num_frames, person, clicks)
    return run.stage(
        "tool_seen",
        key,
        Keypoints,
        lambda: track_tool(clip, person, head=options.tool_head, handle=options.tool_handle),
    )


def _track_options(seeing: Seeing, subject: Subject) -> TrackOptions:
    from perception.click import Click
    from perception.track import TrackOptions

    return TrackOptions(
        detector=seeing.detector,
        person=Click.parse(seeing.person) if seeing.person else None,
        tool_head=tuple(Click.parse(text) for text in seeing.tool_head),
        tool_handle=tuple(Click.parse(text) for text in seeing.tool_handle),
        two_handed=_two_handed(seeing, subject),
        tool_csv=str(seeing.tool_csv) if seeing.tool_csv else None,
        camera_file=str(seeing.camera) if seeing.camera else None,
        camera_name=seeing.camera_name,
        focal=seeing.focal,
        height=subject.height or 1.7,
    )


def _two_handed(seeing: Seeing, subject: Subject) -> bool:
    if seeing.two_handed and seeing.one_handed:
        raise UsageError("a tool is held either --one-handed or --two-handed, not both")
    tool = _held(subject)
    return seeing.two_handed or (tool is not None and tool.two_handed and not seeing.one_handed)


def _with_lens(clip: Clip, options: TrackOptions) -> TrackOptions:
    from perception.lens import stated_focal
    from perception.video import pixel_aspect

    aspect = options.pixel_aspect if options.pixel_aspect is not None else pixel_aspect(clip)
    focal = options.focal if options.focal is not None else stated_focal(clip, aspect)
    return replace(options, focal=focal, pixel_aspect=aspect)


def _settings(options: TrackOptions) -> Mapping[str, Any]:
    files = {name: _file(Path(path)) for name, path in (("t", options.tool_csv), ("c", options.camera_file)) if path}
    return {**asdict(options), "files": files}


def _file(path: Path | None) -> str:
    return digest(path) if path is not None and path.is_file() else ""


def _held(subject: Subject) -> Tool | None:
    if subject.tool is None and subject.tool_file is None:
        return None
    return named_tool(subject.tool or "", subject.tool_file)
