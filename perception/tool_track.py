"""Tool endpoints through a clip, from clicks: each click is followed both ways and neighbouring tracks are blended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from perception.click import Click, ClickError
from perception.point_track import PointTracker
from perception.tool_reach import within_reach
from perception.video import read_frames
from records import Clip, Keypoints

ENDPOINTS = ("tool_head", "tool_handle")
DIAGONALS_PER_RADIUS = 70.0
"""Image diagonal over the default patch radius: 13 px at 576p, 31 px at 1080p, some 4 cm on a person in full view."""
MIN_RADIUS = 6
BUFFER_BYTES = 128 * 2**20
"""Memory for frames that are played backwards; a long clip is read again in pieces of this size."""
DISAGREEMENT = 1.0
"""Tracks from two clicks that are further apart than this many patch radii contradict each other."""


class ToolTrackError(ValueError):
    """The tool cannot be tracked: no click, a click off the clip, or a tool not seen again after any click."""


class PointTrack(NamedTuple):
    """One point over time."""

    uv: Float[np.ndarray, "T 2"]
    """Image point [px]; 0 where it is not seen."""
    confidence: Float[np.ndarray, "T"]
    """In [0, 1]; 0 where it is not seen."""


def track_tool(
    clip: Clip, person: Keypoints, *, head: Sequence[Click], handle: Sequence[Click], radius: int | None = None
) -> Keypoints:
    """Follow the tool's endpoints through the clip.

    The frames are read once forwards, and once backwards in pieces when a click is not in the first frame; memory does
    not grow with the clip.

    Args:
        clip: the video.
        person: whoever holds the tool, tracked on the same frames.
        head: clicks on the working end, in any order; an endpoint without clicks has confidence 0 throughout.
        handle: clicks on the other end.
        radius: half the side of the patch that is followed [px]; by default the image diagonal / 70.

    Returns:
        Keypoints tool_head, tool_handle. Confidence comes from the forward-backward error and the likeness to what was
        clicked; gaps have confidence 0 and are not filled, and what is found again beyond the reach of the hands is a
        gap, too. In the frame of a click: the click, with confidence 1.

    Raises:
        ToolTrackError: no click, a click off the clip, or a tool that is not seen again after any click.
    """
    if person.num_frames != clip.num_frames:
        raise ToolTrackError(
            f"the person has {person.num_frames} frames and the clip {clip.num_frames}; track the person on this clip"
        )
    clicks = {"tool_head": _by_frame(head, clip), "tool_handle": _by_frame(handle, clip)}
    if not any(clicks.values()):
        raise ToolTrackError("no click on the tool; give at least one as x,y@frame, on its head or on its handle")
    tracks = _followed(clip, clicks, radius)
    tracks = {name: _in_hand(track, sorted(clicks[name]), person) for name, track in tracks.items()}
    return _keypoints(clip, clicks, tracks).replace(fps=person.fps, source=person.source)


def track_points(clip: Clip, clicks: Mapping[str, Sequence[Click]], *, radius: int | None = None) -> Keypoints:
    """Follow named points of a tool, whoever holds it, as `track_tool` does.

    Raises:
        ToolTrackError: a point without a click, a click off the clip, or a point that is not seen again after any.
    """
    chosen = {name: _by_frame(of_point, clip) for name, of_point in clicks.items()}
    if not chosen or not all(chosen.values()):
        raise ToolTrackError("no click on a point of the tool; give at least one on each as x,y@frame")
    return _keypoints(clip, chosen, _followed(clip, chosen, radius))


def _followed(clip: Clip, clicks: Mapping[str, Mapping[int, Click]], radius: int | None) -> dict[str, PointTrack]:
    """Tracks from clicks, both ways, blended."""
    frames = [frame for chosen in clicks.values() for frame in chosen]
    radius = default_radius(clip.size_hw) if radius is None else radius
    ahead = follow(enumerate(gray_frames(clip)), clicks, radius, clip.num_frames)
    back = follow(frames_backwards(clip, max(frames)), clicks, radius, clip.num_frames)
    return {name: blend(ahead[name], back[name], sorted(clicks[name]), radius) for name in clicks}


def _keypoints(clip: Clip, clicks: Mapping[str, Mapping[int, Click]], tracks: Mapping[str, PointTrack]) -> Keypoints:
    """Tracks side by side; each must go beyond its clicks."""
    for name, chosen in clicks.items():
        if chosen and clip.num_frames > len(chosen) and np.count_nonzero(tracks[name].confidence) == len(chosen):
            raise ToolTrackError(
                f"{name} was not seen again after any click ({', '.join(str(c) for c in chosen.values())});"
                " click on a spot with contrast, in a frame where it is sharp, or in more frames"
            )
    return Keypoints(
        names=tuple(clicks),
        uv=np.stack([tracks[name].uv for name in clicks], axis=1),
        confidence=np.stack([tracks[name].confidence for name in clicks], axis=1),
        fps=clip.fps,
        size_hw=clip.size_hw,
    )


def default_radius(size_hw: tuple[int, int]) -> int:
    """Half the side of the patch to follow [px]."""
    return max(MIN_RADIUS, round(float(np.hypot(*size_hw)) / DIAGONALS_PER_RADIUS))


def gray_frames(clip: Clip) -> Iterator[UInt8[np.ndarray, "H W"]]:
    """Frames of the clip in gray levels."""
    for frame in read_frames(clip):
        yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def frames_backwards(
    clip: Clip, last: int, *, buffer_bytes: int = BUFFER_BYTES
) -> Iterator[tuple[int, UInt8[np.ndarray, "H W"]]]:
    """Gray frames `last`, ..., 0 with their numbers; nothing when `last` is 0. At most `buffer_bytes` are held."""
    piece = max(1, buffer_bytes // (clip.size_hw[0] * clip.size_hw[1]))
    end = last + 1 if last > 0 else 0
    while end > 0:
        start = max(0, end - piece)
        part = clip.replace(start=clip.start + start, num_frames=end - start)
        held = list(gray_frames(part))
        for offset in range(len(held) - 1, -1, -1):
            yield start + offset, held.pop()
        end = start


def follow(
    frames: Iterable[tuple[int, UInt8[np.ndarray, "H W"]]],
    clicks: Mapping[str, Mapping[int, Click]],
    radius: int,
    num_frames: int,
) -> dict[str, PointTrack]:
    """Follow every endpoint from each of its clicks to the next one, in the order in which the frames come.

    Where flow alone has carried a point and its way is lost in the end, it was on something else: a gap.
    """
    uv = {name: np.zeros((num_frames, 2)) for name in clicks}
    confidence = {name: np.zeros(num_frames) for name in clicks}
    trackers: dict[str, PointTracker] = {}
    carried: dict[str, list[int]] = {name: [] for name in clicks}
    for index, gray in frames:
        for name, chosen in clicks.items():
            if index in chosen:
                point = np.array([chosen[index].x, chosen[index].y], np.float64)
                trackers[name] = PointTracker(gray, point, radius)
                uv[name][index], confidence[name][index] = point, 1.0
                carried[name] = []
            elif name in trackers:
                point, seen = trackers[name].step(gray)
                if seen > 0:
                    uv[name][index], confidence[name][index] = point, seen
                if trackers[name].how in ("found", "lost"):
                    uv[name][carried[name]], confidence[name][carried[name]] = 0.0, 0.0
                carried[name] = [*carried[name], index] if trackers[name].how == "carried" else []
    return {name: PointTrack(uv[name], confidence[name]) for name in clicks}


def blend(ahead: PointTrack, back: PointTrack, click_frames: Sequence[int], radius: int) -> PointTrack:
    """Join the tracks from the click before and from the click after each frame.

    Between two clicks each track weighs by its confidence and by how near its click is, so that the joint track meets
    both. Where they contradict each other, the heavier one holds, with half its confidence.
    """
    frames = np.arange(len(ahead.confidence))
    chosen = np.asarray(click_frames, np.int64)
    until_next = np.array([np.min(chosen[chosen >= t] - t, initial=len(frames)) for t in frames], np.float64)
    since_last = np.array([np.min(t - chosen[chosen <= t], initial=len(frames)) for t in frames], np.float64)
    near = until_next + since_last
    weight_ahead = ahead.confidence * np.where(near > 0, until_next / np.maximum(near, 1), 1)
    weight_back = back.confidence * np.where(near > 0, since_last / np.maximum(near, 1), 0)
    total = weight_ahead + weight_back
    apart = np.linalg.norm(ahead.uv - back.uv, axis=1) > DISAGREEMENT * radius
    contradict = (weight_ahead > 0) & (weight_back > 0) & apart
    share = np.where(contradict, weight_ahead >= weight_back, weight_ahead / np.where(total > 0, total, 1))[:, None]
    uv = share * ahead.uv + (1 - share) * back.uv
    confidence = np.maximum(ahead.confidence, back.confidence)
    heavier = np.where(weight_ahead >= weight_back, ahead.confidence, back.confidence)
    confidence = np.where(contradict, 0.5 * heavier, confidence)
    return PointTrack(np.where(confidence[:, None] > 0, uv, 0.0), confidence)


def _in_hand(track: PointTrack, clicked: Sequence[int], person: Keypoints) -> PointTrack:
    """Take out what cannot be the tool: it is too far from the hands."""
    believed = (track.confidence > 0) & within_reach(track.uv, track.confidence > 0, clicked, person)
    return PointTrack(np.where(believed[:, None], track.uv, 0.0), np.where(believed, track.confidence, 0.0))


def _by_frame(clicks: Sequence[Click], clip: Clip) -> dict[int, Click]:
    chosen: dict[int, Click] = {}
    for click in clicks:
        try:
            click.check(clip.size_hw, clip.num_frames)
        except ClickError as error:
            raise ToolTrackError(str(error)) from error
        if click.frame in chosen:
            raise ToolTrackError(
                f"two clicks on one endpoint in frame {click.frame}: {chosen[click.frame]} and {click}"
            )
        chosen[click.frame] = click
    return chosen
