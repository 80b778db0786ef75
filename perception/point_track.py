"""One image point followed through the frames, from a click on: pyramidal Lucas-Kanade, checked and kept from drifting.

Each step predicts by optical flow, checked forward against backward (Kalal et al., Forward-Backward Error, ICPR 2010),
then lays remembered patches on the prediction. The patch of the click comes first, so that errors do not add up
(Matthews et al., The Template Update Problem, PAMI 2004); later patches are remembered only while an earlier one
still confirms the point, so that a turning tool stays known.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from perception.patch import Patch, smoothed, upright_pose

FLOW_LEVELS = 3
CONFIRMED = 0.6
"""Correlation above which a remembered patch confirms the point."""
CERTAIN = 0.8
"""Correlation above which nothing new needs to be remembered."""
FOUND = 0.85
"""Correlation from which a lost point is taken for found: a search compares many places, turns and scales."""
MAX_PATCHES = 4
FORWARD_BACKWARD = 0.1
"""Standard deviation of the forward-backward error of good flow, in patch radii: 1.5 px for a radius of 15 px."""
MAX_FORWARD_BACKWARD = 3.0
"""Flow is refused where the forward-backward error exceeds this many standard deviations."""
FOLLOW_RADII = 10.0
"""Half width of the window that a step looks at, in patch radii: what optical flow over the pyramid can reach."""
MAX_UNCONFIRMED = 5
"""Frames that flow alone may carry the point before it is lost: an occluder is followed no longer than that."""
SEARCH_RADII = 4.0
"""Half width of the first search for a lost point, in patch radii; it grows by as much with each frame."""
SEARCH_PATCH = 10
"""Patch radius [px] at which a lost point is searched: the image is shrunk to it."""
SEARCH_SCALES = (0.8, 1.0, 1.25)
SEARCH_TURNS = tuple(np.deg2rad([-40.0, -20.0, 0.0, 20.0, 40.0]))
AMBIGUOUS = 0.05
"""A found place must beat the second best by this correlation."""


How = Literal["recognised", "carried", "found", "lost"]
"""What the place in a frame rests on: a remembered patch, flow alone, a search after the way was lost, or nothing."""


class PointTracker:
    """Follows one point from frame to frame; `how` tells what the last place rests on."""

    def __init__(self, gray: UInt8[np.ndarray, "H W"], point: Float[np.ndarray, "2"], radius: int) -> None:
        """Start at `point` [px] in the frame `gray`; `radius` [px] is half the side of the patch remembered."""
        self.radius = radius
        self._gray = gray
        self._point = np.asarray(point, np.float64)
        self._velocity = np.zeros(2)
        around = Window.around(self._point, FOLLOW_RADII * radius, gray)
        self._patches = [Patch(smoothed(around.cut(gray)), self._point - around.origin, radius)]
        self._poses = [upright_pose(self._point)]
        self._unconfirmed = 0
        self._gap = 0
        self.how: How = "recognised"

    @property
    def lost(self) -> bool:
        """Whether the point was not seen in the last frame."""
        return self._gap > 0

    def step(self, gray: UInt8[np.ndarray, "H W"]) -> tuple[Float[np.ndarray, "2"], float]:
        """Move to the next frame.

        Returns:
            The point [px], and a confidence in [0, 1]: 0 where it is lost (the point is then the last one known).
        """
        confidence = 0.0 if self.lost else self._follow(gray)
        self.how = "carried" if self._unconfirmed else "recognised"
        if confidence == 0:
            confidence = self._search(gray)
            self.how = "found" if confidence > 0 else "lost"
        self._gray = gray
        self._gap = self._gap + 1 if confidence == 0 else 0
        return self._point.copy(), confidence

    def _follow(self, gray: np.ndarray) -> float:
        reach = FOLLOW_RADII * self.radius + 2 * float(np.linalg.norm(self._velocity))
        window = Window.around(self._point, reach, gray)
        predicted, error = self._flow(window, gray)
        trusted = error <= MAX_FORWARD_BACKWARD
        if not trusted:
            predicted = self._point + self._velocity
        if not inside(predicted, gray):
            return 0.0
        image = smoothed(window.cut(gray))
        poses, scores = self._lay(window, image, predicted)
        best = next((i for i, s in enumerate(scores) if s >= CERTAIN), int(np.argmax(scores)))
        if scores[best] >= CONFIRMED and inside(poses[best][:, 2], gray):
            self._move_to(poses[best][:, 2])
            recognised = [score >= CONFIRMED for score in scores]
            self._poses = [pose if recognised[i] else self._carried(i) for i, pose in enumerate(poses)]
            self._unconfirmed = 0
            if scores[best] < CERTAIN and error <= 1:
                self._remember(window, image)
            return min(1.0, scores[best]) * float(np.exp(-0.5 * min(error, 1.0) ** 2))
        self._unconfirmed += 1
        if not trusted or self._unconfirmed > MAX_UNCONFIRMED or not self._resembles(window, image, predicted):
            return 0.0
        self._move_to(predicted)
        self._poses = [self._carried(i) for i in range(len(self._poses))]
        return float(np.exp(-0.5 * error**2)) / (1 + self._unconfirmed)

    def _flow(self, window: Window, gray: np.ndarray) -> tuple[np.ndarray, float]:
        """Predict the point by optical flow; the error is forward against backward, in standard deviations."""
        before, now = window.cut(self._gray), window.cut(gray)
        start = (self._point - window.origin).astype(np.float32).reshape(1, 1, 2)
        guess = start + self._velocity.astype(np.float32)
        ahead, found = _lucas_kanade(before, now, start, guess, self.radius)
        back, found_back = _lucas_kanade(now, before, ahead, start, self.radius)
        if not (found and found_back):
            return self._point, np.inf
        distance = float(np.linalg.norm(back - start))
        return ahead.reshape(2) + window.origin, distance / (FORWARD_BACKWARD * self.radius)

    def _lay(self, window: Window, image: np.ndarray, predicted: np.ndarray) -> tuple[list[np.ndarray], list[float]]:
        """Align every remembered patch from the prediction; a patch that slides away from it scores -1."""
        poses, scores = [], []
        for patch, pose in zip(self._patches, self._poses, strict=True):
            aligned, score = patch.align(image, _placed(pose, predicted - window.origin))
            aligned = _placed(aligned, aligned[:, 2] + window.origin)
            scale = np.hypot(aligned[0, 0], aligned[1, 0]) / np.hypot(pose[0, 0], pose[1, 0])
            slid = np.linalg.norm(aligned[:, 2] - predicted) > self.radius / 2 or not 0.8 < scale < 1.25
            poses.append(aligned)
            scores.append(-1.0 if slid else score)
        return poses, scores

    def _resembles(self, window: Window, image: np.ndarray, predicted: np.ndarray) -> bool:
        """Whether the neighbourhood of the prediction is like the one that the point had a frame ago."""
        before = Patch(smoothed(window.cut(self._gray)), self._point - window.origin, self.radius)
        return before.correlation(image, upright_pose(predicted - window.origin)) >= CONFIRMED

    def _carried(self, index: int) -> np.ndarray:
        """Pose of a patch that was not recognised: it stays turned and scaled as it was, at the present point."""
        return _placed(self._poses[index], self._point)

    def _move_to(self, point: np.ndarray, *, frames: int = 1) -> None:
        self._velocity = (point - self._point) / frames
        self._point = point.copy()

    def _remember(self, window: Window, image: np.ndarray) -> None:
        self._patches.append(Patch(image, self._point - window.origin, self.radius))
        self._poses.append(upright_pose(self._point))
        if len(self._patches) > MAX_PATCHES:
            del self._patches[1], self._poses[1]

    def _search(self, gray: np.ndarray) -> float:
        """Look for the remembered patches around the place where the point was lost, at several scales and turns."""
        window = Window.around(self._point, SEARCH_RADII * self.radius * (1 + self._gap), gray)
        image = smoothed(window.cut(gray))
        shrink = min(1.0, SEARCH_PATCH / self.radius)
        small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        side = 2 * min(self.radius, SEARCH_PATCH) + 1
        if min(small.shape) < side:
            return 0.0
        found: list[tuple[float, int, np.ndarray]] = []
        for index, (patch, pose) in enumerate(zip(self._patches, self._poses, strict=True)):
            for scale in SEARCH_SCALES:
                for turn in SEARCH_TURNS:
                    A = pose[:, :2] @ (scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]))
                    score, second, centre = match(small, warped(patch, A, side, shrink))
                    if score - second > AMBIGUOUS:
                        place = (centre + 0.5) / shrink - 0.5
                        found.append((score, index, np.hstack([A, place[:, None]])))
            if max((score for score, _, _ in found), default=0.0) > CERTAIN:
                break
        for _, index, start in sorted(found, key=lambda f: -f[0])[:3]:
            pose, score = self._patches[index].align(image, start)
            near = np.linalg.norm(pose[:, 2] - start[:, 2]) < self.radius
            if score >= FOUND and near and inside(pose[:, 2], image):
                self._move_to(pose[:, 2] + window.origin, frames=1 + self._gap)
                self._unconfirmed = 0
                self._poses[index] = _placed(pose, self._point)
                self._poses = [self._carried(i) for i in range(len(self._poses))]
                return min(1.0, score)
        return 0.0


class Window(NamedTuple):
    """A rectangle of an image."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, point: Float[np.ndarray, "2"], reach: float, image: np.ndarray) -> Window:
        """The rectangle within `reach` [px] of a point, cut off at the edges of the image."""
        (x, y), (height, width) = point, image.shape
        left, top = int(np.clip(x - reach, 0, width - 1)), int(np.clip(y - reach, 0, height - 1))
        return cls(
            left, top, int(np.clip(x + reach + 1, left + 1, width)), int(np.clip(y + reach + 1, top + 1, height))
        )

    @property
    def origin(self) -> Float[np.ndarray, "2"]:
        """Its top left corner [px]."""
        return np.array([self.left, self.top], np.float64)

    def cut(self, image: UInt8[np.ndarray, "H W"]) -> UInt8[np.ndarray, "h w"]:
        """That part of an image."""
        return image[self.top : self.bottom, self.left : self.right]


def _placed(pose: np.ndarray, point: np.ndarray) -> np.ndarray:
    return np.hstack([pose[:, :2], np.reshape(point, (2, 1))])


def _lucas_kanade(
    first: np.ndarray, second: np.ndarray, start: np.ndarray, guess: np.ndarray, radius: int
) -> tuple[np.ndarray, bool]:
    """Optical flow of one point (1, 1, 2) px in a window of the patch's size; whether it was found."""
    side = 2 * radius + 1
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        first,
        second,
        start,
        guess.copy(),
        winSize=(side, side),
        maxLevel=FLOW_LEVELS,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(moved, np.float32), bool(np.all(found))


def warped(patch: Patch, A: Float[np.ndarray, "2 2"], side: int, shrink: float) -> Float[np.ndarray, "S S"]:
    """The patch turned and scaled by `A`, then shrunk, as float32 square of `side` px."""
    half = (side - 1) / 2
    inverse = np.linalg.inv(A * shrink)
    offset = np.array([patch.radius, patch.radius]) - inverse @ [half, half]
    M = np.hstack([inverse, offset[:, None]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    source = cv2.GaussianBlur(patch.gray.astype(np.float32), (0, 0), max(0.5, 0.4 / shrink))
    return cv2.warpAffine(source, M, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def match(
    window: Float[np.ndarray, "H W"], template: Float[np.ndarray, "S S"]
) -> tuple[float, float, Float[np.ndarray, "2"]]:
    """Best and second best normalised cross correlation of `template` in `window`, and the centre of the best [px]."""
    scores = cv2.matchTemplate(window, template, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    half = len(template) // 2
    scores[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1] = -1
    return float(best), float(scores.max()), np.array([x + half, y + half], np.float64)


def inside(point: Float[np.ndarray, "2"], image: np.ndarray) -> bool:
    """Whether a point [px] lies on the image."""
    return bool(0 <= point[0] <= image.shape[1] - 1 and 0 <= point[1] <= image.shape[0] - 1)
