"""A painter of short films in numpy: all frames at once, edges anti-aliased, nothing but what a rectangle sees.

Points are complex numbers: real to the right, imaginary down. On the screen the shorter side of the picture spans
-1 to 1. Where things are is a similarity per frame; a thing's parts are signed distances in its own coordinates.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float, UInt8

from pretrain.corpus.shapes import GRID, REACH, Shape

TILE = 64
"""Cells along a side of a pattern that repeats."""
_FAR = 64 * (1 + 1j)
"""Whole repetitions of a pattern to a side of all that is seen, so that its cells have positive numbers."""


class Similarity(NamedTuple):
    """Takes z to `turn` z + `shift`, one for each of T frames."""

    turn: Complex[np.ndarray, "T"]
    shift: Complex[np.ndarray, "T"]

    def after(self, inner: Similarity) -> Similarity:
        """First the inner one, then this."""
        return Similarity(self.turn * inner.turn, self.turn * inner.shift + self.shift)

    def inverse(self) -> Similarity:
        """What leads back."""
        return Similarity(1 / self.turn, -self.shift / self.turn)


class View(NamedTuple):
    """Which pixels are painted: their centres on the screen."""

    x: Float[np.ndarray, "W"]
    y: Float[np.ndarray, "H"]
    pixel: float
    """Distance of neighbours on the screen."""


class Tint(NamedTuple):
    """How colours are changed: channels are mixed with their mean by a share `paler`, then scaled and shifted."""

    gain: Float[np.ndarray, "3"]
    offset: Float[np.ndarray, "3"]
    paler: float


def whole(size_hw: tuple[int, int]) -> View:
    """All pixels of a picture."""
    height, width = size_hw
    pixel = 2 / min(size_hw)
    return View((np.arange(width) - (width - 1) / 2) * pixel, (np.arange(height) - (height - 1) / 2) * pixel, pixel)


class Canvas:
    """T pictures that are painted over, layer by layer; colours are RGB from 0 to 255."""

    def __init__(self, view: View, frames: int) -> None:
        """Begin with T empty pictures."""
        self.view = view
        self.rgb = np.empty((3, frames, len(view.y), len(view.x)), np.float32)

    def carpet(self, pattern: Float[np.ndarray, "N N"], place: Similarity, tones: Float[np.ndarray, "2 3"]) -> None:
        """Cover everything with a pattern of 0 and 1 in two tones; `place` takes its unit squares to the screen."""
        ground = place.inverse()
        cells = Similarity(ground.turn * TILE, (ground.shift + _FAR) * TILE)
        column, row = (field.astype(np.int32) & (TILE - 1) for field in _fields(cells, self.view))
        chosen = pattern.ravel().take((row * TILE + column).astype(np.intp))
        for channel, (one, other) in zip(self.rgb, tones.T, strict=True):
            np.multiply(chosen, other - one, out=channel)
            channel += one

    def patch(self, place: Similarity, radius: float) -> Patch:
        """The part of the pictures within `radius` of a thing's origin, in its coordinates."""
        return Patch(self, place, radius)

    def light(self, towards: complex, noise: Float[np.ndarray, "T H W"]) -> None:
        """Brighter `towards` a side, with noise."""
        falling = 1 + towards.real * self.view.x + towards.imag * self.view.y[:, None]
        self.rgb *= falling.astype(np.float32)
        self.rgb += noise

    def recolour(self, tint: Tint) -> None:
        """Change all colours."""
        grey = self.rgb.mean(0) * np.float32(tint.paler)
        for channel, gain, offset in zip(self.rgb, tint.gain.tolist(), tint.offset.tolist(), strict=True):
            channel *= 1 - tint.paler
            channel += grey
            channel *= gain
            channel += offset

    def frames(self) -> UInt8[np.ndarray, "T H W 3"]:
        """The finished pictures."""
        return np.ascontiguousarray(np.clip(self.rgb, 0, 255).astype(np.uint8).transpose(1, 2, 3, 0))


class Patch:
    """Part of a canvas around a thing; `u` to the right and `v` down in the thing's coordinates, (T, h, w)."""

    def __init__(self, canvas: Canvas, place: Similarity, radius: float) -> None:
        """Cut out all that lies within `radius` of the origin in any frame."""
        view = canvas.view
        reach = np.abs(place.turn) * radius + view.pixel
        columns = _within(view.x, place.shift.real - reach, place.shift.real + reach)
        rows = _within(view.y, place.shift.imag - reach, place.shift.imag + reach)
        self.rgb = canvas.rgb[:, :, rows, columns]
        self._inverse = place.inverse()
        self._view = View(view.x[columns], view.y[rows], view.pixel)
        self._sharp = (np.abs(place.turn) / view.pixel).astype(np.float32)[:, None, None]
        self.u, self.v = _fields(self._inverse, self._view)

    def silhouette(self, shape: Shape) -> Float[np.ndarray, "T h w"]:
        """Distance to the edge of a shape."""
        scale = GRID / (2 * REACH)
        column, row = ((field * scale + GRID / 2).clip(0, GRID - 1).astype(np.intp) for field in (self.u, self.v))
        row *= GRID
        row += column
        return shape.distance.ravel().take(row)

    def paint(self, distance: Float[np.ndarray, "T h w"], colour: Float[np.ndarray, "3"]) -> None:
        """Paint what lies within an edge."""
        cover = self._cover(distance)
        for channel, value in zip(self.rgb, colour.tolist(), strict=True):
            change = value - channel
            change *= cover
            channel += change

    def paint_edged(
        self,
        outer: Float[np.ndarray, "T h w"],
        inner: Float[np.ndarray, "T h w"],
        edge: Float[np.ndarray, "3"],
        fill: Float[np.ndarray, "3"],
    ) -> None:
        """Paint what lies within the outer edge in one colour, and within the inner one in another."""
        self.paint(outer, edge)
        cover = self._cover(inner)
        for channel, more in zip(self.rgb, (fill - edge).tolist(), strict=True):
            channel += cover * np.float32(more)

    def _cover(self, distance: np.ndarray) -> np.ndarray:
        """Share of each pixel within an edge."""
        cover = distance * -self._sharp
        cover += 0.5
        np.maximum(cover, 0, out=cover)
        return np.minimum(cover, 1, out=cover)


def _fields(place: Similarity, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Real and imaginary part of where a similarity takes each pixel, (T, H, W) each."""
    turn, shift = place
    x, y = view.x, view.y
    real = _sum(turn.real, x, -turn.imag, y, shift.real)
    imaginary = _sum(turn.imag, x, turn.real, y, shift.imag)
    return real, imaginary


def _sum(a: np.ndarray, x: np.ndarray, b: np.ndarray, y: np.ndarray, c: np.ndarray) -> np.ndarray:
    along = (a[:, None] * x).astype(np.float32)
    down = (b[:, None] * y + c[:, None]).astype(np.float32)
    return along[:, None, :] + down[:, :, None]


def _within(axis: np.ndarray, low: np.ndarray, high: np.ndarray) -> slice:
    """Indices between the lowest and the highest bound, of an axis that rises or falls."""
    there = np.flatnonzero((axis >= low.min()) & (axis <= high.max()))
    return slice(there[0], there[-1] + 1) if there.size else slice(0, 0)
