"""Clips that are looked at now and then during a training, always the same ones."""

from __future__ import annotations

import logging
import math
from typing import NamedTuple

import numpy as np
import torch

from pretrain.model import JointModel
from pretrain.training.alarms import Health, effective_rank, retrieval, shared_words, spread_of
from pretrain.training.examples import Collated, Examples, collate, to_batch
from pretrain.vocabulary import Vocabulary

_AT_ONCE = 32

_log = logging.getLogger(__name__)


class Watched(NamedTuple):
    """Clips of the training, and others."""

    seen: Collated
    unseen: Collated | None


def watched(
    examples: Examples, held: Examples | None, vocabulary: Vocabulary, *, count: int, length: int
) -> Watched | None:
    """The first `count` examples of a training, and of those held back from it where there are any.

    A clip alone cannot be told from others: None where there are no two.

    Args:
        examples: of the training.
        held: of other videos.
        vocabulary: of the model.
        count: clips of each.
        length: words that are read of a sentence.
    """

    def first(of: Examples) -> Collated:
        numbers = range(min(count, len(of)))
        clips = collate([of[number] for number in numbers], numbers, len(of), vocabulary, length)
        for problem in clips.passed_over:
            _log.warning("skipped: %s", problem)
        return clips

    if min(count, len(examples)) < 2:
        return None
    return Watched(first(examples), None if held is None or len(held) < 2 else first(held))


@torch.inference_mode()
def look(model: JointModel, at: Watched, device: torch.device) -> Health:
    """How a model stands; it is in evaluation mode meanwhile."""
    training = model.training
    model.eval()
    try:
        features, video, text = _encoded(model, at.seen, device)
        unseen = math.nan
        if at.unseen is not None:
            _, other_video, other_text = _encoded(model, at.unseen, device)
            unseen = retrieval(other_text, other_video)
        if not (np.isfinite(video).all() and np.isfinite(text).all() and np.isfinite(features).all()):
            return Health(*[math.nan] * len(Health._fields))
        sentences = [frozenset(row[row > 0].tolist()) for row in at.seen.words[:, 0]]
        return Health(
            spread=spread_of(video),
            rank=effective_rank(video),
            neighbours=shared_words(features, sentences),
            seen=retrieval(text, video),
            unseen=unseen,
        )
    finally:
        model.train(training)


def _encoded(model: JointModel, clips: Collated, device: torch.device) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    batch = to_batch(clips, device)
    features = torch.cat([model.features(part) for part in batch.video.split(_AT_ONCE)])
    video, text = model.embed_features(features), model.embed_text(batch.words[:, 0])
    first, second, third = (x.float().cpu().numpy() for x in (features, video, text))
    return first, second, third
