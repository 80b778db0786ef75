"""Vectors by inner product: exactly where there are few, by compressed codes and an exact second look where many.

The first look goes over all vectors in 4-bit codes of pairs of dimensions (product quantisation, scanned in registers:
Andre et al., Quicker ADC, PAMI 2019), the second over the thousand best in half precision. No list or graph is
followed, so what is found depends little on where queries come from; sentences lie elsewhere than clips.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from records.atomic import atomic_path

EXACT_UP_TO = 50_000
"""Vectors that are compared one by one; more are compressed."""
SECOND_LOOKS = 1000
"""Vectors that are compared in half precision, of those that are compressed."""
_TRAINED_ON = 20_000
"""Vectors that the codes are fitted to."""
_ITERATIONS = 10
"""Of k-means on each pair of dimensions."""


class SearchError(ValueError):
    """An index that cannot be read or that something does not belong in, or a package that is missing."""


class Nearest(NamedTuple):
    """The best of all vectors, in order."""

    row: Int[np.ndarray, "K"]
    score: Float[np.ndarray, "K"]


class Vectors:
    """Rows of one size, numbered from 0 in order of their adding."""

    def __init__(self, size: int, *, exact_up_to: int = EXACT_UP_TO) -> None:
        """Hold none yet.

        Args:
            size: dimensions.
            exact_up_to: rows that are compared one by one.

        Raises:
            SearchError: faiss is not installed.
        """
        self.size = size
        self.exact_up_to = exact_up_to
        self._index: Any = _faiss().IndexFlatIP(_even(size))

    def __len__(self) -> int:
        """Count the rows."""
        return int(self._index.ntotal)

    @property
    def is_exact(self) -> bool:
        """Whether rows are compared one by one."""
        return isinstance(self._index, _faiss().IndexFlat)

    def add(self, value: Float[np.ndarray, "N D"]) -> None:
        """Append rows; past `exact_up_to` all are compressed."""
        value = self._padded(value)
        if not len(value):  # which faiss's compressed indices do not survive
            return
        if self.is_exact and len(self) + len(value) > self.exact_up_to:
            value = np.concatenate([self._index.reconstruct_n(0, len(self)), value])
            self._index = _compressed(value)
        self._index.add(value)

    def nearest(self, query: Float[np.ndarray, "D"], count: int) -> Nearest:
        """The rows of the largest inner products with `query`, at most `count`."""
        count = min(count, len(self))
        if not count:
            return Nearest(np.zeros(0, np.int64), np.zeros(0, np.float32))
        options = {}
        if not self.is_exact:
            factor = min(max(SECOND_LOOKS / count, 10.0), len(self) / count)
            options = {"params": _faiss().IndexRefineSearchParameters(k_factor=factor)}
        score, row = self._index.search(self._padded(query[None]), count, **options)
        there = row[0] >= 0
        return Nearest(row[0][there], score[0][there])

    def save(self, path: Path) -> None:
        """Write them, atomically.

        Raises:
            SearchError: the disk is full, or the folder cannot be written.
        """
        try:
            with atomic_path(path) as temporary:
                _faiss().write_index(self._index, str(temporary))
        except (RuntimeError, OSError) as error:  # faiss has no error of its own for a full disk
            reason = " ".join(str(error).split())
            raise SearchError(f"{path}: cannot be written ({reason}); the index that was there is intact") from error

    @classmethod
    def load(cls, path: Path, size: int) -> Vectors:
        """Read rows of `size` dimensions.

        Raises:
            SearchError: not there, damaged, or rows of another size.
        """
        vectors = cls(size)
        try:
            vectors._index = _faiss().read_index(str(path))
        except RuntimeError as error:
            raise SearchError(f"{path}: cannot be read; build the index again with --force") from error
        if vectors._index.d != _even(size):
            raise SearchError(f"{path}: rows of {vectors._index.d} dimensions, expected {size}; build it again")
        return vectors

    def _padded(self, value: np.ndarray) -> np.ndarray:
        padding = ((0, 0), (0, _even(self.size) - self.size))
        return np.ascontiguousarray(np.pad(value, padding), np.float32)


def _compressed(sample: np.ndarray) -> Any:
    """An empty index whose codes are fitted to a sample."""
    faiss, size = _faiss(), sample.shape[1]
    index = faiss.index_factory(size, f"PQ{size // 2}x4fs,Refine(SQfp16)", faiss.METRIC_INNER_PRODUCT)
    faiss.downcast_index(index.base_index).pq.cp.niter = _ITERATIONS
    chosen = np.random.default_rng(0).permutation(len(sample))[:_TRAINED_ON]
    index.train(sample[np.sort(chosen)])
    return index


def _even(size: int) -> int:
    return size + size % 2


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise SearchError("searching needs faiss: pip install 'apprentice[search]'") from error
    return faiss
