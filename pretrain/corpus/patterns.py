"""Patterns of backgrounds: tiles of 0 and 1 that repeat in both directions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from pretrain.corpus.canvas import TILE

_X, _Y = (field.astype(np.int32) for field in np.meshgrid(np.arange(TILE), np.arange(TILE)))
_WAVES = np.exp(2j * np.pi * np.outer(np.arange(-3, 4), np.arange(TILE)) / TILE)
"""Waves of up to three periods a tile, by frequency."""
_GRAIN = 8
"""Cells along a side of a grain."""


def _stripes(generator: np.random.Generator) -> np.ndarray:
    count, slant = 2 ** generator.integers(0, 3), generator.integers(-1, 2)
    return ((_X + slant * _Y) * count) % TILE < TILE // 2


def _checks(generator: np.random.Generator) -> np.ndarray:
    count = 2 ** generator.integers(0, 3)
    return ((_X * count) % TILE < TILE // 2) ^ ((_Y * count) % TILE < TILE // 2)


def _dots(generator: np.random.Generator) -> np.ndarray:
    side = TILE // 2 ** generator.integers(0, 3)
    return (_X % side - side / 2) ** 2 + (_Y % side - side / 2) ** 2 < (0.4 * side) ** 2


def _bricks(generator: np.random.Generator) -> np.ndarray:
    side = TILE // 2 ** generator.integers(1, 3)
    along = _X + (_Y * 2 // side % 2) * (side // 2)
    return (along % side < side // 8) | (_Y % (side // 2) < side // 8)


def _blots(generator: np.random.Generator) -> np.ndarray:
    weights = generator.standard_normal((7, 7)) + 1j * generator.standard_normal((7, 7))
    return (_WAVES.T @ weights @ _WAVES).real > 0


def _grain(generator: np.random.Generator) -> np.ndarray:
    cells = generator.random((TILE // _GRAIN, TILE // _GRAIN)) < 0.5
    return np.repeat(np.repeat(cells, _GRAIN, 0), _GRAIN, 1)


PATTERNS: tuple[Callable[[np.random.Generator], np.ndarray], ...] = (_stripes, _checks, _dots, _bricks, _blots, _grain)


def pattern(generator: np.random.Generator) -> Float[np.ndarray, "N N"]:
    """A pattern of a random kind and size."""
    kind = PATTERNS[int(generator.integers(len(PATTERNS)))]
    return kind(generator).astype(np.float32)
