"""BlazePose's detector: squares of an image in which there are people (Bazarevsky et al. 2020; Liu et al. 2016, SSD).

It sees the image shrunk to 224 px. Around every cell of three grids it says how likely a person is, how the box of the
person lies, and where hips and rim are (`Region.around`).
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from perception.detectors.detector import DetectionError
from perception.detectors.litert import interpreter
from perception.detectors.region import Region
from perception.video import Image

SIDE_PX = 224
"""Pixels along the side of what the network reads."""

GRIDS = ((28, 2), (14, 2), (7, 6))
"""Cells along a side of each grid, and guesses that every cell makes."""

GUESSES = sum(cells**2 * each for cells, each in GRIDS)

VALUES = 12
"""Of each guess: x, y, width, height of the box; x, y of the middle of the hips, of the rim, and of two points that are
not used [px of the square, places as seen from the middle of the cell]."""

SAME_BOX = 0.3
"""Intersection over union from which two guesses are of one person, as in MediaPipe: they are averaged."""


class PersonNetwork:
    """One network on one thread. Not to be shared by threads."""

    def __init__(self, content: bytes, name: str) -> None:
        """Load a `.tflite` network; `name` is how errors call it.

        Raises:
            DetectionError: the interpreter is not installed, or this is another network.
        """
        self._interpreter = interpreter(content, name)
        inputs = self._interpreter.get_input_details()
        found = {tuple(one["shape"].tolist()): one["index"] for one in self._interpreter.get_output_details()}
        wanted = (1, GUESSES, VALUES), (1, GUESSES, 1)
        if [one["shape"].tolist() for one in inputs] != [[1, SIDE_PX, SIDE_PX, 3]] or not found.keys() >= set(wanted):
            raise DetectionError(f"{name}: not a person detection network of MediaPipe 0.10")
        self._input = inputs[0]["index"]
        self._boxes, self._scores = (found[shape] for shape in wanted)
        self._cells = middles()

    def find(self, image: Image, *, least: float, most: int) -> list[Region]:
        """Squares around people, the most certain first.

        Args:
            image: upright.
            least: probability from which there is a person.
            most: people that are told of.
        """
        square, scale, corner = shrunk(image)
        self._interpreter.set_tensor(self._input, (np.asarray(square, np.float32) * np.float32(2 / 255) - 1)[None])
        self._interpreter.invoke()
        guesses = np.asarray(self._interpreter.get_tensor(self._boxes)[0], np.float64)
        logits = np.asarray(self._interpreter.get_tensor(self._scores)[0, :, 0], np.float64)
        score = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        likely = score >= least
        found = settled(guesses[likely], self._cells[likely], score[likely])[:most]
        points = found * scale + corner - 0.5
        return [Region.around(hips, rim) for hips, rim in points]


def shrunk(image: Image) -> tuple[UInt8[np.ndarray, "224 224 3"], float, Float[np.ndarray, "2"]]:
    """The whole image in the middle of a black square; pixels of the image in one of the square; corner in the image.

    The corner is where the square begins [px, the corner of the first pixel at 0]. Every pixel counts, so that whoever
    is small is not lost between samples.
    """
    height, width = image.shape[:2]
    scale = max(height, width) / SIDE_PX
    size = max(round(width / scale), 1), max(round(height / scale), 1)
    left, top = (SIDE_PX - size[0]) // 2, (SIDE_PX - size[1]) // 2
    square = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    square[top : top + size[1], left : left + size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return square, scale, -scale * np.array([left, top], float)


def middles() -> Float[np.ndarray, "G 2"]:
    """Middle of the cell of every guess [px of the square]."""
    grids = []
    for cells, each in GRIDS:
        x, y = np.meshgrid(*[(np.arange(cells) + 0.5) * (SIDE_PX / cells)] * 2)
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), each, axis=0))
    return np.concatenate(grids)


def settled(
    guesses: Float[np.ndarray, "N 12"], cells: Float[np.ndarray, "N 2"], score: Float[np.ndarray, "N"]
) -> Float[np.ndarray, "P 2 2"]:
    """Hips and rim of each person [px of the square]: the mean, by score, of the guesses whose boxes overlap the best.

    Args:
        guesses: what the network says.
        cells: middle of the cell that each of them was made in [px of the square].
        score: probability of a person.
    """
    centre, half = guesses[:, :2] + cells, guesses[:, 2:4] / 2
    low, high = centre - half, centre + half
    area = np.prod(high - low, axis=1)
    points = guesses[:, 4:8].reshape(-1, 2, 2) + cells[:, None]
    left = np.argsort(-score, kind="stable")
    people = []
    while len(left):
        best = left[0]
        shared = np.prod(np.maximum(np.minimum(high[best], high[left]) - np.maximum(low[best], low[left]), 0), axis=1)
        same = shared > SAME_BOX * (area[best] + area[left] - shared)
        same[0] = True
        group = left[same]
        people.append(np.average(points[group], axis=0, weights=score[group]))
        left = left[~same]
    return np.stack(people) if people else np.zeros((0, 2, 2))
