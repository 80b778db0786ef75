"""What encoders and state discovery hand on: `Features` of stretches of time, labelled intervals in a `Timeline`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from records.record import Record, RecordError, array


@dataclass(frozen=True, kw_only=True, eq=False)
class Features(Record):
    """One vector per window of time, with the encoder that made it."""

    value: Float[np.ndarray, "N D"] = array("1")
    time: Float[np.ndarray, "N 2"] = array("s")
    """Start and end of each window."""
    encoder: str
    encoder_hash: str
    """SHA-256 of the encoder's weights."""
    clip: str = ""
    """Path of the video; empty where it is not known."""

    def validate(self) -> None:
        """A window ends after it starts."""
        check_intervals("Features.time", self.time)


@dataclass(frozen=True, kw_only=True, eq=False)
class Timeline(Record):
    """Labelled intervals of a clip: object states, actions, narration."""

    labels: tuple[str, ...]
    interval: Float[np.ndarray, "N 2"] = array("s")
    confidence: Float[np.ndarray, "N"] = array("1")

    def validate(self) -> None:
        """One label an interval; an interval ends after it starts."""
        check_intervals("Timeline.interval", self.interval)
        if len(self.labels) != len(self.interval):
            raise RecordError(f"Timeline: {len(self.labels)} labels for {len(self.interval)} intervals")


def check_intervals(name: str, time: np.ndarray) -> None:
    """Raise `RecordError` where an interval (N, 2) s ends before it starts."""
    backwards = np.flatnonzero(time[:, 1] < time[:, 0])
    if backwards.size:
        raise RecordError(f"{name}: interval {int(backwards[0])} ends before it starts")
