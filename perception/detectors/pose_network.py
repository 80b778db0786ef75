"""BlazePose's landmark network, run by itself on a square of the image that we choose (Bazarevsky et al. 2020).

MediaPipe lays the square where the person was in the frame before. A square of our own, laid where the person is, costs
nothing and shows more (parkour: 3 % less error), may be mirrored, and needs no second detector.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from perception.detectors.blazepose import Body, named, swapped
from perception.detectors.detector import DetectionError
from perception.detectors.litert import interpreter
from perception.detectors.pruning import pruned
from perception.detectors.region import SIDE_PX, Region
from perception.video import Image

LANDMARKS = 39
"""Points that the network gives: 33 of the body, two that tell where it is in the next frame, four unused."""

HIPS, RIM = 33, 34
"""Middle of the hips, and a point of the circle about it that holds the person."""

_OUTPUTS = {"landmarks": (1, LANDMARKS * 5), "presence": (1, 1), "heat": (1, 64, 64, LANDMARKS), "world": (1, 117)}
"""What is wanted of the network, told apart by shape: x, y, z [px of the square], visibility and presence [logits] of
each point; probability of a person; where each point is [logits]; x, y, z of each point about the hips [m]."""

_REACH = 3
"""Cells of the heat map on either side of a point over which its place is averaged."""

_CLEAR = 0.5
"""Peak of the heat from which it says more than the network's own coordinates."""


class Sight(NamedTuple):
    """A person as the network sees them in one square."""

    body: Body
    presence: float
    """Probability that there is a person."""
    around: Region
    """The square that fits them."""


class PoseNetwork:
    """One network on one thread. Not to be shared by threads."""

    def __init__(self, content: bytes, name: str) -> None:
        """Load a `.tflite` network; `name` is how errors call it.

        Raises:
            DetectionError: the interpreter is not installed, or this is another network.
        """
        whole = interpreter(content, name)
        inputs = whole.get_input_details()
        found = {tuple(one["shape"].tolist()): one["index"] for one in whole.get_output_details()}
        absent = [what for what, shape in _OUTPUTS.items() if shape not in found]
        if [one["shape"].tolist() for one in inputs] != [[1, SIDE_PX, SIDE_PX, 3]] or absent:
            raise DetectionError(f"{name}: not a pose landmark network of MediaPipe 0.10")
        self._input = inputs[0]["index"]
        self._outputs = {what: found[shape] for what, shape in _OUTPUTS.items()}
        self._interpreter = interpreter(pruned(content, tuple(self._outputs.values())), name)

    def look(self, image: Image, region: Region, *, mirror: bool = False) -> Sight:
        """See the person in a square of the image, or in its mirror image."""
        self._interpreter.set_tensor(self._input, region.cut(image, mirror=mirror)[None])
        self._interpreter.invoke()
        out: dict[str, np.ndarray] = {
            what: np.asarray(self._interpreter.get_tensor(index)[0]) for what, index in self._outputs.items()
        }
        points = out["landmarks"].reshape(LANDMARKS, 5).astype(np.float64)
        square = located(points[:, :2] / SIDE_PX, out["heat"]) * SIDE_PX
        uv = region.to_image(square, mirror=mirror)
        world = out["world"].reshape(LANDMARKS, 3).astype(np.float64) * [-1.0 if mirror else 1.0, 1.0, 1.0]
        world[:, :2] = world[:, :2] @ region.R_image_square.T
        body = named(uv, world, _sigmoid(points[:, 3]))
        around = Region.around(uv[HIPS], uv[RIM])
        return Sight(swapped(body) if mirror else body, float(out["presence"][0]), around)


def located(points: Float[np.ndarray, "L 2"], heat: Float32[np.ndarray, "64 64 L"]) -> Float[np.ndarray, "L 2"]:
    """Refine points by the heat around them, as MediaPipe does.

    Args:
        points: x, y in shares of the square.
        heat: logits at rows and columns of the square.
    """
    rows, columns, _ = heat.shape
    refined = points.copy()
    for number, (x, y) in enumerate(points):
        column, row = int(x * columns), int(y * rows)
        if not (0 <= x < 1 and 0 <= y < 1):
            continue
        left, top = max(column - _REACH, 0), max(row - _REACH, 0)
        weight = _sigmoid(heat[top : row + _REACH + 1, left : column + _REACH + 1, number])
        if weight.max() >= _CLEAR:
            across, down = (np.arange(n) + low for n, low in zip(weight.shape[::-1], (left, top), strict=True))
            refined[number] = [weight.sum(axis=0) @ across / columns, weight.sum(axis=1) @ down / rows] / weight.sum()
    return refined


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -50, 50))))
