"""What rewards by the logit of scaled descriptions have in common: a classifier is all that they learn."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from policies.learners import Layers
from policies.rewards.describers import Describer
from policies.rewards.learned import OfMoments, Scale, Tensors, layers_from, layers_to, required
from policies.rewards.logit import forward


class ByLogit(OfMoments):
    """A reward made of a scale, and layers from the scaled to a logit."""

    name: ClassVar[str]
    worded = False

    def __init__(self, describer: Describer, settings: Any, seed: int, scale: Scale, layers: Layers) -> None:
        self.describer, self.settings, self.seed = describer, settings, seed
        self._scale, self._layers = scale, layers

    def logit(self, value: Float[np.ndarray, "N _"]) -> Float[np.ndarray, "N"]:
        """Logit of what is described."""
        return np.asarray(forward(self._layers, self._scale(value))[:, 0])

    def tensors(self) -> dict[str, np.ndarray]:
        """Scale and layers."""
        found = self._scale.tensors()
        layers_to(found, self._layers, "layer")
        return found

    @classmethod
    def restored(cls, describer: Describer | None, settings: Any, seed: int, tensors: Tensors) -> ByLogit:
        """Undo `tensors`."""
        scale, layers = Scale.restored(tensors), layers_from(tensors, "layer")
        return cls(required(describer, cls.name), settings, seed, scale, layers)
