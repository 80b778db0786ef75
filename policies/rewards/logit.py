"""Logistic regression on descriptions, linear or through tanh layers; numpy and scipy only, deterministic by seed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import expit

from policies.learners import Layers

ITERATIONS = 500
"""Of L-BFGS at most."""


def forward(layers: Layers, x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N K"]:
    """Through tanh layers, the last one linear."""
    for weight, bias in layers[:-1]:
        x = np.tanh(x @ weight.T + bias)
    weight, bias = layers[-1]
    return x @ weight.T + bias


def initial(sizes: Sequence[int], rng: np.random.Generator, *, zero_last: bool = True) -> Layers:
    """Layers with uniform weights within 1 / root of their inputs; the last one begins at zero unless it shall not."""
    made = []
    for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        bound = 0.0 if zero_last and k == len(sizes) - 2 else inputs**-0.5
        made.append((rng.uniform(-bound, bound, (outputs, inputs)), np.zeros(outputs)))
    return tuple(made)


def fit_logit(
    x: Float[np.ndarray, "N D"],
    y: Float[np.ndarray, "N"],
    weight: Float[np.ndarray, "N"],
    *,
    hidden: Sequence[int] = (),
    decay: float = 1e-3,
    seed: int = 0,
) -> Layers:
    """Layers whose output is log p / (1 - p), p the probability of y = 1.

    Minimises the weighted mean of the logistic loss plus decay / 2 times the squared weights (not the biases) by
    L-BFGS over all examples. Without hidden layers the problem is convex: what is found does not depend on the seed.

    Args:
        x: scaled descriptions.
        y: 0 or 1, or a probability.
        weight: of each example, not negative.
        hidden: widths of tanh layers.
        decay: lambda.
        seed: of the first weights.
    """
    layers = initial([x.shape[1], *hidden, 1], np.random.default_rng(seed))
    share = weight / weight.sum()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        current = _shaped(flat, layers)
        outputs = [x]
        for W, b in current[:-1]:
            outputs.append(np.tanh(outputs[-1] @ W.T + b))
        W, b = current[-1]
        logit = (outputs[-1] @ W.T + b)[:, 0]
        value = share @ (np.logaddexp(0, logit) - y * logit)
        value += decay / 2 * sum(float(np.sum(W**2)) for W, _ in current)
        back, gradient = (share * (expit(logit) - y))[:, None], []
        for (W, _), inputs in zip(reversed(current), reversed(outputs), strict=True):
            gradient.append((back.T @ inputs + decay * W, back.sum(axis=0)))
            back = back @ W * (1 - inputs**2)
        return float(value), _flat(tuple(reversed(gradient)))

    found = minimize(loss, _flat(layers), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    return _shaped(found.x, layers)


def balanced(y: Float[np.ndarray, "N"]) -> Float[np.ndarray, "N"]:
    """Weights that give both classes the same sum."""
    positive = y > 0.5
    return np.where(positive, 0.5 / positive.sum(), 0.5 / (~positive).sum())


def _flat(layers: Layers) -> np.ndarray:
    return np.concatenate([part.ravel() for layer in layers for part in layer])


def _shaped(flat: np.ndarray, like: Layers) -> Layers:
    made, at = [], 0
    for weight, bias in like:
        parts = []
        for part in (weight, bias):
            parts.append(flat[at : at + part.size].reshape(part.shape))
            at += part.size
        made.append((parts[0], parts[1]))
    return tuple(made)
