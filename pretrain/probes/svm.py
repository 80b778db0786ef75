"""Linear support vector machines with squared hinge loss, one against the rest, solved exactly.

The objective is that of LIBLINEAR and of scikit-learn's `LinearSVC` by default, which published protocols use: with a
constant 1 appended to x, so that the bias is regularised like a weight,

    min_v  1/2 |v|^2 + C sum_i max(0, 1 - y_i v.x_i)^2.

It is convex and piecewise quadratic; Newton's method with exact line search ends at the minimum after finitely many
steps (Keerthi and DeCoste, A Modified Finite Newton Method for Fast Solution of Large Scale Linear SVMs, JMLR 2005).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from records.progress import tell_progress

_GAP = 1e-10
"""The primal objective is at most this share above the dual one when the solver ends."""
_STEPS = 100
"""Newton steps after which it gives up; ten to twenty are usual."""


class SVMError(ValueError):
    """Examples that no machine can be fitted to, or a fit that did not end."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearSVM:
    """One weight vector and bias for each class."""

    weight: Float[np.ndarray, "K D"]
    bias: Float[np.ndarray, "K"]
    gap: Float[np.ndarray, "K"]
    """How far each objective may be from its minimum, as a share of it: (primal - dual) / primal."""

    def scores(self, x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N K"]:
        """Signed distance to each class's plane times the length of its weight; the highest is the class."""
        return x @ self.weight.T + self.bias


def fit_svm(
    x: Float[np.ndarray, "N D"], label: Int[np.ndarray, "N"], classes: int, *, C: float, start: LinearSVM | None = None
) -> LinearSVM:
    """Fit one machine for each class against all others.

    Args:
        x: examples.
        label: class of each, from 0.
        classes: how many there are; one without examples gets a machine that always says no.
        C: cost of the loss.
        start: where the solver begins; the minimum does not depend on it. That of a similar cost saves most steps.

    Raises:
        SVMError: no examples, values that are not finite, or no convergence.
    """
    if not len(x):
        raise SVMError("no examples to fit to")
    if not np.isfinite(x).all():
        raise SVMError("features that are not finite")
    one = np.hstack([np.asarray(x, np.float64), np.ones((len(x), 1))])
    planes, gaps = [], []
    for k in range(classes):
        first = np.zeros(one.shape[1]) if start is None else np.r_[start.weight[k], start.bias[k]]
        plane, gap = _minimum(one, np.where(label == k, 1.0, -1.0), C, first)
        planes.append(plane)
        gaps.append(gap)
        tell_progress("fitting planes", k + 1, classes)
    stacked = np.array(planes)
    return LinearSVM(weight=stacked[:, :-1], bias=stacked[:, -1], gap=np.array(gaps))


def objective(v: Float[np.ndarray, "D"], x: Float[np.ndarray, "N D"], y: Float[np.ndarray, "N"], C: float) -> float:
    """1/2 |v|^2 + C sum max(0, 1 - y v.x)^2, for labels y of -1 and 1."""
    return float(0.5 * v @ v + C * np.sum(np.maximum(0, 1 - y * (x @ v)) ** 2))


def _minimum(
    x: Float[np.ndarray, "N D"], y: Float[np.ndarray, "N"], C: float, v: Float[np.ndarray, "D"]
) -> tuple[np.ndarray, float]:
    """Weights at the minimum, sought from `v` on, and the relative gap between primal and dual there."""
    lacking = 1 - y * (x @ v)
    gap = np.inf
    for _ in range(_STEPS):
        target = _ridge(x, y, lacking > 0, C)
        direction = target - v
        slope = -y * (x @ direction)
        length = _exact_step(v, direction, lacking, slope, C)
        v = v + length * direction
        lacking = 1 - y * (x @ v)
        gap = _gap(v, x, y, lacking, C)
        if gap <= _GAP:
            return v, gap
    raise SVMError(f"no minimum after {_STEPS} steps (gap {gap:.1e}); standardise the features, or lower C")


def _ridge(x: np.ndarray, y: np.ndarray, active: Bool[np.ndarray, "N"], C: float) -> np.ndarray:
    """Minimum if exactly the `active` examples lay within their margin: (I / 2C + X'X) v = X'y, by the smaller side."""
    from scipy.linalg import solve

    inside, sign = x[active], y[active]
    ridge = 1 / (2 * C)
    if len(inside) < x.shape[1]:
        dual = inside @ inside.T
        dual.flat[:: len(dual) + 1] += ridge
        return inside.T @ solve(dual, sign, assume_a="pos") if len(inside) else np.zeros(x.shape[1])
    primal = inside.T @ inside
    primal.flat[:: len(primal) + 1] += ridge
    return solve(primal, inside.T @ sign, assume_a="pos")


def _exact_step(v: np.ndarray, direction: np.ndarray, lacking: np.ndarray, slope: np.ndarray, C: float) -> float:
    """Where the objective is least along `direction`: its derivative grows piecewise linearly with the step.

    Examples lack `lacking` + t `slope` of their margin; the loss counts those that lack something.
    """
    crossing = np.full(len(slope), np.inf)
    np.divide(-lacking, slope, out=crossing, where=slope != 0)
    within = (lacking > 0) | ((lacking == 0) & (slope > 0))
    height = v @ direction + 2 * C * (lacking[within] @ slope[within])
    rise = direction @ direction + 2 * C * (slope[within] @ slope[within])
    later = np.flatnonzero((crossing > 0) & np.isfinite(crossing))
    order = later[np.argsort(crossing[later])]
    change = np.where(within[order], -1.0, 1.0)
    heights = height + 2 * C * np.cumsum(np.r_[0.0, change * lacking[order] * slope[order]])
    rises = rise + 2 * C * np.cumsum(np.r_[0.0, change * slope[order] ** 2])
    ends = np.r_[crossing[order], np.inf]
    with np.errstate(divide="ignore", invalid="ignore"):
        zero = -heights / rises
    found = np.flatnonzero((rises > 0) & (zero <= ends))
    return float(zero[found[0]]) if found.size else 1.0


def _gap(v: np.ndarray, x: np.ndarray, y: np.ndarray, lacking: np.ndarray, C: float) -> float:
    """Relative duality gap with the multipliers 2C max(0, 1 - y v.x), which are those of the minimum there."""
    multiplier = 2 * C * np.maximum(0, lacking)
    dual_v = x.T @ (multiplier * y)
    primal = 0.5 * v @ v + C * np.sum(np.maximum(0, lacking) ** 2)
    dual = multiplier.sum() - 0.5 * dual_v @ dual_v - multiplier @ multiplier / (4 * C)
    return float((primal - dual) / primal) if primal > 0 else 0.0
