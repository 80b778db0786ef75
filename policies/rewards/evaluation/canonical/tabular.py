"""EPIC and DARD of finite Markov decision processes, exactly: expectations are sums over tables (S, A, S)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def epic(
    reward: Float[np.ndarray, "S A S"],
    states: Float[np.ndarray, "S"],
    actions: Float[np.ndarray, "A"],
    gamma: float = 0.99,
) -> Float[np.ndarray, "S A S"]:
    """EPIC's canonical reward, under probabilities of states and of actions."""
    mean = np.einsum("iaj,a,j->i", reward, actions, states)
    return reward + gamma * mean[None, None, :] - mean[:, None, None] - gamma * float(states @ mean)


def dard(
    reward: Float[np.ndarray, "S A S"],
    dynamics: Float[np.ndarray, "S A S"],
    actions: Float[np.ndarray, "A"],
    gamma: float = 0.99,
) -> Float[np.ndarray, "S A S"]:
    """DARD's canonical reward, under probabilities of next states (each row sums to 1) and of actions."""
    mean = np.einsum("iaj,iaj,a->i", reward, dynamics, actions)
    beyond = np.einsum("ias,jat,sat,a->ij", dynamics, dynamics, reward, actions, optimize=True)
    return reward + gamma * mean[None, None, :] - mean[:, None, None] - gamma * beyond[:, None, :]


def shaped(
    reward: Float[np.ndarray, "S A S"], potential: Float[np.ndarray, "S"], gamma: float = 0.99
) -> Float[np.ndarray, "S A S"]:
    """The reward with a potential's shaping added: gamma phi(s') - phi(s)."""
    return reward + gamma * potential[None, None, :] - potential[:, None, None]
