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

from motion.accumulate import CHUNK, PointSums, Totals
from motion.chains import limbs
from motion.elimination import Memory, eliminate
from motion.residuals.residual import Residual
from motion.state import SHARED_NAMES, State

BAND = 3
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
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)
    """Where the factor is written."""

    def solve(self, damping: float) -> tuple[Float[np.ndarray, "T V"], Float[np.ndarray, "S"]]:
        """Solve with Marquardt's damping: the diagonal times `1 + damping`. Time and memory are linear in T.

        Raises:
            LinAlgError: the damped matrix is not positive definite, or the step is not finite.
        """
        return eliminate(self.blocks, self.border, self.corner, self.g, self.h, damping, self.memory)

    def predicted_decrease(self, dx: np.ndarray, ds: np.ndarray) -> float:
        """Decrease of the quadratic model, for a step that solves the undamped equations: half of -gradient . step."""
        return -0.5 * float((self.g * dx).sum() + self.h @ ds)


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
) -> NormalEquations:
    """Linearise every residual at the state, weight it by its loss, and sum.

    Args:
        residuals: by name.
        state: where to linearise.
        widening: factor on the widths of redescending losses (graduated non-convexity).
        known: the errors at the state, where they have been computed.
        memory: holds the equations, which the next ones with the same memory overwrite.
    """
    parts = []
    known = errors(residuals, state) if known is None else known
    for name, residual in residuals.items():
        error = known[name]
        if error.size:
            parts.append((residual.jacobian(state), error, residual.loss.weight((error**2).sum(-1), widening)))
    memory = memory or Memory()
    totals = Totals(state.num_frames, state.nv, BAND, memory)
    by_points = [part for part, _, _ in parts if part.points is not None]
    names = tuple(dict.fromkeys(name for part in by_points if part.points for name in part.points.names))
    direct = tuple(dict.fromkeys(name for part in by_points if part.direct for name in part.direct.names))
    roots = dict.fromkeys(part.points.root for part in by_points if part.points)
    sums = {root: PointSums(names, state.num_frames, direct, BAND) for root in roots}
    for part, error, weight in parts:
        root_weight = np.sqrt(weight)[..., None]
        if part.points is not None:
            sums[part.points.root].add(part.points, part.direct, error, weight)
        if part.turns is not None:
            totals.add_turns(part.turns, error, weight)
        if part.direct is not None:
            columns = [SHARED_NAMES.index(name) for name in part.direct.names]
            totals.add_shared(root_weight[..., None] * part.direct.by, root_weight * error, columns)
        if part.frames is not None and part.shared is not None:
            count, window, _, _, size = part.frames.shape
            J = (root_weight[:, None, ..., None] * part.frames).reshape(count, window, -1, size)
            S = (root_weight[..., None] * part.shared).reshape(count, J.shape[2], -1)
            totals.add_rows(J, S, (root_weight * error).reshape(count, -1))
    for first in range(0, state.num_frames, CHUNK):
        count = min(CHUNK, state.num_frames - first)
        for limb in limbs(state, names, roots, slice(first, first + count + BAND - 1)):
            totals.add_limb(limb, sums, first, count)
    return NormalEquations(totals.upper.swapaxes(-1, -2), totals.border, totals.corner, totals.g, totals.h, memory)


def costs(
    residuals: Mapping[str, Residual], state: State, widening: float = 1.0, known: Errors | None = None
) -> dict[str, float]:
    """Half the sum of the losses of each residual; `known` as in `assemble`."""
    known = errors(residuals, state) if known is None else known
    return {
        name: 0.5 * float(residual.loss.cost((known[name] ** 2).sum(-1), widening).sum()) if known[name].size else 0.0
        for name, residual in residuals.items()
    }
