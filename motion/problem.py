"""Normal equations of a whole clip: block-banded over the frames, with a dense border for what all frames share.

    [ H    B ] [ dx ]     [ g ]        H  (T V x T V), V tangent dimensions per frame, half-bandwidth W V - 1
    [ B^T  C ] [ ds ] = - [ h ]        B  (T V x S), C (S x S)

Triggs et al. 2000, "Bundle adjustment: a modern synthesis", section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from motion.elimination import eliminate
from motion.residuals.residual import Residual
from motion.state import SHARED, State

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

    def solve(self, damping: float) -> tuple[Float[np.ndarray, "T V"], Float[np.ndarray, "S"]]:
        """Solve with Marquardt's damping: the diagonal times `1 + damping`. Time and memory are linear in T.

        Raises:
            LinAlgError: the damped matrix is not positive definite, or the step is not finite.
        """
        return eliminate(self.blocks, self.border, self.corner, self.g, self.h, damping)

    def predicted_decrease(self, dx: np.ndarray, ds: np.ndarray) -> float:
        """Decrease of the quadratic model, for a step that solves the undamped equations: half of -gradient . step."""
        return -0.5 * float((self.g * dx).sum() + self.h @ ds)


def assemble(residuals: Mapping[str, Residual], state: State, widening: float = 1.0) -> NormalEquations:
    """Linearise every residual at the state, weight it by its loss, and sum.

    Args:
        residuals: by name.
        state: where to linearise.
        widening: factor on the widths of redescending losses (graduated non-convexity).
    """
    frames, size, shared = state.num_frames, state.nv, len(SHARED)
    blocks = np.zeros((BAND, frames, size, size))
    border, corner = np.zeros((frames, size, shared)), np.zeros((shared, shared))
    g, h = np.zeros((frames, size)), np.zeros(shared)
    for residual in residuals.values():
        error = residual.error(state)
        if not error.size:
            continue
        jacobian = residual.jacobian(state)
        count, window = jacobian.frames.shape[:2]
        root = np.sqrt(residual.loss.weight((error**2).sum(-1), widening))[..., None]
        e = (root * error).reshape(count, -1)
        S = (root[..., None] * jacobian.shared).reshape(count, -1, shared)
        J = (root[:, None, ..., None] * jacobian.frames).reshape(count, window, -1, size)
        transposed = J.swapaxes(-1, -2)
        for i in range(window):
            for k in range(window - i):
                blocks[k, i : i + count] += transposed[:, i + k] @ J[:, i]
            border[i : i + count] += transposed[:, i] @ S
            g[i : i + count] += (transposed[:, i] @ e[..., None])[..., 0]
        flat = S.reshape(-1, shared)
        corner += flat.T @ flat
        h += flat.T @ e.reshape(-1)
    return NormalEquations(blocks, border, corner, g, h)


def costs(residuals: Mapping[str, Residual], state: State, widening: float = 1.0) -> dict[str, float]:
    """Half the sum of the losses of each residual."""
    result = {}
    for name, residual in residuals.items():
        error = residual.error(state)
        result[name] = 0.5 * float(residual.loss.cost((error**2).sum(-1), widening).sum()) if error.size else 0.0
    return result
