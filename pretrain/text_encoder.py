"""The text module of MIL-NCE: word vectors, one hidden layer, the largest activation over the words of a sentence."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

PUBLISHED_WORDS = 66_250
"""Rows of the word embedding of S3D_HowTo100M: its dictionary, and the padding word before it."""
WORD_SIZE = 300
"""Dimensions of the word vectors (word2vec, GoogleNews)."""
HIDDEN = 2048


class TextModule(nn.Module):
    """Sentences, as numbers of their words, to embeddings."""

    def __init__(
        self,
        embedding: int = 512,
        *,
        words: int = PUBLISHED_WORDS,
        word_size: int = WORD_SIZE,
        hidden: int = HIDDEN,
        train_words: bool = False,
    ) -> None:
        """Build it with random weights.

        Args:
            embedding: dimensions D of the space shared with video.
            words: rows of the word embedding, the padding word 0 included.
            word_size: dimensions of the word vectors.
            hidden: units of the hidden layer.
            train_words: whether the word vectors are trained; those of others (word2vec) are left as they are.
        """
        super().__init__()
        self.word_embd = nn.Embedding(words, word_size)
        self.word_embd.weight.requires_grad_(train_words)
        self.fc1 = nn.Linear(word_size, hidden)
        self.fc2 = nn.Linear(hidden, embedding)

    def forward(self, words: Int[Tensor, "*B W"]) -> Float[Tensor, "*B D"]:
        """Encode sentences of W words, padded by 0.

        As in the published model, padding takes part: it is a word like any other, with a vector of its own.
        """
        hidden = torch.relu(self.fc1(self.word_embd(words)))
        return self.fc2(hidden.max(dim=-2).values)
