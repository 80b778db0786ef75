"""Training of a joint model: one process or many, stopped at any moment, resumed exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from pretrain.distributed import processes, rank
from pretrain.model import JointModel
from pretrain.pretrained import Pretrained, fingerprint_of
from pretrain.training.checkpoint import load_checkpoint
from pretrain.training.curve import Curve
from pretrain.training.examples import Examples
from pretrain.training.loader import Loader, Share
from pretrain.training.loop import Keeping, Loop
from pretrain.training.optimiser import freeze, optimiser_of
from pretrain.training.order import Order
from pretrain.training.recipe import Recipe, RecipeError
from pretrain.training.watch import watched
from pretrain.vocabulary import Vocabulary
from records import digest
from records.atomic import write_json

RECIPE, CHECKPOINT, CURVE, EVENTS = "recipe.json", "checkpoint.pt", "curve.jsonl", "events"


def train(
    examples: Examples,
    recipe: Recipe,
    folder: Path | str,
    *,
    vocabulary: Vocabulary,
    name: str,
    held: Examples | None = None,
    start: Mapping[str, torch.Tensor] | None = None,
    device: torch.device | None = None,
    workers: int = 0,
    keeping: Keeping | None = None,
) -> Pretrained:
    """Train a model, or go on where a training in the same folder was stopped; the finished model is saved there.

    With a process group (`distributed.together`) each process takes its share of every batch. Losses after a resume
    are those of a training that was never stopped, on the same device and number of processes.

    Args:
        examples: by number.
        recipe: all that decides what comes out.
        folder: of recipe, checkpoint, curve and model.
        vocabulary: words that the model shall know.
        name: of the model.
        held: examples of other videos, to see whether those of the training are learned by heart.
        start: weights to start from, of the same model; random ones by default.
        device: where to compute; the processor by default.
        workers: processes that make examples for each process that trains.
        keeping: what is written when.

    Raises:
        CheckpointError: the folder holds another training, or a damaged one, or cannot be written.
        RecipeError: a recipe that cannot be followed here.
        TrainingError: a loss that is not finite.
    """
    folder, keeping = Path(folder), keeping or Keeping()
    device = device or torch.device("cpu")
    if recipe.batch % processes():
        raise RecipeError(f"a batch of {recipe.batch} cannot be shared by {processes()} processes")
    if recipe.sync_norm and device.type != "cuda":
        raise RecipeError("sync_norm: batch normalisation over processes is for GPUs only")
    torch.manual_seed(recipe.seed)
    model = JointModel(recipe.model, len(vocabulary))
    if start is not None:
        model.load_state_dict(start)
    freeze(model, recipe.frozen)
    model.to(device=device)
    key = json.dumps(
        {
            "recipe": recipe.to_json(),
            "videos": len(examples),
            "words": digest(list(vocabulary.words)),
            "start": None if start is None else fingerprint_of(start),
        },
        sort_keys=True,
    )
    checkpoint = load_checkpoint(folder / CHECKPOINT, key)
    optimiser = optimiser_of(model, recipe)
    if checkpoint is not None:
        model.load_state_dict(checkpoint.model)
        optimiser.load_state_dict(checkpoint.optimiser)
        if len(checkpoint.random) == processes():
            torch.set_rng_state(checkpoint.random[rank()])
    first = 0 if checkpoint is None else checkpoint.step
    # Clips that are judged are not drawn at random.
    sampling = replace(recipe.sampling, augment=False)
    pretrained = Pretrained(model, vocabulary, sampling, name=name, words=recipe.words)
    if first < recipe.steps:
        leads = rank() == 0
        if leads:
            write_json(folder / RECIPE, recipe.to_json())
        with Curve(folder / CURVE, board=folder / EVENTS if keeping.board else None) as curve:
            if leads:
                curve.resume(first)
            loader = Loader(
                examples,
                Order(len(examples), batch=recipe.batch, clips=recipe.clips_per_video, seed=recipe.seed),
                vocabulary,
                length=recipe.words,
                share=Share(rank(), processes()),
                processes=workers,
            )
            at = watched(examples, held, vocabulary, count=keeping.look_at, length=recipe.words) if leads else None
            Loop(recipe, model, optimiser, device, curve, at, folder / CHECKPOINT, key, keeping).run(loader, first)
    model.eval()
    if rank() == 0:
        pretrained.save(folder)
    return pretrained
