"""MediaPipe Hands (0.10.21, model bundled with the package): the hands of one person, where no body is in view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from perception.click import Click
from perception.detectors.detector import DetectionError
from perception.detectors.quiet import quiet
from perception.video import Image, read_frames
from records import Clip, Keypoints

_LANDMARKS = {
    "wrist": 0, "thumb": 2, "index": 5, "middle": 9, "ring": 13, "pinky": 17,
    "thumb_tip": 4, "index_tip": 8, "middle_tip": 12, "ring_tip": 16, "pinky_tip": 20,
}  # fmt: skip
"""Column of each named point in the 21 landmarks of a hand; without `_tip` it is the knuckle, as in a body."""

NAMES = tuple(f"{side}_{name}" for side in "lr" for name in (*_LANDMARKS, "fingers"))
"""Points of the output; the fingers are midway between the knuckles of index and little finger, as in a body."""

_MOST_HANDS = 2

_FARTHEST_STEP = 2.0
"""Steps of the wrist from frame to frame, in hand lengths, count as evidence for the side up to this one."""


class _Hand(NamedTuple):
    uv: np.ndarray
    """(12, 2) px."""
    left: float
    """Probability that it is the person's left hand."""

    @property
    def length(self) -> float:
        """Longer side of what the hand covers [px]."""
        return max(float(np.ptp(self.uv, axis=0).max()), 1.0)


class MediaPipeHands:
    """Left and right hand, one forward pass."""

    def detect(self, clip: Clip, *, pick: Click | None = None) -> list[Keypoints]:
        """Return named points of both hands as one person's, or nothing where no frame shows a hand.

        Confidence is that of the side; a hand that is not seen has confidence 0. With more than two hands in view the
        two that the network finds first are taken, whatever `pick` says.

        Raises:
            DetectionError: MediaPipe is not installed, or is too new to hold this model.
        """
        uv = np.zeros((clip.num_frames, 2, len(NAMES) // 2, 2))
        confidence = np.zeros((clip.num_frames, 2, len(NAMES) // 2))
        last: list[np.ndarray | None] = [None, None]
        for frame, hands in enumerate(_results(read_frames(clip))):
            cost = np.array([[_cost(hand, side, last[side]) for side in range(2)] for hand in hands]).reshape(-1, 2)
            for number, side in zip(*linear_sum_assignment(cost), strict=True):
                hand = hands[number]
                uv[frame, side], last[side] = hand.uv, hand.uv[0]
                confidence[frame, side] = max(hand.left if side == 0 else 1 - hand.left, 0.5)
        if not confidence.any():
            return []
        shape = (clip.num_frames, len(NAMES))
        return [
            Keypoints(
                names=NAMES,
                uv=uv.reshape(*shape, 2),
                confidence=confidence.reshape(shape),
                fps=clip.fps,
                size_hw=clip.size_hw,
            )
        ]


def _cost(hand: _Hand, side: int, last: np.ndarray | None) -> float:
    """How little speaks for a side: the network's probability, and the way from where that hand was last."""
    probability = hand.left if side == 0 else 1 - hand.left
    step = _FARTHEST_STEP if last is None else float(np.linalg.norm(hand.uv[0] - last)) / hand.length
    return -float(np.log(max(probability, 1e-3))) + 2 * min(step, _FARTHEST_STEP)


def _results(images: Iterator[Image]) -> Iterator[list[_Hand]]:
    try:
        from mediapipe.python.solutions.hands import Hands
    except ImportError as error:
        raise DetectionError(f"MediaPipe 0.10.21 is not installed ({error}); `make test` installs it") from error
    with quiet():
        network = Hands(max_num_hands=_MOST_HANDS, model_complexity=1)
    with network:
        for image in images:
            with quiet():
                found = network.process(image)
            pairs = zip(found.multi_hand_landmarks or (), found.multi_handedness or (), strict=True)
            yield [_hand(landmarks.landmark, sides.classification[0], image) for landmarks, sides in pairs]


def _hand(landmarks: Any, side: Any, image: Image) -> _Hand:
    points = np.array([(p.x, p.y) for p in landmarks])[list(_LANDMARKS.values())]
    uv = points * [image.shape[1], image.shape[0]] - 0.5
    names = list(_LANDMARKS)
    fingers = uv[[names.index("index"), names.index("pinky")]].mean(axis=0)
    # The network names sides as in a mirror: it was made for cameras that face their user.
    score = side.score if side.label == "Right" else 1 - side.score
    return _Hand(np.concatenate([uv, fingers[None]]), float(score))
