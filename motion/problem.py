"""Normal equations of a whole clip: block-banded over the frames, with a dense border for what all frames share.

    [ H    B ] [ dx ]     [ g ]        H  (T V x T V), V tangent dimensions per frame, half-bandwidth W V - 1
    [ B^T  C ] [ ds ] = - [ h ]        B  (T V x S), C (S x S)

Triggs et al. 2000, "Bundle adjustment: a modern synthesis", section 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from motion.accumulate import PointSums, TurnSums, WholeRows, corner_of
from motion.clip_rows import ClipRows
from motion.elimination import COUPLED, DenseRows, Factor, Memory, eliminate, factorise
from motion.pieces import PieceAt, pieces_of, strips
from motion.residuals.residual import Residual
from motion.state import SHARED_NAMES, State

BAND = COUPLED + 1
"""Frames that the widest residual couples (accelerations)."""


@dataclass(frozen=True)
class NormalEquations:
    """Gauss-Newton approximation of the cost around a state."""

    blocks: Float[np.ndarray, "K T V V"]
    """`blocks[k, t]` couples frame t + k (rows) with frame t (columns); the last k entries are unused."""
    border: Float[np.ndarray, "T V S"]
    corner: Float[np.ndarray, "S S"]
    g: Float[np.ndarray, "T V"]
    """Gradient with respect to the frames."""
    h: Float[np.ndarray, "S"]
    """Gradient with respect to the shared parameters."""

    def solve(self, damping: float) -> tuple[Float[np.ndarray, "T V"], Float[np.ndarray, "S"]]:
        """Solve with Marquardt's damping: the diagonal times `1 + damping`. Time and memory are linear in T.

        Raises:
            LinAlgError: the damped matrix is not positive definite, or the step is not finite.
        """
        return eliminate(DenseRows(self.blocks, self.border, self.corner, self.g, self.h), damping)


class Problem:
    """Residuals of a clip, divided by frames once for all states."""

    def __init__(self, residuals: Mapping[str, Residual], frames: int) -> None:
        """Divide.

        Args:
            residuals: by name.
            frames: of the clip.
        """
        self.pieces = pieces_of(residuals, frames)

    def at(self, state: State) -> ProblemAt:
        """The problem at a state."""
        return ProblemAt(state, tuple(PieceAt.of(piece, state) for piece in self.pieces))


@dataclass(frozen=True)
class ProblemAt:
    """Residuals of a clip at a state; errors are computed when they are asked for, once."""

    state: State
    pieces: tuple[PieceAt, ...] = field(repr=False)

    def costs(self, widening: float = 1.0) -> dict[str, float]:
        """Half the sum of the losses of each residual.

        Args:
            widening: factor on the widths of redescending losses (graduated non-convexity).
        """
        names = self.pieces[0].piece.residuals
        return {name: sum(piece.cost(name, widening) for piece in self.pieces) for name in names}

    def equations(
        self,
        widening: float = 1.0,
        memory: Memory | None = None,
        *,
        trust: Mapping[str, float] | None = None,
        shared: bool = True,
    ) -> ClipEquations:
        """Linearise every residual, weight it by its loss, and sum.

        Args:
            widening: factor on the widths of redescending losses (graduated non-convexity).
            memory: holds the factor, which the next equations with the same memory overwrite.
            trust: factors on the weights of some residuals.
            shared: whether what all frames share is unknown, too.
        """
        return ClipEquations(self, widening, dict(trust or {}), shared, memory or Memory())


@dataclass(frozen=True)
class ClipEquations:
    """Gauss-Newton approximation of a clip's cost: rows are written when elimination asks for them, and not kept."""

    at: ProblemAt
    widening: float
    trust: Mapping[str, float]
    shared: bool
    memory: Memory = field(repr=False, compare=False)
    """Where the factor is written."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """See `motion.elimination.Rows`."""
        return self.at.state.num_frames, self.at.state.nv, len(SHARED_NAMES) if self.shared else 0

    def write(self, own: np.ndarray, over: np.ndarray, beside: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """See `motion.elimination.Rows`."""
        for piece in self.at.pieces:
            rows = linearise(piece, self.widening, self.trust, shared=self.shared)
            corner, first = rows.corner, piece.piece.seen.start
            for frames in strips(piece.piece.inside):
                here = slice(first + frames.start, first + frames.stop)
                yield here, corner + rows.write(frames, own[here], over[here], beside[here])
                corner = np.zeros_like(corner)

    def solve(self, damping: float) -> tuple[Float[np.ndarray, "T V"], Float[np.ndarray, "S"]]:
        """As `NormalEquations.solve`; the step of what all frames share is 0 where that is held.

        Raises:
            LinAlgError: the damped matrix is not positive definite, or the step is not finite.
        """
        dx, ds = eliminate(self, damping, self.memory)
        return dx, ds if len(ds) else np.zeros(len(SHARED_NAMES))

    def factorise(self, damping: float) -> Factor:
        """Factor of the damped matrix.

        Raises:
            LinAlgError: the damped matrix is not positive definite.
        """
        return factorise(self, damping, self.memory)

    def dense(self) -> NormalEquations:
        """All rows at once."""
        frames, size, shared = self.shape
        own, over = np.empty((frames, size, size)), np.empty((frames, COUPLED, size, size))
        beside = np.empty((frames, size, shared + 1))
        corner = np.sum([corner for _, corner in self.write(own, over, beside)], axis=0)
        own = np.triu(own) + np.triu(own, 1).swapaxes(-1, -2)
        blocks = np.stack([own, *over.transpose(1, 0, 3, 2)])
        return NormalEquations(blocks, beside[..., :-1], corner[:-1, :-1], beside[..., -1], corner[-1, :-1])


def linearise(piece: PieceAt, widening: float, trust: Mapping[str, float], *, shared: bool) -> ClipRows:
    """Rows of a piece: see `ProblemAt.equations`."""
    parts, state = [], piece.state
    for name, residual in piece.piece.residuals.items():
        error = piece.errors[name]
        own = piece.piece.own(len(error))
        if error.size and own.stop:
            weight = residual.loss.weight(piece.squared[name], widening) * trust.get(name, 1.0)
            parts.append((residual.jacobian(state), error, weight, own))
    by_points = [part for part, *_ in parts if part.points is not None]
    of_points = [part.points for part in by_points if part.points]
    names = tuple(dict.fromkeys(name for part in of_points for name in (*part.names, *part.root)))
    direct = tuple(dict.fromkeys(name for part in by_points if part.direct for name in part.direct.names))
    roots = dict.fromkeys([(), *(part.root for part in of_points)])
    points = {root: PointSums(names, state.num_frames, direct) for root in roots}
    turns, whole = TurnSums(state.num_frames), []
    corner = np.zeros((len(SHARED_NAMES) + 1,) * 2)
    for part, error, weight, own in parts:
        root_weight = np.sqrt(weight)[..., None]
        if part.points is not None:
            points[part.points.root].add(part.points, part.direct, error, weight)
        if part.turns is not None:
            turns.add(part.turns, error, weight)
        if part.direct is not None:
            by = root_weight[own, ..., None] * part.direct.by[own]
            corner += corner_of(by, root_weight[own] * error[own], part.direct.names)
        if part.frames is not None and part.shared is not None:
            count, window, _, _, size = part.frames.shape
            J = (root_weight[:, None, ..., None] * part.frames).reshape(count, window, -1, size)
            beside = np.concatenate([part.shared, error[..., None]], axis=-1)
            whole.append((J, (root_weight[..., None] * beside).reshape(count, J.shape[2], -1)))
    rows = WholeRows(whole, state.num_frames, state.nv)
    return ClipRows(state, points, turns, rows, corner, shared=shared)


def errors(residuals: Mapping[str, Residual], state: State) -> dict[str, np.ndarray]:
    """Errors (N, G, D) of all residuals, by name."""
    return {name: residual.error(state) for name, residual in residuals.items()}


def costs(residuals: Mapping[str, Residual], state: State, widening: float = 1.0) -> dict[str, float]:
    """`ProblemAt.costs` of residuals that are looked at once."""
    return Problem(residuals, state.num_frames).at(state).costs(widening)


def assemble(residuals: Mapping[str, Residual], state: State, **how: Any) -> ClipEquations:
    """`ProblemAt.equations` of residuals that are looked at once."""
    return Problem(residuals, state.num_frames).at(state).equations(**how)
