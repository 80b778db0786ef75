"""Lines of the world drawn onto an image through a camera, the far ones first."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from apprentice.shapes import Colour, Lines
from records import Camera

Image = UInt8[np.ndarray, "H W 3"]

BACKGROUND: Colour = (15, 23, 42)
"""Behind what has no picture of its own."""
_NEAR = 0.1
"""Segments nearer to the camera than this [m] are left out."""
_THINNEST = 1.5
"""Thinnest line [px]."""
_BITS = 4
"""Fractional bits of a coordinate in OpenCV's drawing functions: a sixteenth of a pixel."""
_OUTLINE: Colour = (8, 12, 20)


class Drawing:
    """Lines projected once, then drawn frame by frame."""

    def __init__(self, camera: Camera, lines: Sequence[Lines], *, scale: float = 1.0) -> None:
        """Project.

        Args:
            camera: of one pose, or one per frame.
            lines: what to draw; those with a single frame are in every frame.
            scale: size of the drawn image over that of the camera's.
        """
        self.lines = list(lines)
        self.scale = scale
        self._uv, self._depth = [], []
        for group in self.lines:
            count, segments = group.ends.shape[:2]
            frames = max(count, len(camera.T_world_camera))
            points = np.broadcast_to(group.ends, (frames, segments, 2, 3)).reshape(frames, -1, 3)
            self._uv.append(scale * camera.project(points).reshape(frames, segments, 2, 2))
            self._depth.append(camera.depth(points).reshape(frames, segments, 2))
        self._focal = scale * float(camera.K[0, 0])

    def onto(self, image: Image, frame: int) -> Image:
        """Draw one frame onto an image, in place, and return it."""
        segments = []
        for group, uv, depth in zip(self.lines, self._uv, self._depth, strict=True):
            t = min(frame, len(uv) - 1)
            for n in np.flatnonzero((depth[t] > _NEAR).all(axis=1)):
                far = float(depth[t, n].mean())
                width = max(_THINNEST * max(self.scale, 1.0), self._focal * float(group.width[n]) / far)
                r, g, b = (int(value) for value in group.colour[n])
                segments.append((far, group, uv[t, n], (r, g, b), width))
        for _, group, uv, colour, width in sorted(segments, key=lambda s: (s[1].name != "ground", -s[0])):
            if group.arrow:
                _arrow(image, uv, colour, width)
            else:
                _line(image, uv, colour, width, outlined=len(group.ends) > 1 and width > 2 * _THINNEST)
        return image


def blank(size_hw: tuple[int, int]) -> Image:
    """An image of the background colour."""
    return np.full((*size_hw, 3), BACKGROUND, np.uint8)


def dots(image: Image, uv: Float[np.ndarray, "N 2"], colour: Colour, radius: float) -> Image:
    """Filled circles [px], drawn in place."""
    for point in uv:
        cv2.circle(image, _fixed(point), round(radius * 2**_BITS), colour, -1, cv2.LINE_AA, _BITS)
    return image


def _line(image: Image, uv: np.ndarray, colour: Colour, width: float, *, outlined: bool) -> None:
    if outlined:
        cv2.line(image, _fixed(uv[0]), _fixed(uv[1]), _OUTLINE, round(width) + 2, cv2.LINE_AA, _BITS)
    cv2.line(image, _fixed(uv[0]), _fixed(uv[1]), colour, max(round(width), 1), cv2.LINE_AA, _BITS)


def _arrow(image: Image, uv: np.ndarray, colour: Colour, width: float) -> None:
    along = uv[1] - uv[0]
    length = float(np.linalg.norm(along))
    if length < 1.0:
        return
    along = along / length
    head = min(3 * width, 0.6 * length)
    neck, side = uv[1] - head * along, np.array([-along[1], along[0]]) * head * 0.55
    tip = np.array([_fixed(uv[1]), _fixed(neck + side), _fixed(neck - side)], np.int32)
    cv2.polylines(image, [tip], True, _OUTLINE, 2, cv2.LINE_AA, _BITS)
    _line(image, np.stack([uv[0], neck]), colour, width, outlined=True)
    cv2.fillConvexPoly(image, tip, colour, cv2.LINE_AA, _BITS)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    """Fixed-point coordinates, bounded so that a point far outside the image does not overflow."""
    x, y = np.clip(np.round(point * 2**_BITS), -(2**24), 2**24)
    return int(x), int(y)
