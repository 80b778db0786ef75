"""The loss of a batch: what an objective takes of the embeddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor

from pretrain.model import Batch
from pretrain.objectives.mmv import Met
from pretrain.objectives.objective import OBJECTIVES

Loss = Callable[[Met, Batch], Float[Tensor, ""]]
"""Of embeddings and the batch that they are of."""


def loss_of(objective: str, options: Mapping[str, Any]) -> Loss:
    """The loss of an objective of the table, with its options (temperature, margin, ...).

    Objectives of pairs take the first candidate: the sentence that the clip was drawn around. A clip whose sentences
    have no word that the model knows takes no part.

    Raises:
        UnknownName: no such objective.
    """
    function = OBJECTIVES.load(objective)

    def of_met(met: Met, batch: Batch) -> Tensor:
        if objective == "mmv":
            return function(met, has_audio=batch.heard, candidate=batch.candidate, **options)
        assert met.text is not None
        if objective == "milnce":
            return function(met.video_of_text, met.text, candidate=batch.candidate, **options)
        pairs = met.video_of_text, met.text[:, 0]
        if objective == "ranking":
            return function(*pairs, known=batch.candidate[:, 0], source=batch.source, **options)
        return function(*pairs, known=batch.candidate[:, 0], **options)

    return of_met
