"""Detections of people in single frames, joined into one track per person."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

LONGEST_STEP = 0.7
"""Difference between detections beyond which they are of different people: the mean distance of shared points in
extents of the person, more where size and look differ."""

SIZE_WEIGHT = 0.25
"""Difference that a person e times as large adds; a crouch may halve the extent within a few frames."""

LOOK_SCALE = 80.0
"""Distance of colours in CIELAB that adds a whole difference: light and dark clothes are some 60 apart."""

LONGEST_GAP = 2.0
"""Seconds out of sight up to which a person may be ever further away: after g seconds a step counts 1 / (1 + g)."""

REMEMBERED = 5
"""Sightings whose median size and look are a person's own: one mistaken sighting does not change them."""


@dataclass
class Sightings:
    """One person in the frames where they were detected."""

    frames: list[int] = field(default_factory=list)
    people: list[np.ndarray] = field(default_factory=list)
    """(K, D) each: x px, y px, further values, and the confidence last, 0 where a point is not seen."""
    looks: list[np.ndarray] = field(default_factory=list)
    """Colour (3,) of each, CIELAB."""

    def spread(self, num_frames: int) -> Float[np.ndarray, "T K D"]:
        """Lay the sightings out over all frames; 0 where the person was not detected."""
        laid = np.zeros((num_frames, *self.people[0].shape))
        laid[self.frames] = self.people
        return laid


class Linker:
    """Takes the detections of one frame after the other; each goes to the track whose last sighting is nearest."""

    def __init__(self, rate: float) -> None:
        """Begin without any track; `rate` is that of the frames looked at [1/s]."""
        self.rate = rate
        self.tracks: list[Sightings] = []

    def add(
        self, frame: int, people: list[Float[np.ndarray, "K D"]], looks: list[Float[np.ndarray, "3"]] | None = None
    ) -> None:
        """Continue tracks, or begin new ones, by the people (K, D) of a frame: x, y, ..., confidence.

        Args:
            frame: number of the frame.
            people: whoever was detected in it.
            looks: colour of each person's clothes, CIELAB; by default all look the same.
        """
        looks = [np.zeros(3)] * len(people) if looks is None else looks
        seen = list(zip(people, looks, strict=True))
        cost = np.array([[self._difference(track, frame, *one) for track in self.tracks] for one in seen])
        found: dict[int, Sightings] = {}
        if cost.size:
            # A step that is out of the question must not outweigh several that are not.
            rows, columns = linear_sum_assignment(np.minimum(cost, 2 * LONGEST_STEP))
            pairs = zip(rows.tolist(), columns.tolist(), strict=True)
            found = {row: self.tracks[k] for row, k in pairs if cost[row, k] < LONGEST_STEP}
        for row, (person, look) in enumerate(seen):
            if row not in found:
                found[row] = Sightings()
                self.tracks.append(found[row])
            found[row].frames.append(frame)
            found[row].people.append(person)
            found[row].looks.append(look)

    def _difference(self, track: Sightings, frame: int, person: np.ndarray, look: np.ndarray) -> float:
        """How unlike a person is to a track: place, size and look; infinite where they share no point."""
        last = track.people[-1]
        if last.shape != person.shape:
            return float("inf")
        shared = (last[:, -1] > 0) & (person[:, -1] > 0)
        if not shared.any():
            return float("inf")
        usual = max(float(np.median([extent(one) for one in track.people[-REMEMBERED:]])), 1.0)
        size = max(extent(person), 1.0)
        step = float(np.linalg.norm((last - person)[shared, :2], axis=1).mean()) / min(usual, size)
        colour = float(np.linalg.norm(np.median(track.looks[-REMEMBERED:], axis=0) - look))
        gap = min((frame - track.frames[-1] - 1) / self.rate, LONGEST_GAP)
        return step / (1 + gap) + SIZE_WEIGHT * abs(float(np.log(size / usual))) + colour / LOOK_SCALE


def extent(person: Float[np.ndarray, "K D"]) -> float:
    """Diagonal of the box around the points that are seen [px]."""
    seen = person[person[:, -1] > 0, :2]
    return float(np.linalg.norm(np.ptp(seen, axis=0))) if len(seen) else 0.0
