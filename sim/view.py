"""From where a scene is rendered."""

from __future__ import annotations

from typing import NamedTuple


class View(NamedTuple):
    """A camera that looks from `eye` at `target` [m], vertical field of view [degrees]."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    fov: float = 45.0
