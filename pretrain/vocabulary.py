"""Words and their numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

WORDS = 16
"""Words of a sentence that are read; 20 in the training of the published model."""

_WORD = re.compile(r"[\w']+")


class VocabularyError(ValueError):
    """A dictionary that cannot be read, or that does not fit its weights."""


class Vocabulary:
    """A dictionary: the number of a word is its place, from 1; 0 is padding, and stands for what is unknown.

    The place of a word that stands twice is the last one, as in the code that was published with S3D-G.
    """

    def __init__(self, words: Sequence[str]) -> None:
        """Take the words in order."""
        self.words = tuple(words)
        self._numbers = {word: k for k, word in enumerate(self.words, 1)}

    def __len__(self) -> int:
        """Count the rows of an embedding: the words, and the padding."""
        return len(self.words) + 1

    def encode(self, sentences: Iterable[str], length: int = WORDS) -> Int[np.ndarray, "N W"]:
        """Numbers of the first `length` known words of each sentence, padded by 0.

        Words are runs of letters, digits and apostrophes, in lower case; unknown ones are left out.
        """
        rows = []
        for sentence in sentences:
            known = [self._numbers[word] for word in words_of(sentence) if word in self._numbers][:length]
            rows.append(known + [0] * (length - len(known)))
        return np.array(rows, np.int64).reshape(-1, length)

    @classmethod
    def of(cls, sentences: Iterable[str], *, most: int = 66_249, at_least: int = 1) -> Vocabulary:
        """The words of some sentences, frequent ones first: at most `most`, each said `at_least` so many times.

        Raises:
            VocabularyError: there is none.
        """
        counted = Counter(word for sentence in sentences for word in words_of(sentence))
        kept = [
            word for word, count in sorted(counted.items(), key=lambda item: (-item[1], item[0])) if count >= at_least
        ]
        if not kept:
            raise VocabularyError(f"no word is said {at_least} times or more")
        return cls(kept[:most])

    @classmethod
    def load(cls, path: Path | str) -> Vocabulary:
        """Read a dictionary: `.npy` of strings (`s3d_dict.npy`), or text with one word a line.

        Raises:
            VocabularyError: not there, or something else. Nothing in the file is run.
        """
        path = Path(path)
        try:
            if path.suffix == ".npy":
                words = np.load(path, allow_pickle=False)
                if words.ndim != 1 or words.dtype.kind not in "US":
                    raise VocabularyError(f"{path}: {words.dtype} of shape {words.shape}, expected a list of words")
                return cls([str(word) for word in words.astype(str)])
            return cls(path.read_text(encoding="utf-8").split())
        except (OSError, ValueError) as error:
            if isinstance(error, VocabularyError):
                raise
            raise VocabularyError(f"{path}: not a dictionary that can be read ({error})") from error


def words_of(sentence: str) -> list[str]:
    """The words of a sentence."""
    return _WORD.findall(sentence.lower())
