"""Ridge regression of labels on features in closed form: the cost of discriminative clustering.

Bach & Harchaoui, DIFFRAC: a discriminative and flexible framework for clustering, NIPS 2007. With centred features X
and labels z, the least of 1/N |z - X w - b|^2 + lambda |w|^2 over w and b is a quadratic function of z,

    1/N z' (Pi - X (X'X + N lambda I)^-1 X') z,    Pi = I - 11'/N,

which needs the D x D inverse alone, never an N x N matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from jaxtyping import Float

_PIECE = 4096
"""Rows in which products with all features are taken: what is converted to double precision at once."""
_ROOM = 2**29
"""Bytes for what clips of a regression say of themselves."""


def moments(value: Float[np.ndarray, "N D"]) -> tuple[Float[np.ndarray, "D"], Float[np.ndarray, "D D"]]:
    """Sum of the rows, and sum of their outer products, accumulated in double precision."""
    total = np.zeros(value.shape[1])
    square = np.zeros((value.shape[1], value.shape[1]))
    for piece in _pieces(value):
        total += piece.sum(axis=0, dtype=np.float64)
        square += piece.T @ piece
    return total, square


class Ridge:
    """Regression of any labels on the same features."""

    def __init__(
        self,
        value: Float[np.ndarray, "N D"],
        regularisation: float,
        *,
        sums: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """Invert X'X + N lambda I.

        Args:
            value: features; they need not be centred.
            regularisation: lambda.
            sums: `moments` of the features, where they are known already.
        """
        from scipy.linalg import cho_factor, cho_solve

        total, square = moments(value) if sums is None else sums
        self.value = value
        self._hat: dict[tuple[int, int], np.ndarray] = {}
        self.count = len(value)
        self.mean = total / self.count
        gram = square - self.count * np.outer(self.mean, self.mean)
        gram.flat[:: len(gram) + 1] += self.count * regularisation
        self.inverse: np.ndarray = cho_solve(cho_factor(gram, lower=True), np.eye(len(gram)))

    def correlation(
        self, label: Float[np.ndarray, "T K"], value: Float[np.ndarray, "T D"] | None = None
    ) -> Float[np.ndarray, "D K"]:
        """X' z for labels of all rows, or of those of `value` with zero elsewhere."""
        rows = self.value if value is None else value
        used = np.flatnonzero(label.any(axis=1))
        product = sum(
            (rows[piece].astype(np.float64).T @ label[piece] for piece in _indices(used)),
            start=np.zeros((rows.shape[1], label.shape[1])),
        )
        return product - np.outer(self.mean, label.sum(axis=0))

    def weight(self, correlation: Float[np.ndarray, "D K"]) -> Float[np.ndarray, "D K"]:
        """Planes w of the least cost for labels with this X' z."""
        return self.inverse @ correlation

    def cost(self, label: Float[np.ndarray, "N K"]) -> Float[np.ndarray, "K"]:
        """Least cost of each column of labels."""
        correlation = self.correlation(label)
        return self.quadratic(label, correlation, self.weight(correlation))

    def quadratic(
        self, label: Float[np.ndarray, "T K"], correlation: Float[np.ndarray, "D K"], weight: Float[np.ndarray, "D K"]
    ) -> Float[np.ndarray, "K"]:
        """The cost as the quadratic form it is, for labels that are zero in all rows but these."""
        square = (label**2).sum(axis=0) - label.sum(axis=0) ** 2 / self.count
        return (square - (correlation * weight).sum(axis=0)) / self.count

    def predicted(
        self, value: Float[np.ndarray, "T D"], weight: Float[np.ndarray, "D K"], mean_label: Float[np.ndarray, "K"]
    ) -> Float[np.ndarray, "T K"]:
        """X w + b, with the b of the least cost: the classifier's scores."""
        offset = mean_label - self.mean @ weight
        return np.asarray(value @ weight.astype(value.dtype), np.float64) + offset

    def left_out(self, label: Float[np.ndarray, "N K"], start: Iterable[int]) -> Float[np.ndarray, "N K"]:
        """Scores of each clip by the regression on all the others, exactly and without fitting again.

        With H_cc the clip's block of the matrix that turns labels into scores, the residuals of the regression without
        the clip are (I - H_cc)^-1 times those with it.

        Args:
            label: of all rows.
            start: first row of each clip, and the number of rows.
        """
        from scipy.linalg import solve

        weight, mean_label = self.weight(self.correlation(label)), label.mean(axis=0)
        result = np.empty(label.shape)
        bounds = list(start)
        for first, last in pairwise(bounds):
            own = label[first:last]
            residual = own - self.predicted(self.value[first:last], weight, mean_label)
            hat = self._own_scores(first, last).astype(np.float64)
            hat *= -1
            hat.flat[:: len(hat) + 1] += 1
            result[first:last] = own - solve(hat, residual, assume_a="pos")
        return result

    def _own_scores(self, first: int, last: int) -> Float[np.ndarray, "T T"]:
        """H_cc of a clip, kept for the next time as far as there is room."""
        if (first, last) in self._hat:
            return self._hat[first, last]
        centred = self.value[first:last] - self.mean.astype(self.value.dtype)
        hat = np.asarray(centred @ self.inverse.astype(self.value.dtype) @ centred.T + 1 / self.count)
        if sum(kept.nbytes for kept in self._hat.values()) + hat.nbytes <= _ROOM:
            self._hat[first, last] = hat
        return hat


def _pieces(value: np.ndarray) -> Iterator[np.ndarray]:
    for first in range(0, len(value), _PIECE):
        yield value[first : first + _PIECE].astype(np.float64)


def _indices(rows: np.ndarray) -> Iterator[np.ndarray]:
    for first in range(0, len(rows), _PIECE):
        yield rows[first : first + _PIECE]
