"""Losses of squared residuals: quadratic, pseudo-Huber and Geman-McClure, widened by graduated non-convexity.

A loss maps the squared norm s of a residual, in standard deviations, to its cost rho(s) and its weight rho'(s).
Barron 2019 (CVPR), "A general and adaptive robust loss function"; Blake and Zisserman 1987 on graduated non-convexity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Loss(Protocol):
    """Cost and weight of squared residuals."""

    def cost(self, s: np.ndarray, widening: float = 1.0) -> np.ndarray:
        """Cost rho(s) [1]; close to s for small s."""

    def weight(self, s: np.ndarray, widening: float = 1.0) -> np.ndarray:
        """Derivative rho'(s) [1]; 1 for small s."""


@dataclass(frozen=True)
class Quadratic:
    """No outliers."""

    def cost(self, s: np.ndarray, widening: float = 1.0) -> np.ndarray:
        """Return s."""
        return s

    def weight(self, s: np.ndarray, widening: float = 1.0) -> np.ndarray:
        """Return 1."""
        return np.ones_like(s)


@dataclass(frozen=True)
class PseudoHuber:
    """Quadratic, then linear beyond `width` standard deviations."""

    width: float = 1.0

    def cost(self, s: np.ndarray, widening: float = 1.0) -> np.ndarray:
        """Return 2 w^2 (sqrt(1 + s / w^2) - 1)."""
        return 2 * self.width**2 * (np.sqrt(1 + s / self.width**2) - 1)

    def weight(self, s: np.ndarray, widening: float = 1.0) -> np.ndarray:
        """Return 1 / sqrt(1 + s / w^2)."""
        return 1 / np.sqrt(1 + s / self.width**2)


@dataclass(frozen=True)
class GemanMcClure:
    """Quadratic, then constant beyond `width` standard deviations, which `widening` multiplies."""

    width: float = 3.0

    def cost(self, s: np.ndarray, widening: float = 1.0) -> np.ndarray:
        """Return s / (1 + s / c^2)."""
        return s / (1 + s / (widening * self.width) ** 2)

    def weight(self, s: np.ndarray, widening: float = 1.0) -> np.ndarray:
        """Return 1 / (1 + s / c^2)^2."""
        return 1 / (1 + s / (widening * self.width) ** 2) ** 2
