"""Left and right of a person, where a detector has mistaken one for the other for a while.

A body moves steadily; a mistake exchanges its sides from one frame to the next, of the arms, the legs or both. The most
probable sequence of mistakes follows by dynamic programming (Viterbi 1967): limbs move little from frame to frame, the
hips lie across the trunk as the shoulders do, and a detector is right more often than not.
"""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Bool, Float

from perception.image_motion import trunk_length
from records import Keypoints

GROUPS = (
    ("shoulder", "eye", "ear", "mouth", "elbow", "wrist", "fingers", "thumb", "index", "pinky"),
    ("hip", "knee", "ankle", "heel", "toes"),
)
"""Points that a detector mistakes together: of arms and face, and of the legs. The first ones lie across the trunk."""

CHANGE = 0.05
"""What a change between right and mistaken sides costs beside movement [trunk lengths]: the noise of mean movements."""

MISTAKE = 0.1
"""What a second of mistaken sides costs [trunk lengths]: which label is the right one is told by the longer time."""

TWIST = 1.0
"""What a second costs in which hips and shoulders point opposite ways [trunk lengths]: no trunk twists so far, but a
detector may see both from the side."""

WIDTHS = 0.7 * 0.36
"""Product of the widths of shoulders and hips [trunk lengths squared], for joint centres (Winter 2009, figure 4.1)."""

TRUNK = 0.5
"""Length of a trunk [m], by which a detector's landmarks in space are measured."""

MIN_RATE = 10.0
"""Rate from which on sides do not change places between frames by themselves [1/s]: a stride takes 0.5 s."""

STATES = tuple(itertools.product((False, True), repeat=len(GROUPS)))
"""Which groups are mistaken; in the first none is."""


def settle_sides(person: Keypoints) -> Keypoints:
    """Exchange left and right in the frames in which they were mistaken; nothing is moved otherwise."""
    for (left, right), frames in zip(_twins(person), mistaken(person).T, strict=True):
        person = _exchanged(person, left, right, frames)
    return person


def mistaken(person: Keypoints) -> Bool[np.ndarray, "T G"]:
    """For each of `GROUPS`, the frames in which its left points are most probably those on the right."""
    twins = _twins(person)
    wrong = np.zeros((person.num_frames, len(GROUPS)), bool)
    columns = [column for left, right in twins for column in left + right]
    scale = trunk_length(person)
    seen = np.flatnonzero((person.confidence[:, columns] > 0).any(axis=1))
    if len(seen) < 2 or not (scale > 0).any():
        return wrong
    places = [person.uv[seen] / np.median(scale[scale > 0])]
    if person.xyz is not None:
        places.append(person.xyz[seen] / TRUNK)
    confidence = person.confidence[seen]
    trust = 1 / np.maximum(1.0, np.diff(seen) * (MIN_RATE / person.fps))
    moved = np.stack([trust * _movement(places, confidence, left, right) for left, right in twins])
    moved[:, 1] += CHANGE
    labels = np.array(STATES, int)
    exchanged = labels[:, None] != labels
    between = sum(np.where(exchanged[..., g, None], moved[g, 1], moved[g, 0]) for g in range(len(GROUPS)))
    opposite = np.maximum(np.outer(1 - 2 * (labels.sum(axis=1) % 2), -_agreement(places, confidence, twins)), 0)
    seconds = np.diff(seen, prepend=seen[0] - 1) / person.fps
    alone = (TWIST * opposite + MISTAKE * labels.sum(axis=1)[:, None]) * np.minimum(seconds, 1 / MIN_RATE)
    wrong[seen] = labels[_cheapest(alone.T, np.moveaxis(np.asarray(between), -1, 0))].astype(bool)
    return wrong


def _cheapest(alone: Float[np.ndarray, "N S"], between: Float[np.ndarray, "M S S"]) -> list[int]:
    """The sequence of states of least cost; `between` is from a state (row) to the next frame's (column)."""
    cost = alone[0]
    came = []
    for here, step in zip(alone[1:], between, strict=True):
        ways = cost[:, None] + step
        came.append(ways.argmin(axis=0))
        cost = ways.min(axis=0) + here
    path = [int(cost.argmin())]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return path[::-1]


def _movement(
    places: list[np.ndarray], confidence: np.ndarray, left: list[int], right: list[int]
) -> Float[np.ndarray, "2 M"]:
    """Mean movement about their middle between frames [trunk lengths], if sides stay and if they are exchanged.

    Only points that are seen on both sides and in both frames tell; without any, both are 0.
    """
    here, there = left + right, right + left
    seen = np.minimum(confidence[:, here], confidence[:, there])
    weight = np.minimum(seen[:-1], seen[1:])
    total = np.maximum(weight.sum(axis=1), 1e-9)
    before = [place[:-1, here] for place in places]
    shift = [
        np.einsum("tk,tkd->td", weight, place[1:, here] - p) / total[:, None]
        for place, p in zip(places, before, strict=True)
    ]
    means = []
    for columns in (here, there):
        steps = [
            np.linalg.norm(place[1:, columns] - p - s[:, None], axis=-1)
            for place, p, s in zip(places, before, shift, strict=True)
        ]
        means.append((weight * np.mean(steps, axis=0)).sum(axis=1) / total)
    return np.stack(means)


def _agreement(
    places: list[np.ndarray], confidence: np.ndarray, twins: list[tuple[list[int], list[int]]]
) -> Float[np.ndarray, "N"]:
    """How far hips and shoulders point the same way, from 1 to -1; 0 where they are not seen, or seen from the side."""
    if not all(left for left, _ in twins):
        return np.zeros(len(confidence))
    ends = [(left[0], right[0]) for left, right in twins]
    seen = np.min([confidence[:, list(pair)].min(axis=1) for pair in ends], axis=0)
    across = [[place[:, a] - place[:, b] for a, b in ends] for place in places]
    products = np.mean([(hips * shoulders).sum(axis=-1) for shoulders, hips in across], axis=0)
    return np.asarray(seen * np.clip(products / WIDTHS, -1.0, 1.0))


def _twins(person: Keypoints) -> list[tuple[list[int], list[int]]]:
    """Columns of the left and the right points of each group that the person has."""
    found = []
    for group in GROUPS:
        pairs = [(f"l_{name}", f"r_{name}") for name in group]
        pairs = [pair for pair in pairs if set(pair) <= set(person.names)]
        found.append(([person.index(a) for a, _ in pairs], [person.index(b) for _, b in pairs]))
    return found


def _exchanged(person: Keypoints, left: list[int], right: list[int], frames: np.ndarray) -> Keypoints:
    if not frames.any():
        return person
    columns = np.arange(len(person.names))
    columns[left], columns[right] = right, left
    return person.replace(
        uv=np.where(frames[:, None, None], person.uv[:, columns], person.uv),
        confidence=np.where(frames[:, None], person.confidence[:, columns], person.confidence),
        xyz=None if person.xyz is None else np.where(frames[:, None, None], person.xyz[:, columns], person.xyz),
    )
