"""Training of a joint model: one process or many, stopped at any moment, resumed exactly."""

from __future__ import annotations

import json
import logging
import math
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from pretrain.distributed import processes, rank
from pretrain.model import JointModel
from pretrain.pretrained import Pretrained, fingerprint_of
from pretrain.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from pretrain.training.curve import Curve
from pretrain.training.examples import Examples, to_batch
from pretrain.training.loader import Loader, Share
from pretrain.training.loss import loss_of
from pretrain.training.order import Order
from pretrain.training.recipe import Recipe, RecipeError
from pretrain.training.recompute import recompute
from pretrain.training.schedule import rate_at
from pretrain.training.step import backward
from pretrain.training.watch import Watched, look, watched
from pretrain.vocabulary import Vocabulary
from records import digest
from records.atomic import write_json
from records.progress import tell_progress

RECIPE, CHECKPOINT, CURVE, EVENTS = "recipe.json", "checkpoint.pt", "curve.jsonl", "events"

_log = logging.getLogger(__name__)


class TrainingError(RuntimeError):
    """A training that cannot go on; it says what to change."""


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """What is written during a training, and when; none of it changes what comes out."""

    save_every: int = 1000
    """Steps between checkpoints."""
    tell_every: int = 20
    """Steps between looks at the loss; a GPU waits for each."""
    look_every: int = 500
    """Steps between looks at the embeddings (`alarms.Health`)."""
    look_at: int = 128
    """Clips that are looked at."""
    board: bool = True
    """Whether events are written for TensorBoard."""


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
    optimiser = _optimiser(model, recipe)
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
            run = _Run(recipe, model, optimiser, device, curve, at, folder / CHECKPOINT, key, keeping)
            run.steps(loader, first)
    model.eval()
    if rank() == 0:
        pretrained.save(folder)
    return pretrained


@dataclass
class _Run:
    """The steps of a training."""

    recipe: Recipe
    model: JointModel
    optimiser: torch.optim.Optimizer
    device: torch.device
    curve: Curve
    at: Watched | None
    """Clips to look at; the process that leads has them."""
    path: Path
    key: str
    keeping: Keeping

    def steps(self, loader: Loader, first: int) -> None:
        """All steps that are left, with a checkpoint at the end and where it is interrupted."""
        recipe, keeping = self.recipe, self.keeping
        net = wrapped(self.model, recipe, self.device)
        self.model.train()
        loss = loss_of(recipe.objective, recipe.objective_options)
        told = first
        losses: list[torch.Tensor] = []
        with _interruptible() as interrupted:
            for step, collated in enumerate(loader.steps(first, recipe.steps), first):
                batch = to_batch(collated, self.device)
                pieces = 1 if recipe.micro_batch is None else math.ceil(len(batch.video) / recipe.micro_batch)
                for group in self.optimiser.param_groups:
                    group["lr"] = self._rate(step)
                self.optimiser.zero_grad(set_to_none=True)
                losses.append(backward(net, batch, loss, pieces=pieces, bf16=recipe.precision == "bf16"))
                if recipe.clip is not None:
                    nn.utils.clip_grad_norm_(self.model.parameters(), recipe.clip)
                self.optimiser.step()
                done = step + 1
                last = done == recipe.steps or interrupted()
                saves = last or done % keeping.save_every == 0
                if saves or done % keeping.tell_every == 0:
                    self._tell(told, losses)
                    told, losses = done, []
                if done % keeping.look_every == 0 or done == recipe.steps:
                    self._look(step)
                if saves:
                    self._save(done)
                if last and done < recipe.steps:
                    raise KeyboardInterrupt
                tell_progress("training", done, recipe.steps)

    def _rate(self, step: int) -> float:
        recipe = self.recipe
        return rate_at(step, steps=recipe.steps, warm_up=recipe.warm_up, peak=recipe.rate)

    def _tell(self, first: int, losses: list[torch.Tensor]) -> None:
        """Mean losses over processes of the steps from `first` on.

        Raises:
            TrainingError: one of them is not finite.
        """
        values = torch.stack(losses)
        if processes() > 1:
            dist.all_reduce(values)
            values /= processes()
        found = values.tolist()
        rows = [{"step": step, "loss": loss, "rate": self._rate(step)} for step, loss in enumerate(found, first)]
        bad = next((row for row in rows if not math.isfinite(row["loss"])), None)
        good = rows if bad is None else rows[: rows.index(bad)]
        if rank() == 0:
            self.curve.add(good)
        if bad is not None:
            raise TrainingError(
                f"step {bad['step']}: the loss is not finite at a learning rate of {bad['rate']:.3g}; take a smaller"
                " rate or a longer warm-up, in another folder"
            )

    def _look(self, step: int) -> None:
        if self.at is None:
            return
        health = look(self.model, self.at, self.device)
        figures = {name: value if math.isfinite(value) else None for name, value in health._asdict().items()}
        self.curve.add([{"step": step, **figures}])
        for alarm in health.alarms():
            _log.warning("step %d: %s", step, alarm)

    def _save(self, done: int) -> None:
        random = torch.get_rng_state()
        states = [torch.empty_like(random) for _ in range(processes())]
        if processes() > 1:
            sent = [state.to(self.device) for state in states]
            dist.all_gather(sent, random.to(self.device))
            states = [state.cpu() for state in sent]
        else:
            states = [random]
        if rank() == 0:
            state = {name: value.cpu() for name, value in self.model.state_dict().items()}
            save_checkpoint(self.path, Checkpoint(done, state, self.optimiser.state_dict(), states, self.key))


def _optimiser(model: JointModel, recipe: Recipe) -> torch.optim.Optimizer:
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.rate, fused=True)


def wrapped(model: JointModel, recipe: Recipe, device: torch.device) -> nn.Module:
    """The model as it is called in training; its parameters stay where they are."""
    net: nn.Module = model
    if recipe.recompute:
        recompute(model.recomputable())
    if recipe.sync_norm:
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    if recipe.compile:
        net = torch.compile(net)  # type: ignore[assignment]
    if processes() > 1:
        net = DistributedDataParallel(
            net,
            device_ids=[device] if device.type == "cuda" else None,
            find_unused_parameters=model.audio is not None,
        )
    return net


@contextmanager
def _interruptible() -> Iterator[Any]:
    """A function that says whether an interrupt or a request to end has come; the step that is under way is finished.

    Many processes cannot all stop after the same step: there signals do what they always do.
    """
    if processes() > 1 or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
