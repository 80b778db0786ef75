"""A square window that goes with one person, so that the network sees them large, and nobody else most of the time."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from perception.detectors.blazepose import Body
from perception.detectors.scout import SAME_PERSON, Scouted
from perception.video import Image
from records import Keypoints

MARGIN = 2.0
"""Side of the window in the longer sides of the person: room to move, and what the detector was trained to see."""

SIDE_PX = 512
"""Pixels along the side of what the network is given: the person has half of it, and the network reads 256 px."""

FOUND_SHARE = 0.9
"""Share of the frames in which the scout saw the person, in which following them in the whole image must have found
them too, but for one: scout or follower may miss somebody for a moment without losing them."""

REAL_SECONDS = 1.0
"""Somebody seen for less than that, and never beside the person meant, is that person under another name: a fast move
broke the link."""

BREATH = 1.0
"""Seconds around a frame over which the largest extent of the person sets the window: a crouch does not change it,
nor does the network's own following, which goes by the image, lose its way because the image shrinks."""

SMALLEST = 16.0
"""Least side of a person [px]: a collapsed detection must not take the window with it."""


class Window(NamedTuple):
    """A square of the image, which may reach beyond it [px]."""

    x: int
    y: int
    side: int

    @classmethod
    def around(cls, middle: Float[np.ndarray, "2"], side: float) -> Window:
        """Lay a window around a point."""
        side = max(2, round(side))
        return cls(round(float(middle[0]) - side / 2), round(float(middle[1]) - side / 2), side)

    def cut(self, image: Image) -> UInt8[np.ndarray, "S S 3"]:
        """Cut the window out, black beyond the image, at `SIDE_PX`."""
        left, top = max(-self.x, 0), max(-self.y, 0)
        inside = image[max(self.y, 0) : max(self.y + self.side, 0), max(self.x, 0) : max(self.x + self.side, 0)]
        square = np.zeros((self.side, self.side, 3), np.uint8)
        square[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
        method = cv2.INTER_AREA if self.side > SIDE_PX else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(square, (SIDE_PX, SIDE_PX), interpolation=method), np.uint8)

    def to_image(self, uv: Float[np.ndarray, "K 2"]) -> Float[np.ndarray, "K 2"]:
        """Points of the cut window as points of the image [px]."""
        return (uv + 0.5) * (self.side / SIDE_PX) - 0.5 + np.array([self.x, self.y])


def apart_from(target: Keypoints, others: list[Keypoints]) -> list[Keypoints]:
    """The others who are somebody else indeed; all on the frames of one `Scouted`."""
    here = target.seen.any(axis=1)
    real = []
    for other in others:
        there = other.seen.any(axis=1)
        if there.any() and ((there & here).sum() > there.sum() / 2 or there.sum() >= REAL_SECONDS * target.fps):
            real.append(other)
    return real


class Focus:
    """Goes through frames in any order of time and keeps its window on one person.

    The window moves with the person from frame to frame. The network looks for them where they were in the window
    before, so it is right as long as their speed does not change.
    """

    def __init__(self, target: Keypoints, others: list[Keypoints], scouted: Scouted) -> None:
        """Know where the target and the others were seen; all Keypoints on the sampled frames of `scouted`."""
        self._target = target
        self._others = others
        self._frames = scouted.frames
        self._seen = np.flatnonzero(target.seen.any(axis=1))
        sides = np.array([_side(target.uv[sample]) for sample in self._seen])
        near = np.abs(self._seen[:, None] - self._seen) <= BREATH * target.fps
        self._sides = np.where(near, sides, 0.0).max(axis=1)
        self._middle: np.ndarray | None = None
        self._lost = False

    def look(self, frame: int) -> Window:
        """The window for a frame: where the person was last, or where the scout saw them if they have been lost."""
        sample = self._nearest(frame)
        if self._middle is None:
            nearest = self._seen[np.abs(self._seen - sample).argmin()]
            self._middle = _middle(self._target.uv[nearest])
        elif self._lost and self._frames[sample] == frame and self._target.seen[sample].any():
            self._middle = _middle(self._target.uv[sample])
        self._lost = True
        side = float(np.interp(frame, self._frames[self._seen], self._sides))
        return Window.around(self._middle, MARGIN * side)

    def accept(self, frame: int, body: Body) -> bool:
        """Whether a body found in the window is the person meant; the window then follows."""
        if self._someone_else(frame, body):
            return False
        self._middle = _middle(body.uv)
        self._lost = False
        return True

    def agrees(self, first: int, uv: Float[np.ndarray, "T K 2"], found: Bool[np.ndarray, "T"]) -> bool:
        """Whether bodies `uv` [px], found in some frames from number `first` on, are the person who was scouted.

        The network cuts a person whom it follows out of the image by itself, as sharp as the image is. Only the search
        for them suffers from a large image, or from other people; where it succeeds, a window of ours, which moves and
        so shows the network a still body in motion, makes it worse (parkour: 2 % more error).
        """
        places = self._frames - first
        known = self._target.seen.any(axis=1) & (places >= 0) & (places < len(uv))
        if not known.any():
            return True
        same = [
            bool(found[places[sample]]) and _same_place(self._target.uv[sample], uv[places[sample]])
            for sample in np.flatnonzero(known)
        ]
        missed = len(same) - sum(same)
        return any(same) and missed <= max(1, round((1 - FOUND_SHARE) * len(same)))

    def _someone_else(self, frame: int, body: Body) -> bool:
        sample = self._nearest(frame)
        own = _distance(self._target, sample, body)
        return any(_distance(other, sample, body) < min(own, SAME_PERSON) for other in self._others)

    def _nearest(self, frame: int) -> int:
        return int(np.abs(self._frames - frame).argmin())


def _distance(person: Keypoints, sample: int, body: Body) -> float:
    """Mean distance of a body's points from those of a person, in sides of the body; infinite where not seen."""
    if not person.seen[sample].any():
        return float("inf")
    return float(np.linalg.norm(person.uv[sample] - body.uv, axis=1).mean()) / _side(body.uv)


def _same_place(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two bodies cover one another's middle, whatever their limbs do: a vault tells these less surely."""
    return bool(np.abs(_middle(one) - _middle(other)).max() < min(_side(one), _side(other)) / 2)


def _middle(uv: np.ndarray) -> np.ndarray:
    return np.asarray((uv.min(axis=0) + uv.max(axis=0)) / 2)


def _side(uv: np.ndarray) -> float:
    """Longer side of what a person covers [px]."""
    return max(float(np.ptp(uv, axis=0).max()), SMALLEST)
