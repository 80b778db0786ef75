"""A training in stages, each of which starts from the weights of the one before: single frames first, then clips.

Bain et al., Frozen in Time, ICCV 2021: what is learned from images costs a fraction of what clips cost, and clips go on
from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from pretrain.pretrained import Pretrained
from pretrain.sampling import Sampling
from pretrain.training.examples import Examples
from pretrain.training.loop import Keeping
from pretrain.training.recipe import Recipe, RecipeError
from pretrain.training.train import train
from pretrain.transformer import TEMPORAL
from pretrain.vocabulary import Vocabulary


class Stage(NamedTuple):
    """A part of a training."""

    name: str
    """Of its folder in that of the training; empty for that folder itself."""
    recipe: Recipe


class Learned(NamedTuple):
    """What a stage learns from."""

    examples: Examples
    held: Examples | None
    """Examples of other videos; see `train`."""


def from_stills(recipe: Recipe, steps: int) -> tuple[Stage, Stage]:
    """Single frames for some steps, then the recipe as it is.

    A frame is drawn from all of the stretch of time that a clip would be drawn from. Nothing that tells moments apart
    is trained on frames: after that stage, a still video has exactly the features of its frame, unless the stage starts
    from weights that know of time.

    Args:
        recipe: of clips, with a transformer.
        steps: of the stage with single frames; learning rate and all else are those of the recipe.

    Raises:
        RecipeError: an encoder to which a frame is not a short video, or no steps.
    """
    if recipe.model.video != "transformer":
        raise RecipeError(
            f"single frames first: the video encoder {recipe.model.video!r} is for clips alone; take a recipe with a"
            " transformer (frozen, tiny_frozen)"
        )
    sampling = recipe.sampling
    stills = replace(sampling, frames=1, shortest=max(sampling.shortest, sampling.seconds))
    first = replace(recipe, sampling=stills, steps=steps, frozen=(*recipe.frozen, *TEMPORAL))
    return Stage("stills", first), Stage("clips", recipe)


def train_stages(
    stages: Sequence[Stage],
    folder: Path | str,
    learned: Callable[[Sampling], Learned],
    *,
    vocabulary: Vocabulary,
    name: str,
    start: Mapping[str, torch.Tensor] | None = None,
    device: torch.device | None = None,
    workers: int = 0,
    keeping: Keeping | None = None,
) -> Pretrained:
    """Train stage after stage, or go on where that was stopped; returns the model of the last one.

    Args:
        stages: of one model; each has a folder of its own in `folder`.
        folder: of all.
        learned: examples of clips as they are sampled in a stage.
        vocabulary: as the next ones, see `train`.
        name: of the model.
        start: weights to start the first stage from.
        device: where to compute.
        workers: processes that make examples.
        keeping: what is written when.

    Raises:
        ValueError: no stages.
        CheckpointError: what `train` raises, as the next ones; a stage whose predecessor is now another is refused.
        RecipeError: a recipe that cannot be followed here.
        TrainingError: a loss that is not finite.
    """
    if not stages:
        raise ValueError("a training has at least one stage")
    for stage in stages:
        examples, held = learned(stage.recipe.sampling)
        trained = train(
            examples,
            stage.recipe,
            Path(folder) / stage.name,
            vocabulary=vocabulary,
            name=name,
            held=held,
            start=start,
            device=device,
            workers=workers,
            keeping=keeping,
        )
        start = trained.model.state_dict()
    return trained
