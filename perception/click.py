"""A point that the user names in one frame of a clip, written `x,y@frame`."""

from __future__ import annotations

import math
from dataclasses import dataclass


class ClickError(ValueError):
    """A click that cannot be read, or that lies outside the image or beyond the end of the clip."""


@dataclass(frozen=True)
class Click:
    """Image point (x, y) [px], origin at the top left corner of the image, in frame number `frame` (from 0)."""

    x: float
    y: float
    frame: int = 0

    @classmethod
    def parse(cls, text: str) -> Click:
        """Read `x,y@frame`; without `@frame` the first frame is meant.

        Raises:
            ClickError: the text has another form, or a number is negative or not finite.
        """
        point, at, frame = text.strip().partition("@")
        try:
            x, y = (float(part) for part in point.split(","))
            number = int(frame) if at else 0
        except ValueError as error:
            raise ClickError(
                f"cannot read the click {text!r}; expected x,y@frame in pixels, for example 320,180@0"
            ) from error
        if not (math.isfinite(x) and math.isfinite(y)) or x < 0 or y < 0 or number < 0:
            raise ClickError(f"the click {text!r} must have finite numbers, none of them negative; expected x,y@frame")
        return cls(x, y, number)

    def check(self, size_hw: tuple[int, int], num_frames: int) -> None:
        """Refuse a click that is not on the clip.

        Args:
            size_hw: height and width of the image [px].
            num_frames: number of frames of the clip.

        Raises:
            ClickError: outside the image, or beyond the last frame.
        """
        height, width = size_hw
        if not (0 <= self.x < width and 0 <= self.y < height):
            raise ClickError(f"the click {self} is outside the image of {width} x {height} px (width x height)")
        if not 0 <= self.frame < num_frames:
            raise ClickError(
                f"the click {self} is beyond the clip, which has {num_frames} frames (0 to {num_frames - 1})"
            )

    def __str__(self) -> str:
        """The form that `parse` reads."""
        return f"{self.x:g},{self.y:g}@{self.frame}"
