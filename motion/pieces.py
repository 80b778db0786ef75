"""A clip's residuals some frames at a time: what lies between them and their equations stays in the cache.

A piece gives the equations of the frames that it keeps. It sees as many more on either side as errors look at together:
what couples frames over its ends is computed in both pieces, so that none needs to know what another has found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from motion.residuals.residual import Residual
from motion.state import State
from motion.windows import BAND, part_of_state, parts_of

PIECE = 128
"""Most frames of a piece: it takes some 100 kB a frame, and every call of an array function costs as much as a frame of
it."""

STRIP = 64
"""Most frames whose equations are written at a time: another 200 kB a frame."""


class Piece(NamedTuple):
    """Residuals of some frames."""

    kept: slice
    """Frames whose equations the piece gives; those of all pieces are the clip."""
    seen: slice
    """All frames that errors look at together with a kept one."""
    residuals: Mapping[str, Residual]

    @property
    def inside(self) -> slice:
        """The kept frames, counted from the first that is seen."""
        return slice(self.kept.start - self.seen.start, self.kept.stop - self.seen.start)

    def own(self, rows: int) -> slice:
        """Which rows of a residual no other piece has: those that start at a kept frame, or all of a clip's own.

        Args:
            rows: that the residual has in this piece.
        """
        if 0 <= self.seen.stop - self.seen.start - rows <= BAND:
            return self.inside
        return slice(0, rows if self.kept.start == 0 else 0)


def pieces_of(residuals: Mapping[str, Residual], frames: int) -> tuple[Piece, ...]:
    """Divide residuals of a clip into pieces of equal length."""
    pieces = []
    for kept in divided(slice(0, frames), PIECE):
        seen = slice(max(kept.start - BAND, 0), min(kept.stop + BAND, frames))
        alone = seen == slice(0, frames)
        pieces.append(Piece(kept, seen, residuals if alone else parts_of(residuals, seen, frames)))
    return tuple(pieces)


def strips(frames: slice) -> list[slice]:
    """Frames divided into what is written at a time."""
    return divided(frames, STRIP)


def divided(frames: slice, most: int) -> list[slice]:
    """Slices of equal length, at most as long as told."""
    edges = np.linspace(frames.start, frames.stop, 1 + -(-(frames.stop - frames.start) // most))
    return [slice(*pair) for pair in pairwise(edges.round().astype(int).tolist())]


@dataclass(frozen=True)
class PieceAt:
    """A piece at a state."""

    piece: Piece
    state: State
    """Of the frames that are seen."""

    @classmethod
    def of(cls, piece: Piece, state: State) -> PieceAt:
        """A piece at a state of the whole clip."""
        alone = piece.seen == slice(0, state.num_frames)
        return cls(piece, state if alone else part_of_state(state, piece.seen))

    @cached_property
    def errors(self) -> Mapping[str, np.ndarray]:
        """Errors (N, G, D) by name, of all frames that are seen."""
        return {name: residual.error(self.state) for name, residual in self.piece.residuals.items()}

    @cached_property
    def squared(self) -> Mapping[str, np.ndarray]:
        """Squared norms (N, G) of the errors."""
        return {name: np.einsum("ngd,ngd->ng", error, error) for name, error in self.errors.items()}

    def cost(self, name: str, widening: float) -> float:
        """Half the sum of a residual's losses, over the rows that are this piece's own."""
        squared = self.squared[name]
        own = squared[self.piece.own(len(squared))]
        return 0.5 * float(self.piece.residuals[name].loss.cost(own, widening).sum()) if own.size else 0.0
