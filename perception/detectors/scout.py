"""All the people in a clip, each in a sample of its frames: enough to tell them apart, and to choose one.

BlazePose's detector sees an image shrunk to 224 px, in which a person who fills less than a third of it is easily lost;
so a frame is looked at as a whole and in square tiles that overlap by half.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from jaxtyping import Float

from perception.detectors.blazepose import NAMES, Body
from perception.detectors.crew import Crew, in_order
from perception.detectors.person_network import PersonNetwork
from perception.detectors.pose_models import LEAST_SCORE, TaskPose
from perception.detectors.pose_network import PoseNetwork
from perception.linking import Linker, extent
from perception.video import Image, read_frames
from records import Clip, Keypoints

INTERVAL = 0.15
"""Seconds between the frames that are looked at: a runner moves by less than half their height."""

THOROUGH = 3
"""Every third of them is looked at in tiles too, and any in which the whole image shows fewer people than are there."""

MOST_PEOPLE = 4
"""People looked for in each tile."""

SAME_PERSON = 0.25
"""Mean distance of landmarks, in extents of the person, below which two tiles show the same person."""

SAME_BOX = 0.6
"""Intersection over union of their boxes from which two tiles show the same person, however they read the limbs: one
may take left for right, which moves landmarks as far as another person's."""

FEWEST_SIGHTINGS = 3
"""Somebody seen less often is a passing mistake."""

OBLONG = 1.2
"""Longer side over shorter side from which a frame is looked at in tiles too."""


TRUNK = ("l_shoulder", "r_shoulder", "l_hip", "r_hip")
TRUNK_SAMPLES = 7
"""Spots along and across the trunk that tell its colour."""

Later: TypeAlias = Callable[[], list[Body]]
"""Waits for the people in a tile."""


class Tile(NamedTuple):
    """A rectangle of the image [px]."""

    x: int
    y: int
    width: int
    height: int


class Scouted(NamedTuple):
    """The people seen in the frames `frames` of a clip."""

    frames: np.ndarray
    """Numbers of the frames looked at (S,), evenly spaced."""
    people: list[Keypoints]
    """One a person, with S frames."""


def scout(clip: Clip, model: TaskPose, *, also: int = 0) -> Scouted:
    """Find people in a sample of frames; frame number `also` is among them."""
    stride = max(1, round(INTERVAL * clip.fps))
    frames = np.arange(also % stride, clip.num_frames, stride)
    tiles = tiles_of(clip.size_hw)
    linker = Linker(clip.fps / stride)
    there = 0

    def looks(crew: Crew[Finder]) -> Iterator[tuple[int, Image, Later, list[Later]]]:
        images = itertools.islice(read_frames(clip), int(frames[0]), None, stride)
        for number, image in enumerate(images):
            whole = crew.later(Finder.find, image, tiles[0])
            yield number, image, whole, in_tiles(crew, image) if number % THOROUGH == 0 else []

    def in_tiles(crew: Crew[Finder], image: Image) -> list[Later]:
        return [crew.later(Finder.find, image, tile) for tile in tiles[1:]]

    with Crew(lambda: nullcontext(Finder(model))) as crew:
        for number, image, whole, parts in in_order(looks(crew)):
            people = distinct(whole())
            if number % THOROUGH == 0 or len(people) < there:
                parts = parts or in_tiles(crew, image)
                people = distinct([*people, *(body for part in parts for body in part())])
                there = len(people)
            linker.add(number, [_columns(body) for body in people], [look(image, body) for body in people])
    tracks = []
    for track in linker.tracks:
        if len(track.frames) < min(FEWEST_SIGHTINGS, len(frames)):
            continue
        points = track.spread(len(frames))
        tracks.append(
            Keypoints(
                names=NAMES,
                uv=points[..., :2],
                xyz=points[..., 2:5],
                confidence=points[..., 5],
                fps=clip.fps / stride,
                size_hw=clip.size_hw,
            )
        )
    return Scouted(frames, tracks)


def tiles_of(size_hw: tuple[int, int]) -> list[Tile]:
    """The whole image and, where it is oblong, squares along its longer side that overlap by half or more."""
    height, width = size_hw
    side = min(size_hw)
    tiles = [Tile(0, 0, width, height)]
    if max(size_hw) < OBLONG * side:
        return tiles
    steps = int(np.ceil((max(size_hw) - side) / (side / 2)))
    for offset in np.linspace(0, max(size_hw) - side, steps + 1).round().astype(int).tolist():
        tiles.append(Tile(offset, 0, side, side) if width > height else Tile(0, offset, side, side))
    return tiles


def distinct(bodies: list[Body]) -> list[Body]:
    """Keep of each person, whom several tiles may show, the sighting with the most visible landmarks."""
    kept: list[Body] = []
    for body in sorted(bodies, key=lambda one: -float(one.confidence.sum())):
        size = extent(_columns(body))
        if not any(
            np.linalg.norm(body.uv - other.uv, axis=1).mean() <= SAME_PERSON * size
            or _overlap(body.uv, other.uv) >= SAME_BOX
            for other in kept
        ):
            kept.append(body)
    return kept


def _overlap(one: Float[np.ndarray, "K 2"], other: Float[np.ndarray, "K 2"]) -> float:
    """Intersection over union of the boxes around two bodies."""
    low, high = (np.stack([edge(one, axis=0), edge(other, axis=0)]) for edge in (np.min, np.max))
    shared = float(np.prod(np.maximum(high.min(axis=0) - low.max(axis=0), 0)))
    return shared / max(float(np.prod(high - low, axis=1).sum()) - shared, 1e-9)


def _columns(body: Body) -> Float[np.ndarray, "K 6"]:
    return np.concatenate([body.uv, body.xyz, body.confidence[:, None]], axis=1)


class Finder:
    """Finds people in one part of an image, without regard to images before. Not to be shared by threads."""

    def __init__(self, model: TaskPose) -> None:
        """Load both networks of a bundle.

        Raises:
            DetectionError: LiteRT is missing, or these are other networks.
        """
        self._people = PersonNetwork(model.people, model.name)
        self._pose = PoseNetwork(model.landmarks, model.name)

    def find(self, image: Image, tile: Tile) -> list[Body]:
        """Up to `MOST_PEOPLE` people whom a tile shows, in pixels of the image."""
        part = image[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
        corner = np.array([tile.x, tile.y])
        found = self._people.find(part, least=LEAST_SCORE, most=MOST_PEOPLE)
        sights = (self._pose.look(image, region._replace(centre=region.centre + corner)) for region in found)
        return [sight.body for sight in sights if sight.presence >= LEAST_SCORE]


def look(image: Image, body: Body) -> Float[np.ndarray, "3"]:
    """Median colour of the trunk, CIELAB; of the part that lies in the image."""
    left, right, low_left, low_right = (body.uv[NAMES.index(name)] for name in TRUNK)
    across, down = (part.reshape(-1, 1) for part in np.meshgrid(*[np.linspace(0.1, 0.9, TRUNK_SAMPLES)] * 2))
    spots = (1 - down) * ((1 - across) * left + across * right) + down * ((1 - across) * low_left + across * low_right)
    columns, rows = np.clip(spots.round().astype(int), 0, [image.shape[1] - 1, image.shape[0] - 1]).T
    lab = cv2.cvtColor((image[rows, columns][None] / 255).astype(np.float32), cv2.COLOR_RGB2Lab)
    return np.asarray(np.median(lab[0], axis=0), np.float64)
