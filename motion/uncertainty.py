"""How well the joints of an estimate are known: covariances from its normal equations.

Errors of detections last for about as long as a pose does, so that frames tell less than if each were a new look:
what is seen counts for one look in `ERROR_TIME`. Its size is taken from the clip itself (the variance factor of least
squares: how much larger than assumed the errors at the solution are). One camera and an assumed stature do not tell
place, heading and size of the world; covariances are those that remain after one similarity for the clip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from motion.elimination import Factor
from motion.evidence import ERROR_TIME
from motion.marginals import marginals, solve_columns
from motion.markers import MARKERS, marker_jacobian, marker_positions
from motion.pieces import STRIP, divided
from motion.problem import assemble
from motion.residuals.lift import Lift
from motion.residuals.reprojection import Reprojection
from motion.residuals.residual import Residual
from motion.rotation import skew
from motion.solve import MIN_DAMPING
from motion.state import State
from motion.windows import part_of_state

VARIANCE_SCALE = 30.0
"""What remains between the propagated covariance and errors across the line of sight, beyond what the clip tells [1]:
detectors err alike for longer than a pose lasts, and bodies are not made of rods. Fitted so that 68 % intervals cover
68 % on clips of the studio, seeds 0 to 4 (benchmarks/uncertainty.py --seeds)."""

DEPTH_ERROR = 0.0147
"""Relative error of the distance from the camera [1]: apparent size changes with clothes and pose, the same for the
whole body. Fitted along the line of sight, on the same clips."""


def joint_covariance(
    residuals: Mapping[str, Residual], state: State, names: Sequence[str] = MARKERS
) -> Float[np.ndarray, "T N 3 3"]:
    """Covariances [m^2] of surface markers, world axes, after one similarity of the whole clip. Linear in the frames.

    Args:
        residuals: those that the state is the solution of.
        state: the solution.
        names: of the markers.

    Raises:
        LinAlgError: the normal equations are singular.
    """
    p = marker_positions(state.body, state.q, names)
    propagated = _without_similarity(
        information(residuals, state), p, lambda frames: _derivative(part_of_state(state, frames), names)
    )
    ray = p - state.camera.T_world_camera[:, None, :3, 3]
    depth = DEPTH_ERROR**2 * ray[..., :, None] * ray[..., None, :]
    return np.asarray(VARIANCE_SCALE * variance_factor(residuals, state) * propagated + depth)


def variance_factor(residuals: Mapping[str, Residual], state: State) -> float:
    """How much larger the squared errors of what is seen are than assumed [1], mean over kinds, outliers weighed down.

    1 where nothing is seen.
    """
    factors = []
    for residual in _seen(residuals).values():
        error = residual.error(state)
        squared = (error**2).sum(axis=-1)
        weight = residual.loss.weight(squared) * (squared > 0)
        if weight.any():
            factors.append(float((weight * squared).sum() / (weight.sum() * error.shape[-1])))
    return float(np.mean(factors)) if factors else 1.0


def information(residuals: Mapping[str, Residual], state: State) -> Factor:
    """Normal equations at the solution, factorised, with what is seen counted once in `ERROR_TIME`."""
    share = 1 / max(1.0, ERROR_TIME * state.fps)
    return assemble(residuals, state, trust=dict.fromkeys(_seen(residuals), share)).factorise(MIN_DAMPING)


def _seen(residuals: Mapping[str, Residual]) -> dict[str, Residual]:
    return {name: residual for name, residual in residuals.items() if isinstance(residual, (Reprojection, Lift))}


def _derivative(state: State, names: Sequence[str]) -> np.ndarray:
    """Derivative (T, 3 N, V + S) of the markers by the frame and by what all frames share."""
    _, J = marker_jacobian(state.body, state.q, names)
    tool = np.zeros((*J.shape[:-1], state.nv - J.shape[-1]))
    # Bones raise hips and shoulders above their joints, too: a tenth of what they do to the joints, left out here.
    whole = np.concatenate([J, tool, state.points(tuple(names)).J_shared], axis=-1)
    return whole.reshape(len(whole), -1, whole.shape[-1])


def _without_similarity(factor: Factor, p: np.ndarray, derivative: Callable[[slice], np.ndarray]) -> np.ndarray:
    """Covariance of the points less that of the similarity that lays them on the truth, as least squares finds it.

    Args:
        factor: of the normal equations.
        p: the points (T, N, 3).
        derivative: theirs (F, 3 N, V + S) in some frames; it is asked for twice, as it is large.
    """
    (frames, count, _), size = p.shape, factor.own.shape[1]
    arm = p - p.mean(axis=(0, 1))
    unit = np.broadcast_to(np.eye(3), (*arm.shape, 3))
    moved = np.concatenate([unit, -skew(arm), arm[..., None]], axis=-1).reshape(frames, -1, 7)
    found = np.linalg.inv(np.einsum("tnk,tnl->kl", moved, moved))
    parts = divided(slice(0, frames), STRIP)
    right = np.concatenate([derivative(here).swapaxes(-1, -2) @ moved[here] for here in parts])
    x, s = solve_columns(factor, right[:, :size], right[:, size:].sum(axis=0))
    with_moved = np.concatenate([x, np.broadcast_to(s, (frames, *s.shape))], axis=1)
    of_moved = np.einsum("tvk,tvl->kl", right, with_moved)
    own, across, shared = marginals(factor)
    covariance = np.empty((frames, count, 3, 3))
    for here in parts:
        J, by = derivative(here), (here.stop - here.start, count, 3, -1)
        wide = np.broadcast_to(shared, (by[0], *shared.shape))
        total = np.block([[own[here], across[here]], [across[here].swapaxes(-1, -2), wide]])
        left = (J @ total).reshape(by) @ J.reshape(by).swapaxes(-1, -2)
        away, held = moved[here].reshape(by) @ found, (J @ with_moved[here]).reshape(by)
        crossed = held @ away.swapaxes(-1, -2)
        covariance[here] = left - crossed - crossed.swapaxes(-1, -2) + away @ of_moved @ away.swapaxes(-1, -2)
    return 0.5 * (covariance + covariance.swapaxes(-1, -2))
