"""Probabilities of hidden states that follow each other: what both rooms that weigh contacts do with their evidence."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def forward_backward(
    log_likelihood: Float[np.ndarray, "T S"], A: Float[np.ndarray, "S S"], start: Float[np.ndarray, "S"]
) -> Float[np.ndarray, "T S"]:
    """Posterior of every state at every time, given the evidence of all times (Rabiner 1989, section III.A).

    Args:
        log_likelihood: log likelihood of each state, up to a constant per time.
        A: probability to go from state (row) to state (column) in a step.
        start: probability of each state at first.
    """
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    ahead, back = np.empty_like(likelihood), np.ones_like(likelihood)
    belief = start
    for t, value in enumerate(likelihood):
        belief = (belief @ A if t else start) * value
        belief = belief / belief.sum()
        ahead[t] = belief
    for t in range(len(likelihood) - 2, -1, -1):
        message = A @ (likelihood[t + 1] * back[t + 1])
        back[t] = message / message.sum()
    joint = ahead * back
    posterior: np.ndarray = joint / joint.sum(axis=1, keepdims=True)
    return posterior
