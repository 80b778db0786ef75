"""Reward by words: how well an episode as a whole fits a sentence, or the video of a demonstration.

RoboCLIP (Sontakke et al., NeurIPS 2023): one number at the end of an episode, by a joint encoder of video and text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from policies.rewards.describers import Describer, Encoded, squares
from policies.rewards.learned import Tensors
from policies.rewards.reward import RewardError, Shown, Watched


class TextSimilaritySettings(NamedTuple):
    """Nothing is to be chosen."""


class TextSimilarity:
    """Reward of the last step: cosine between the embeddings of the episode and of the sentence; 0 before."""

    name, worded, Settings = "text_similarity", True, TextSimilaritySettings
    needs = frozenset({"frames"})

    def __init__(
        self, describer: Encoded, settings: TextSimilaritySettings, seed: int, goal: Float[np.ndarray, "D"]
    ) -> None:
        self.describer, self.settings, self.seed, self._goal = describer, settings, seed, goal

    @classmethod
    def learn(
        cls, shown: Shown, describer: Describer | None, settings: TextSimilaritySettings, seed: int
    ) -> TextSimilarity:
        """Embed the sentence or, where there is none, the demonstrations. Nothing is drawn at random.

        Raises:
            RewardError: the description is not by an encoder.
            ModelError: the encoder knows none of the sentence's words.
        """
        encoder = _encoder(describer)
        if shown.sentence:
            goal = encoder.model.encode_sentences([shown.sentence])[0].astype(float)
        else:
            goal = np.mean([_unit(embedded(e, encoder)) for e in shown.demonstrations], axis=0)
        return cls(encoder, settings, seed, _unit(goal))

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Zero until the last step."""
        found = np.zeros(len(episode))
        found[-1] = _unit(embedded(episode, self.describer)) @ self._goal
        return found

    def tensors(self) -> dict[str, np.ndarray]:
        """The embedding that episodes are compared with."""
        return {"goal": self._goal}

    @classmethod
    def restored(
        cls, describer: Describer | None, settings: TextSimilaritySettings, seed: int, tensors: Tensors
    ) -> TextSimilarity:
        """Undo `tensors`."""
        return cls(_encoder(describer), settings, seed, tensors["goal"])


def embedded(episode: Watched, encoder: Encoded) -> Float[np.ndarray, "D"]:
    """Embedding of as many frames as the encoder takes, evenly from the first to the last, whatever their rate."""
    frames = squares(episode, encoder.model.sampling.size)
    chosen = np.round(np.linspace(0, len(frames) - 1, encoder.model.sampling.frames)).astype(int)
    return np.asarray(encoder.model.encode_clips(frames[None, chosen]).embedding[0], float)


def _unit(value: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(value))
    if length <= 0:
        raise RewardError("an embedding is zero: the encoder has not been trained")
    return value / length


def _encoder(describer: Describer | None) -> Encoded:
    if not isinstance(describer, Encoded):
        raise RewardError("the reward 'text_similarity' compares videos with words: describe by a pretrained encoder")
    return describer
