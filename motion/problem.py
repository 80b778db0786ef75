"""Normal equations of a whole clip: block-banded over the frames, with a dense border for what all frames share.

    [ H    B ] [ dx ]     [ g ]        H  (T V x T V), V tangent dimensions per frame, half-bandwidth W V - 1
    [ B^T  C ] [ ds ] = - [ h ]        B  (T V x S), C (S x S)

Triggs et al. 2000, "Bundle adjustment: a modern synthesis", section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from motion.accumulate import PointSums, TurnSums, WholeRows, corner_of
from motion.clip_rows import ClipRows
from motion.elimination import COUPLED, DenseRows, Factor, Memory, eliminate, factorise
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


@dataclass(frozen=True)
class ClipEquations:
    """The same, of a clip's residuals: rows are written as elimination asks for them."""

    rows: ClipRows
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)
    """Where the factor is written."""

    def solve(self, damping: float) -> tuple[Float[np.ndarray, "T V"], Float[np.ndarray, "S"]]:
        """As `NormalEquations.solve`; the step of what all frames share is 0 where that is held.

        Raises:
            LinAlgError: the damped matrix is not positive definite, or the step is not finite.
        """
        dx, ds = eliminate(self.rows, damping, self.memory)
        return dx, ds if len(ds) else np.zeros(len(SHARED_NAMES))

    def factorise(self, damping: float) -> Factor:
        """Factor of the damped matrix.

        Raises:
            LinAlgError: the damped matrix is not positive definite.
        """
        return factorise(self.rows, damping, self.memory)

    def dense(self) -> NormalEquations:
        """All rows at once."""
        frames, size, shared = self.rows.shape
        own, over = np.empty((frames, size, size)), np.empty((frames, COUPLED, size, size))
        beside = np.empty((frames, size, shared + 1))
        corner = self.rows.corner + self.rows.write(slice(0, frames), own, over, beside)
        own = np.triu(own) + np.triu(own, 1).swapaxes(-1, -2)
        blocks = np.stack([own, *over.transpose(1, 0, 3, 2)])
        return NormalEquations(blocks, beside[..., :-1], corner[:-1, :-1], beside[..., -1], corner[-1, :-1])


Errors = Mapping[str, np.ndarray]
"""Errors (N, G, D) of residuals by name."""


def errors(residuals: Mapping[str, Residual], state: State) -> Errors:
    """Errors of all residuals, for `costs` and `assemble` at the same state."""
    return {name: residual.error(state) for name, residual in residuals.items()}


def assemble(
    residuals: Mapping[str, Residual],
    state: State,
    widening: float = 1.0,
    known: Errors | None = None,
    memory: Memory | None = None,
    *,
    trust: Mapping[str, float] | None = None,
    shared: bool = True,
) -> ClipEquations:
    """Linearise every residual at the state, weight it by its loss, and sum.

    Args:
        residuals: by name.
        state: where to linearise.
        widening: factor on the widths of redescending losses (graduated non-convexity).
        known: the errors at the state, where they have been computed.
        memory: holds the factor, which the next equations with the same memory overwrite.
        trust: factors on the weights of some residuals.
        shared: whether what all frames share is unknown, too.
    """
    parts = []
    known = errors(residuals, state) if known is None else known
    for name, residual in residuals.items():
        error = known[name]
        if error.size:
            weight = residual.loss.weight((error**2).sum(-1), widening) * (trust or {}).get(name, 1.0)
            parts.append((residual.jacobian(state), error, weight))
    by_points = [part for part, _, _ in parts if part.points is not None]
    of_points = [part.points for part in by_points if part.points]
    names = tuple(dict.fromkeys(name for part in of_points for name in (*part.names, *part.root)))
    direct = tuple(dict.fromkeys(name for part in by_points if part.direct for name in part.direct.names))
    roots = dict.fromkeys([(), *(part.root for part in of_points)])
    points = {root: PointSums(names, state.num_frames, direct) for root in roots}
    turns, whole = TurnSums(state.num_frames), []
    corner = np.zeros((len(SHARED_NAMES) + 1,) * 2)
    for part, error, weight in parts:
        root_weight = np.sqrt(weight)[..., None]
        if part.points is not None:
            points[part.points.root].add(part.points, part.direct, error, weight)
        if part.turns is not None:
            turns.add(part.turns, error, weight)
        if part.direct is not None:
            corner += corner_of(root_weight[..., None] * part.direct.by, root_weight * error, part.direct.names)
        if part.frames is not None and part.shared is not None:
            count, window, _, _, size = part.frames.shape
            J = (root_weight[:, None, ..., None] * part.frames).reshape(count, window, -1, size)
            beside = np.concatenate([part.shared, error[..., None]], axis=-1)
            whole.append(WholeRows(J, (root_weight[..., None] * beside).reshape(count, J.shape[2], -1)))
    rows = ClipRows(state, points, turns, whole, corner, shared=shared)
    return ClipEquations(rows, memory or Memory())


def costs(
    residuals: Mapping[str, Residual], state: State, widening: float = 1.0, known: Errors | None = None
) -> dict[str, float]:
    """Half the sum of the losses of each residual; `known` as in `assemble`."""
    known = errors(residuals, state) if known is None else known
    return {
        name: 0.5 * float(residual.loss.cost((known[name] ** 2).sum(-1), widening).sum()) if known[name].size else 0.0
        for name, residual in residuals.items()
    }
