"""Word vectors that others have trained, by path: word2vec's binary and text files, and those of GloVe and fastText."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from jaxtyping import Float

_LONGEST = 1024
"""Bytes of a word at most; a longer one means that the file is of another kind."""


class VectorsError(ValueError):
    """A file of word vectors that cannot be read, or that has none of the words."""


class WordVectors(NamedTuple):
    """Vectors of those words that have one."""

    words: tuple[str, ...]
    vector: Float[np.ndarray, "N D"]


def read_word_vectors(path: Path | str, words: Sequence[str]) -> WordVectors:
    """Look words up in a file, which is read once and never held as a whole.

    A word that is only there with capitals (`Paris`) is taken where its own form is missing; the first form counts.

    Args:
        path: `.bin` of word2vec, else text: a word and its numbers in each line, with or without a line of counts.
        words: in lower case.

    Returns:
        Those that are found, in order of `words`.

    Raises:
        VectorsError: not there, damaged, of another kind, or without any of the words.
    """
    path = Path(path)
    wanted = set(words)
    exact: dict[str, np.ndarray] = {}
    folded: dict[str, np.ndarray] = {}
    try:
        with open(path, "rb") as file:
            for word, vector in _binary(path, file) if path.suffix == ".bin" else _text(path, file):
                if word in wanted:
                    exact.setdefault(word, vector)
                elif word.lower() in wanted:
                    folded.setdefault(word.lower(), vector)
    except OSError as error:
        raise VectorsError(f"{path}: word vectors cannot be read ({error.strerror or error})") from error
    found = folded | exact
    if not found:
        raise VectorsError(f"{path}: has a vector of none of {len(words)} words")
    kept = tuple(word for word in words if word in found)
    vectors = np.stack([found[word] for word in kept])
    if not np.isfinite(vectors).all():
        raise VectorsError(f"{path}: holds numbers that are not finite")
    return WordVectors(kept, vectors)


def _binary(path: Path, file: BinaryIO) -> Iterator[tuple[str, np.ndarray]]:
    """word2vec: a line of counts, then each word, a blank, and its numbers in single precision."""
    counts = file.readline(64).split()
    if len(counts) != 2 or not all(part.isdigit() for part in counts):
        raise VectorsError(f"{path}: does not begin with the counts of word2vec's binary files")
    for number in range(int(counts[0])):
        word = bytearray()
        while (letter := file.read(1)) not in (b" ", b""):
            if letter != b"\n":
                word += letter
            if len(word) > _LONGEST:
                raise VectorsError(f"{path}: word {number} is endless: not word2vec's binary format")
        data = file.read(4 * int(counts[1]))
        if len(data) < 4 * int(counts[1]):
            raise VectorsError(f"{path}: ends after {number} of {int(counts[0])} words; copy it again")
        yield word.decode("utf-8", "replace"), np.frombuffer(data, "<f4").copy()


def _text(path: Path, file: BinaryIO) -> Iterator[tuple[str, np.ndarray]]:
    """A word and its numbers in each line, separated by blanks."""
    size = 0
    for number, line in enumerate(file):
        parts = line.decode("utf-8", "replace").rstrip().split(" ")
        if number == 0 and len(parts) == 2:
            continue
        size = size or len(parts) - 1
        try:
            vector = np.array(parts[1:], np.float32)
        except ValueError as error:
            raise VectorsError(f"{path}: line {number + 1} is no word with numbers") from error
        if size < 1 or len(vector) != size:
            raise VectorsError(f"{path}: line {number + 1} has {len(vector)} numbers, the first {size}")
        yield parts[0], vector
