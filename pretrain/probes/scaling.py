"""Features brought to a common scale, by what the training examples show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


def unit(x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Rows of length 1; rows of nothing stay so."""
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.finfo(np.float32).tiny)


@dataclass(frozen=True, kw_only=True, eq=False)
class Standardiser:
    """Takes away the mean, divides by the standard deviation."""

    mean: Float[np.ndarray, "D"]
    deviation: Float[np.ndarray, "D"]

    @classmethod
    def of(cls, x: Float[np.ndarray, "N D"]) -> Standardiser:
        """Mean and standard deviation (over N, not N - 1) of examples; what never varies is left as it is."""
        deviation = x.std(axis=0, dtype=np.float64)
        return cls(mean=x.mean(axis=0, dtype=np.float64), deviation=np.where(deviation > 0, deviation, 1.0))

    def __call__(self, x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
        """Standardised examples."""
        return (x - self.mean) / self.deviation
