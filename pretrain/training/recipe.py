"""All that decides what comes out of a training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pretrain.model import ModelError, ModelSettings
from pretrain.objectives.mmv import GRAPHS
from pretrain.objectives.objective import OBJECTIVES
from pretrain.sampling import Sampling


class RecipeError(ValueError):
    """A recipe that cannot be followed."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A training, whole: model, clips, objective, optimiser, and how it is computed."""

    model: ModelSettings
    sampling: Sampling
    objective: str
    """Name in the table of objectives."""
    objective_options: Mapping[str, Any] = field(default_factory=dict)
    """Its arguments: temperature, margin, ..."""
    words: int = 20
    """Words that are read of a sentence."""
    batch: int = 512
    """Clips of a step, over all processes."""
    clips_per_video: int = 1
    """Of them that are from the same video."""
    steps: int = 300_000
    warm_up: int = 10_000
    """Steps over which the learning rate rises from 0; then it falls along a cosine."""
    rate: float = 1e-3
    """Highest learning rate, of AdamW."""
    decay: float = 0.0
    """Weight decay of matrices and kernels; never of biases and norms."""
    clip: float | None = None
    """Largest norm of the gradient; larger ones are shortened."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of layers; losses are in single precision always."""
    micro_batch: int | None = None
    """Clips that a process encodes at a time (GradCache); by default its whole share of the batch."""
    recompute: bool = False
    """Whether activations of blocks are computed again instead of kept."""
    sync_norm: bool = False
    """Whether batch normalisation sees the clips of all processes (GPUs only)."""
    compile: bool = False
    """Whether torch compiles the model."""
    frozen: Sequence[str] = ()
    """Parts of the model, by their names, that keep the weights that they start with."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UnknownName: no such objective.
            RecipeError: numbers that are no training, or an objective that needs another model.
        """
        OBJECTIVES[self.objective]
        if min(self.steps, self.words) < 1 or self.batch < 2 or self.warm_up < 0:
            raise RecipeError("steps and words must be at least 1, the warm-up at least 0, a batch at least 2 clips")
        if not 0 < self.rate < math.inf:
            raise RecipeError(f"rate {self.rate}: the rate must be positive and finite")
        if self.clips_per_video < 1 or self.batch % self.clips_per_video:
            raise RecipeError(f"a batch of {self.batch} is no multiple of {self.clips_per_video} clips a video")
        if self.micro_batch is not None and self.micro_batch < 1:
            raise RecipeError("micro_batch: at least one clip")
        if (self.objective == "mmv") != (self.model.head in GRAPHS):
            raise RecipeError(
                f"the objective {self.objective!r} does not go with the head {self.model.head!r}: mmv needs one of"
                f" {', '.join(GRAPHS)}, the others do not know them"
            )

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recipe:
        """As it was written.

        Raises:
            RecipeError: not a recipe.
        """
        try:
            settings = {**value, "model": ModelSettings(**value["model"]), "sampling": Sampling(**value["sampling"])}
            return cls(**settings)
        except (KeyError, TypeError, ValueError, ModelError) as error:
            raise RecipeError(f"not a recipe ({error})") from error
