"""A body that stands on its feet balances over them: where its weight and inertia act on the ground, there are soles.

The zero-moment point of the linear inverted pendulum, c - (c_z - s_z) c'' / g, lies in the support (Kajita et al. 2003,
ICRA, equation 1). It tells how far a body leans along the line of sight, which the image hardly shows. A tool in the
hands weighs on the feet too; the jolt of a blow is borne by what it strikes, so its acceleration is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from motion.residuals.loss import Loss, PseudoHuber
from motion.residuals.residual import Jacobian
from motion.state import CENTRE_OF_MASS, TOOL_POINTS, State

GRAVITY = 9.81
"""[m/s^2]."""
SOLES = ("l_heel", "l_ball", "r_heel", "r_ball")
"""Points whose mean, weighted by contact, stands for the support."""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Level distance of the zero-moment point from the middle of the soles in contact."""

    share: Float[np.ndarray, "T 4"]
    """How much each of `SOLES` counts in the support; rows sum to 1, or to 0 where nothing stands."""
    weight: Float[np.ndarray, "T"]
    """Square root of the probability that the feet alone carry the body."""
    load: tuple[float, float] | None = None
    """Of a tool that is carried: its mass over that of person and tool, and where its centre of mass lies between the
    handle's end, 0, and the head, 1."""
    sigma: float = 0.15
    """Half the length of a foot, or a third of a step [m]."""
    loss: Loss = PseudoHuber(1.0)

    def error(self, state: State) -> Float[np.ndarray, "N 1 2"]:
        """Zero-moment point minus support in the middle of three frames."""
        p = state.positions(self._names)
        support = np.einsum("ts,tsi->ti", self.share, p[:, : len(SOLES)])
        lever = (self._centre(p) - support)[1:-1]
        bend = _second_difference(p[:, len(SOLES)]) * (state.fps**2 / GRAVITY)
        return ((lever[:, :2] - lever[:, 2:] * bend[:, :2]) * self._scale())[:, None]

    def jacobian(self, state: State) -> Jacobian:
        """Product of height and acceleration; the outer frames move the acceleration alone."""
        points = state.points(self._names)
        lever, J_lever, S_lever = (
            (self._centre(part) - np.einsum("ts,ts...->t...", self.share, part[:, : len(SOLES)]))[1:-1]
            for part in points
        )
        c, J, S = (part[:, len(SOLES)] for part in points)
        bend = (_second_difference(c) * (state.fps**2 / GRAVITY))[:, :2, None]
        swing = lever[:, 2, None, None] * state.fps**2 / GRAVITY
        J, S = J[:, :2], S[:, :2]
        middle = J_lever[:, :2] - J_lever[:, 2:] * bend + 2 * swing * J[1:-1]
        frames = np.stack([-swing * J[:-2], middle, -swing * J[2:]], axis=1)
        shared = S_lever[:, :2] - S_lever[:, 2:] * bend - swing * _second_difference(S)
        scale = self._scale()[:, :, None]
        return Jacobian((scale[:, None] * frames)[:, :, None], (scale * shared)[:, None])

    @property
    def _names(self) -> tuple[str, ...]:
        return (*SOLES, CENTRE_OF_MASS, *(() if self.load is None else TOOL_POINTS))

    def _centre(self, part: np.ndarray) -> np.ndarray:
        """Centre of mass of person and load, or its derivative, from those of the points."""
        person: np.ndarray = part[:, len(SOLES)]
        if self.load is None:
            return person
        share, along = self.load
        head, handle = (part[:, len(SOLES) + 1 + TOOL_POINTS.index(name)] for name in TOOL_POINTS)
        return (1 - share) * person + share * (along * head + (1 - along) * handle)

    def _scale(self) -> np.ndarray:
        return (self.weight[1:-1] / self.sigma)[:, None]


def _second_difference(x: np.ndarray) -> np.ndarray:
    return x[:-2] - 2 * x[1:-1] + x[2:]
