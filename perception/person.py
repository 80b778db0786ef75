"""Which of the people in a clip is meant, and where a detection is not to be believed."""

from __future__ import annotations

import logging

import numpy as np
from jaxtyping import Bool, Float

from perception.click import Click
from perception.continuity import continuous
from perception.sides import settle_sides
from records import Keypoints

_LIMBS = (
    ("l_shoulder", "l_elbow"), ("l_elbow", "l_wrist"), ("r_shoulder", "r_elbow"), ("r_elbow", "r_wrist"),
    ("l_hip", "l_knee"), ("l_knee", "l_ankle"), ("r_hip", "r_knee"), ("r_knee", "r_ankle"),
)  # fmt: skip
_TRUNK = ("l_shoulder", "r_shoulder", "l_hip", "r_hip")
_BODY = tuple(dict.fromkeys([*_TRUNK, *(name for limb in _LIMBS for name in limb)]))

_SHORTEST_TRACK = 3
"""Frames: a person seen in fewer cannot be followed."""

_LEAST_AGREED = 0.3
"""Confidence below which a landmark of several fused views counts as not seen: fast limbs keep .3 to .6, a body
imagined over a table has .2."""

_LEAST_CERTAIN = 0.1
"""The same for part-affinity detectors, which leave out what they do not see."""

_LEAST_BELIEVABLE = 0.5
"""Share of the detections of a person that must be believable, with a certain trunk."""

_CERTAIN_TRUNK = 0.7
"""Mean confidence from which shoulders or hips are certain, by a detector that also guesses hidden points: whatever the
limbs do, a person's are in three of four frames and more, those of a body imagined in a hand in a third at most."""

_CLICK_SECONDS = 0.5
"""Time from a click within which the person must be detected."""

_log = logging.getLogger(__name__)


class NoPersonError(ValueError):
    """Nobody was found in the clip, or nobody where the user pointed."""


def choose_person(candidates: list[Keypoints], *, pick: Click | None = None) -> Keypoints:
    """Return the candidate who is meant, with sides settled and unbelievable detections gated out; see `choose`.

    Raises:
        NoPersonError: nobody believable was found; the message says what to do.
    """
    gated = [gate_detections(settle_sides(candidate)) for candidate in candidates]
    return gated[choose(gated, pick=pick)]


def choose(people: list[Keypoints], *, pick: Click | None = None, frames: np.ndarray | None = None) -> int:
    """Return which of some people, already gated, is meant.

    Without a click they are ranked by the share of the clip in which they are seen, by size in the image, by how much
    of their trunk and limbs is in view and by motion.

    Args:
        people: one `Keypoints` per person.
        pick: a point on the person in one frame.
        frames: numbers of the clip's frames in which the people are given; by default all.

    Raises:
        NoPersonError: nobody believable was found; the message says what to do.
    """
    counts = [int(person.seen.any(axis=1).sum()) for person in people]
    present = [k for k, count in enumerate(counts) if count >= min(_SHORTEST_TRACK, people[k].num_frames)]
    if not present:
        raise NoPersonError(
            f"no person was found in the clip ({max(counts, default=0)} believable frames); cut it with --start and"
            " --end, take --detector hands for a close-up of hands, or bring keypoints with --keypoints"
        )
    if pick is not None:
        return present[_picked([people[k] for k in present], pick, frames)]
    scores = [_prominence(people[k]) for k in present]
    order = np.argsort(scores)[::-1]
    if len(order) > 1 and scores[order[1]] > 0.7 * scores[order[0]]:
        first, second = (_centre(people[present[k]]) for k in order[:2])
        _log.warning(
            "two people stand out, at (%.0f, %.0f) and (%.0f, %.0f) px; taking the first: see --person x,y@frame",
            *first,
            *second,
        )
    return present[order[0]]


def gate_detections(person: Keypoints) -> Keypoints:
    """Set the confidence to 0 in frames whose detection no body could have; nothing is filled in.

    A frame is refused where the median visibility of trunk and limbs is low, where the trunk has no extent, or where
    limbs are out of all proportion to the trunk (a detector that hallucinates a body on a table does both), and where
    the person is elsewhere than before and after. A body that is refused, or has no certain trunk, in most of the
    frames where it was detected is not believed in any.
    """
    believable = _visible(person) & _proportionate(person)
    trunk = _trunk_length(person)
    usual = float(np.median(trunk[trunk > 0])) if (trunk > 0).any() else 0.0
    believable &= continuous(person.replace(confidence=person.confidence * believable[:, None]), usual)
    detected = person.seen.any(axis=1)
    if (believable & _certain_trunk(person) & detected).sum() < _LEAST_BELIEVABLE * detected.sum():
        believable[:] = False
    return person.replace(confidence=np.where(believable[:, None], person.confidence, 0))


def _columns(person: Keypoints, names: tuple[str, ...]) -> list[int]:
    return [person.names.index(name) for name in names if name in person.names]


def _visible(person: Keypoints) -> Bool[np.ndarray, "T"]:
    """At least a third of the trunk and limb points, half of the trunk, and some of a limb are seen.

    A trunk without limbs is imagined: in a hand, say.
    """
    body = _columns(person, _BODY)
    if not body:
        return np.asarray(person.seen.any(axis=1))
    certain = _certain(person)[:, body]
    trunk = [body.index(column) for column in _columns(person, _TRUNK)]
    visible = np.asarray(certain.mean(axis=1) >= 1 / 3)
    if trunk:
        visible &= certain[:, trunk].mean(axis=1) >= 0.5
    limbs = [k for k in range(len(body)) if k not in trunk]
    return visible & certain[:, limbs].any(axis=1) if limbs else visible


def _certain(person: Keypoints) -> Bool[np.ndarray, "T K"]:
    """Points that count as seen."""
    return np.asarray(person.confidence > (_LEAST_AGREED if person.xyz is not None else _LEAST_CERTAIN))


def _certain_trunk(person: Keypoints) -> Bool[np.ndarray, "T"]:
    """Shoulders, hips or one side of both are beyond doubt; always so by detectors that do not guess.

    A bench may hide the hips, the edge of the image one side.
    """
    pairs = [_columns(person, pair) for pair in (_TRUNK[:2], _TRUNK[2:], _TRUNK[::2], _TRUNK[1::2])]
    if person.xyz is None or not any(pairs):
        return np.ones(person.num_frames, bool)
    certain = [person.confidence[:, pair].mean(axis=1) >= _CERTAIN_TRUNK for pair in pairs if pair]
    return np.asarray(np.any(certain, axis=0))


def _proportionate(person: Keypoints) -> Bool[np.ndarray, "T"]:
    """No limb whose ends are certain is longer in the image than 1.6 times the body's trunk over the clip allows."""
    trunk = _trunk_length(person)
    if not (trunk > 0).any():
        return np.ones(person.num_frames, bool)
    usual = float(np.median(trunk[trunk > 0]))
    certain = _certain(person)
    longest = np.zeros(person.num_frames)
    for start, end in _LIMBS:
        if start in person.names and end in person.names:
            a, b = person.index(start), person.index(end)
            both = certain[:, a] & certain[:, b]
            longest = np.maximum(longest, np.where(both, np.linalg.norm(person.uv[:, a] - person.uv[:, b], axis=1), 0))
    return longest <= 1.6 * np.maximum(trunk, usual)


def _trunk_length(person: Keypoints) -> Float[np.ndarray, "T"]:
    """Distance from mid-shoulders to mid-hips [px]; 0 where not seen."""
    if any(name not in person.names for name in _TRUNK):
        return np.zeros(person.num_frames)
    columns = [person.index(name) for name in _TRUNK]
    points, seen = person.uv[:, columns], person.seen[:, columns].all(axis=1)
    return np.where(seen, np.linalg.norm(points[:, :2].mean(axis=1) - points[:, 2:].mean(axis=1), axis=1), 0)


def _prominence(person: Keypoints) -> float:
    """Seen share of the clip, times size, times trunk and limbs in view, times one plus the motion in body sizes."""
    seen = person.seen.any(axis=1)
    inside = person.seen & ((person.uv >= 0) & (person.uv < np.array(person.size_hw)[::-1])).all(axis=2)
    body = _columns(person, _BODY) or list(range(len(person.names)))
    sizes, centres, views = [], [], []
    for t in np.flatnonzero(seen & inside.any(axis=1)):
        points = person.uv[t, inside[t]]
        sizes.append(float(np.linalg.norm(np.ptp(points, axis=0))))
        centres.append(points.mean(axis=0))
        views.append(float((person.confidence[t] * inside[t])[body].mean()))
    if not sizes:
        return 0.0
    size = float(np.median(sizes))
    motion = float(np.linalg.norm(np.ptp(np.array(centres), axis=0))) / max(size, 1.0)
    prominence = float(seen.mean()) * size / float(np.hypot(*person.size_hw)) * float(np.mean(views))
    return prominence * (1 + min(motion, 1.0))


def _centre(person: Keypoints) -> tuple[float, float]:
    points = person.uv[person.seen].mean(axis=0)
    return float(points[0]), float(points[1])


def _picked(present: list[Keypoints], pick: Click, frames: np.ndarray | None) -> int:
    """Return the person whose detection nearest to the clicked frame is nearest to the click, within its own extent."""
    frames = np.arange(present[0].num_frames) if frames is None else frames
    clicked = np.flatnonzero(frames == pick.frame)
    distances = []
    for person in present:
        seen = np.flatnonzero(person.seen.any(axis=1))
        away = np.abs(seen - clicked[0]) if len(clicked) else np.full(len(seen), np.inf)
        if away.min() > _CLICK_SECONDS * person.fps:
            distances.append(np.inf)
            continue
        frame = int(seen[away.argmin()])
        points = person.uv[frame, person.seen[frame]]
        nearest = float(np.linalg.norm(points - [pick.x, pick.y], axis=1).min())
        distances.append(nearest / max(float(np.linalg.norm(np.ptp(points, axis=0))), 1.0))
    best = int(np.argmin(distances))
    if distances[best] > 0.5:
        raise NoPersonError(f"nobody was found at {pick} (px, frame); click on a person who is detected")
    return best
