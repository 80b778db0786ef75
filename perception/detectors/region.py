"""A turned square of the image in which the pose network looks for a person, and what it is made of."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, Float32

from perception.detectors.blazepose import NAMES
from perception.video import Image

SIDE_PX = 256
"""Pixels along the side of what the network reads."""

ROOM = 1.25
"""Side of the square over twice the reach of the person from the hips, as the network was trained."""

SMALLEST = 16.0
"""Least side of a square [px]: a collapsed detection must not take it along."""


class Region(NamedTuple):
    """A square of the image, turned so that the person in it is upright."""

    centre: Float[np.ndarray, "2"]
    """Middle of the person's hips [px], the centre of the first pixel at 0."""
    side: float
    """[px]"""
    turn: float
    """Clockwise angle from the image's axes to the square's [rad]."""

    @classmethod
    def around(cls, hips: Float[np.ndarray, "2"], rim: Float[np.ndarray, "2"]) -> Region:
        """Lay a square around a person.

        Args:
            hips: middle of the hips [px].
            rim: point of the circle about it that holds the person, in the direction of the head [px].
        """
        up = rim - hips
        side = max(2 * ROOM * float(np.linalg.norm(up)), SMALLEST)
        return cls(np.asarray(hips, np.float64), side, float(np.arctan2(up[0], -up[1])))

    @classmethod
    def of_body(cls, uv: Float[np.ndarray, "K 2"]) -> Region:
        """Lay a square around somebody of whom the points of `NAMES` are known [px]."""
        hips, shoulders = (
            (uv[NAMES.index(f"l_{name}")] + uv[NAMES.index(f"r_{name}")]) / 2 for name in ("hip", "shoulder")
        )
        reach = float(np.linalg.norm(uv - hips, axis=1).max())
        back = shoulders - hips
        size = float(np.linalg.norm(back))
        up = back / size if size > 0 else np.array([0.0, -1.0])
        return cls.around(hips, hips + reach * up)

    def cut(self, image: Image, *, mirror: bool) -> Float32[np.ndarray, "256 256 3"]:
        """Colours in [0, 1] of the square, black beyond the image, mirrored left to right if so wanted."""
        shift = self._from_square(np.zeros(2), mirror=mirror)
        to_image = np.concatenate([self._axes(mirror=mirror), shift[:, None]], axis=1)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        square = cv2.warpAffine(image, to_image, (SIDE_PX, SIDE_PX), flags=flags, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(square, np.float32) / np.float32(255)

    def to_image(self, points: Float[np.ndarray, "N 2"], *, mirror: bool) -> Float[np.ndarray, "N 2"]:
        """Points of the network, in pixels of the square whose corner is at 0, as points of the image [px]."""
        return self._from_square(points - 0.5, mirror=mirror)

    @property
    def R_image_square(self) -> Float[np.ndarray, "2 2"]:
        """Rotation from the square's axes to the image's."""
        c, s = np.cos(self.turn), np.sin(self.turn)
        return np.array([[c, -s], [s, c]])

    def _axes(self, *, mirror: bool) -> Float[np.ndarray, "2 2"]:
        return self.R_image_square * (self.side / SIDE_PX) * [-1.0 if mirror else 1.0, 1.0]

    def _from_square(self, points: np.ndarray, *, mirror: bool) -> np.ndarray:
        middle = (SIDE_PX - 1) / 2
        return np.asarray((points - middle) @ self._axes(mirror=mirror).T + self.centre)
