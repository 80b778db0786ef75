"""The person who is to be followed: where the scout saw them, and whom they must not be mistaken for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from perception.detectors.blazepose import Body
from perception.detectors.region import Region
from perception.detectors.scout import SAME_PERSON, Scouted
from records import Keypoints

REAL_SECONDS = 1.0
"""Somebody seen beside the person meant for that long, or for half of the time that they are seen at all, is somebody
else; who is never seen beside them is that person under another name, or nobody whom they could be mistaken for."""

LINK_SECONDS = 1.0
"""A fast move may break the link between sightings of one person for that long."""

SMALLEST = 16.0
"""Least side of a person [px], so that distances in sides stay finite."""


class Target:
    """One of the people whom the scout saw."""

    def __init__(self, person: Keypoints, others: list[Keypoints], scouted: Scouted) -> None:
        """Know where the person and the others were seen; all Keypoints on the sampled frames of `scouted`."""
        self._others = apart_from(person, others)
        for other in others:
            if all(other is not one for one in self._others):
                person = joined(person, other)
        self._person = person
        self._frames = scouted.frames
        self._seen = np.flatnonzero(person.seen.any(axis=1))

    def start(self, frame: int) -> Region:
        """The square around the sighting that is nearest in time."""
        nearest = self._seen[np.abs(self._frames[self._seen] - frame).argmin()]
        return Region.of_body(self._person.uv[nearest])

    def is_it(self, frame: int, body: Body) -> bool:
        """Whether a body is the person meant: none of the others, and where the scout saw them in this very frame."""
        sample = int(np.abs(self._frames - frame).argmin())
        own = _distance(self._person, sample, body)
        if any(_distance(other, sample, body) < min(own, SAME_PERSON) for other in self._others):
            return False
        known = self._frames[sample] == frame and self._person.seen[sample].any()
        return not known or _same_place(self._person.uv[sample], body.uv)


def apart_from(person: Keypoints, others: list[Keypoints]) -> list[Keypoints]:
    """The others who are somebody else indeed; all on the frames of one `Scouted`."""
    here = person.seen.any(axis=1)
    real = []
    for other in others:
        there = other.seen.any(axis=1)
        beside = (there & here).sum()
        if there.any() and (beside > there.sum() / 2 or beside >= REAL_SECONDS * person.fps):
            real.append(other)
    return real


def joined(person: Keypoints, other: Keypoints) -> Keypoints:
    """Add the sightings of somebody who appears where and when the person was lost, or is lost where they appear."""
    here, there = (np.flatnonzero(one.seen.any(axis=1)) for one in (person, other))
    if not len(here) or not len(there):
        return person
    links = [(here[here < there[0]], there[0]), (here[here > there[-1]], there[-1])]
    for candidates, end in links:
        if not len(candidates):
            continue
        near = candidates[np.abs(candidates - end).argmin()]
        if abs(int(near) - int(end)) <= LINK_SECONDS * person.fps and _same_place(person.uv[near], other.uv[end]):
            add = np.asarray(other.seen.any(axis=1) & ~person.seen.any(axis=1))
            return person.replace(
                uv=np.where(add[:, None, None], other.uv, person.uv),
                confidence=np.where(add[:, None], other.confidence, person.confidence),
            )
    return person


def _distance(person: Keypoints, sample: int, body: Body) -> float:
    """Mean distance of a body's points from those of a person, in sides of the body; infinite where not seen."""
    if not person.seen[sample].any():
        return float("inf")
    return float(np.linalg.norm(person.uv[sample] - body.uv, axis=1).mean()) / _side(body.uv)


def _same_place(one: Float[np.ndarray, "K 2"], other: Float[np.ndarray, "K 2"]) -> bool:
    """Whether two bodies cover one another's middle, whatever their limbs do: a vault tells these less surely."""
    return bool(np.abs(_middle(one) - _middle(other)).max() < min(_side(one), _side(other)) / 2)


def _middle(uv: Float[np.ndarray, "K 2"]) -> Float[np.ndarray, "2"]:
    return np.asarray((uv.min(axis=0) + uv.max(axis=0)) / 2)


def _side(uv: Float[np.ndarray, "K 2"]) -> float:
    """Longer side of what a person covers [px]."""
    return max(float(np.ptp(uv, axis=0).max()), SMALLEST)
