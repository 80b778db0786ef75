"""What perception hands on: `Keypoints` of a person or tool, and `ContactStates`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from records.record import Record, RecordError, array


@dataclass(frozen=True, kw_only=True, eq=False)
class Keypoints(Record):
    """Named image points over time. A missing point has confidence 0 and whatever `uv` (by custom 0); never NaN.

    Names are snake case with `l_` and `r_` for the person's own left and right: nose, l_eye, l_ear, neck, l_shoulder,
    l_elbow, l_wrist, l_thumb, l_index, l_pinky, l_hip, l_knee, l_ankle, l_heel, l_toes, ... Tool endpoints are
    `tool_head` and `tool_handle`.
    """

    names: tuple[str, ...]
    uv: Float[np.ndarray, "T K 2"] = array("px", frame="image, origin at the top left corner")
    confidence: Float[np.ndarray, "T K"] = array("1")
    xyz: Float[np.ndarray, "T K 3"] | None = array("m", frame="camera axes, root-centred", optional=True)
    fps: float
    """True frame rate [1/s]."""
    size_hw: tuple[int, int]
    """Height and width of the image [px]."""

    def validate(self) -> None:
        """Check names against arrays, and confidences against [0, 1]."""
        check_names(self, self.names, self.uv.shape[1])
        if self.fps <= 0 or min(self.size_hw) < 1:
            raise RecordError(f"Keypoints: fps {self.fps} and size {self.size_hw} must be positive")
        if self.confidence.size and (self.confidence.min() < 0 or self.confidence.max() > 1):
            raise RecordError("Keypoints.confidence: values outside [0, 1]")

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.uv)

    @property
    def seen(self) -> np.ndarray:
        """Boolean (T, K): where the point was seen at all."""
        return self.confidence > 0

    def index(self, name: str) -> int:
        """Column of a named point.

        Raises:
            KeyError: no such point.
        """
        if name not in self.names:
            raise KeyError(f"no point named {name!r}; there are: {', '.join(self.names)}")
        return self.names.index(name)


@dataclass(frozen=True, kw_only=True, eq=False)
class ContactStates(Record):
    """Probability that each named point of the person touches the environment (or the tool) in each frame."""

    names: tuple[str, ...]
    """Contact points, named as the body sites that they act on: l_ankle, r_fingers, l_knee, r_hip, ..."""
    probability: Float[np.ndarray, "T C"] = array("1")
    fps: float

    def validate(self) -> None:
        """Check names against the array, and probabilities against [0, 1]."""
        check_names(self, self.names, self.probability.shape[1])
        if self.probability.size and (self.probability.min() < 0 or self.probability.max() > 1):
            raise RecordError("ContactStates.probability: values outside [0, 1]")


def check_names(record: Record, names: tuple[str, ...], expected: int) -> None:
    """Raise `RecordError` unless there are `expected` names, all different."""
    if len(names) != expected or len(set(names)) != len(names):
        raise RecordError(f"{type(record).__name__}: {len(names)} names {names} for {expected} columns, or one twice")
