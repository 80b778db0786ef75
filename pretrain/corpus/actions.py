"""What happens in the generated corpus: six changes of state, each seen forwards and backwards.

A change is painted from how much of it is done, 0 to 1; an action is a change in one direction, so that the film of an
action, shown backwards, is the film of its partner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pretrain.corpus.canvas import Canvas, Patch, Similarity
from pretrain.corpus.shapes import LID, Shape

_EDGE = 0.13
"""Width of outlines in units of the shape."""
_WALL = 0.12
"""Thickness of what is around the inside of a hollow thing, likewise."""
_LID_ANGLE = np.radians(115)
"""How far a lid opens."""
_SMALLEST = 0.42
"""Size of a thing without air over its full size."""


class Prop(NamedTuple):
    """The thing that something happens to."""

    shape: Shape
    place: Similarity
    """From its coordinates to the screen; on the screen it is about upright."""
    fill: Float[np.ndarray, "3"]
    edge: Float[np.ndarray, "3"]
    other: Float[np.ndarray, "3"]
    """Of what else takes part: cloth, box, what is inside."""
    slant: float
    """What is particular about this time: -1 to 1."""


class Action(NamedTuple):
    """A change in one direction."""

    name: str
    change: str
    backwards: bool


def _open(canvas: Canvas, prop: Prop, done: np.ndarray) -> None:
    """The part above a line turns about the line's left end."""
    body = canvas.patch(prop.place, prop.shape.radius)
    whole = body.silhouette(prop.shape)
    below = LID - body.v
    _figure(body, whole, prop, below)
    gap = 0.3 * done.astype(np.float32)[:, None, None]
    body.paint(np.maximum.reduce([whole + _EDGE, below, body.v - LID - gap]), prop.other)
    hinge = complex(prop.shape.left, LID)
    turn = np.exp(-1j * _LID_ANGLE * done)
    lid = canvas.patch(prop.place.after(Similarity(turn, hinge - turn * hinge)), prop.shape.radius)
    _figure(lid, lid.silhouette(prop.shape), prop, lid.v - LID)


def _fill(canvas: Canvas, prop: Prop, done: np.ndarray) -> None:
    """It is hollow, one sees through it, and holds something whose level rises."""
    body = canvas.patch(prop.place, prop.shape.radius + _WALL)
    inside = body.silhouette(prop.shape)
    level = prop.shape.bottom + (prop.shape.top - prop.shape.bottom) * done
    slope = np.float32(0.12 * prop.slant)
    surface = level.astype(np.float32)[:, None, None] + slope * body.u - body.v
    body.paint(np.maximum(inside - np.float32(_WALL), -inside), prop.edge)
    body.paint(np.maximum(inside, surface), prop.fill)


def _cut(canvas: Canvas, prop: Prop, done: np.ndarray) -> None:
    """Two halves part across a line."""
    normal = np.exp(0.5j * prop.slant)
    for side in (-1, 1):
        turn = np.exp(0.3j * side * done)
        half = canvas.patch(prop.place.after(Similarity(turn, 0.55 * side * normal * done)), prop.shape.radius)
        beyond = np.float32(-side * normal.real) * half.u + np.float32(-side * normal.imag) * half.v
        _figure(half, half.silhouette(prop.shape), prop, beyond)


def _inflate(canvas: Canvas, prop: Prop, done: np.ndarray) -> None:
    """It grows."""
    size = (_SMALLEST + (1.1 - _SMALLEST) * done).astype(complex)
    body = canvas.patch(prop.place.after(Similarity(size, np.zeros_like(size))), prop.shape.radius)
    _figure(body, body.silhouette(prop.shape), prop)


def _pack(canvas: Canvas, prop: Prop, done: np.ndarray) -> None:
    """It goes down behind the front of a box."""
    size = np.full_like(done, 0.75, complex)
    room = prop.place.after(Similarity(size, 0 * size))
    box = canvas.patch(room, 2.2)
    inside = np.maximum(np.abs(box.u) - np.float32(1.25), np.abs(box.v - np.float32(0.45)) - np.float32(0.25))
    box.paint(inside, prop.edge)
    body = canvas.patch(room.after(Similarity(1.1 + 0 * size, 1j * (-1.05 + 2.2 * done))), prop.shape.radius)
    _figure(body, body.silhouette(prop.shape), prop)
    front = np.maximum(np.abs(box.u) - np.float32(1.25), np.abs(box.v - np.float32(1.3)) - np.float32(0.9))
    box.paint_edged(front, front + np.float32(_EDGE), prop.edge, prop.other)


def _cover(canvas: Canvas, prop: Prop, done: np.ndarray) -> None:
    """A cloth with a wavy hem comes over it from a side."""
    body = canvas.patch(prop.place, prop.shape.radius)
    _figure(body, body.silhouette(prop.shape), prop)
    side = -1 if prop.slant < 0 else 1
    cloth = canvas.patch(prop.place.after(Similarity(np.ones_like(done, complex), side * (2.5 - 2.5 * done))), 1.8)
    hem = np.float32(1.12) + np.float32(0.1) * np.sin(np.float32(5) * cloth.v)
    sheet = np.maximum(np.abs(cloth.u) - hem, np.abs(cloth.v) - np.float32(1.15))
    cloth.paint_edged(sheet, sheet + np.float32(_EDGE), prop.edge, prop.other)


def _figure(patch: Patch, whole: np.ndarray, prop: Prop, beyond: np.ndarray | None = None) -> None:
    """A silhouette with its outline, without what lies `beyond` a cut; the cut itself has no outline."""
    inner = whole + np.float32(_EDGE)
    if beyond is not None:
        whole, inner = np.maximum(whole, beyond), np.maximum(inner, beyond)
    patch.paint_edged(whole, inner, prop.edge, prop.fill)


CHANGES: dict[str, Callable[[Canvas, Prop, Float[np.ndarray, "T"]], None]] = {
    "open": _open,
    "fill": _fill,
    "cut": _cut,
    "inflate": _inflate,
    "pack": _pack,
    "cover": _cover,
}
"""How a change is painted from the share (T,) of it that is done; by the action that it is forwards."""

_BACKWARDS = {
    "open": "close",
    "fill": "empty",
    "cut": "join",
    "inflate": "deflate",
    "pack": "unpack",
    "cover": "uncover",
}

ACTIONS: dict[str, Action] = {
    name: Action(name, change, backwards)
    for change in CHANGES
    for name, backwards in ((change, False), (_BACKWARDS[change], True))
}
"""Every action by name, each next to its partner."""


def partner(action: str) -> str:
    """The action that undoes another, and whose film it is backwards."""
    _, change, backwards = ACTIONS[action]
    return change if backwards else _BACKWARDS[change]
