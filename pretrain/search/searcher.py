"""Sentences asked of an index, with the encoder that its clips were encoded with."""

from __future__ import annotations

import time
from typing import NamedTuple

from pretrain.pretrained import Pretrained
from pretrain.search.clip_index import ClipIndex, Hit
from pretrain.search.vectors import SearchError
from pretrain.vocabulary import words_of


class Answer(NamedTuple):
    """What was found, and how."""

    hits: list[Hit]
    unknown: tuple[str, ...]
    """Words of the question that the encoder does not know; they were left out."""
    seconds: float
    """Time of encoding the question and of searching [s]."""


class Searcher:
    """An index and its encoder."""

    def __init__(self, index: ClipIndex, model: Pretrained) -> None:
        """Take both.

        Raises:
            SearchError: the clips were encoded by another encoder.
        """
        if model.fingerprint() != index.encoder_hash:
            raise SearchError(
                f"the index was made with {index.encoder!r} ({index.encoder_hash[:8]}), not with {model.name!r}"
                f" ({model.fingerprint()[:8]}); name that encoder with --model, or make the index again"
            )
        self.index = index
        self.model = model
        self._known = frozenset(model.vocabulary.words)

    def ask(self, sentence: str, count: int = 10) -> Answer:
        """The windows that fit a sentence best.

        Raises:
            SearchError: nothing is asked.
            ModelError: the encoder knows none of the words.
        """
        words = words_of(sentence)
        if not words:
            raise SearchError("nothing is asked: write what is to be seen, such as: pour the coffee")
        began = time.perf_counter()
        hits = self.index.search(self.model.encode_sentences([sentence])[0], count)
        took = time.perf_counter() - began
        return Answer(hits, tuple(dict.fromkeys(word for word in words if word not in self._known)), took)
