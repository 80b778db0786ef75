"""The loop of a training: one step after the other, and what is told, looked at and kept in between."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from pretrain.distributed import processes, rank
from pretrain.model import JointModel
from pretrain.training.checkpoint import Checkpoint, save_checkpoint
from pretrain.training.curve import Curve
from pretrain.training.examples import to_batch
from pretrain.training.interruption import interruptible
from pretrain.training.loader import Loader
from pretrain.training.loss import loss_of
from pretrain.training.recipe import Recipe
from pretrain.training.schedule import rate_at
from pretrain.training.step import backward
from pretrain.training.watch import Watched, look
from pretrain.training.wrapping import wrapped
from records.progress import tell_progress

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


@dataclass
class Loop:
    """The steps of a training: a model that learns, and where it is kept."""

    recipe: Recipe
    model: JointModel
    optimiser: torch.optim.Optimizer
    device: torch.device
    curve: Curve
    at: Watched | None
    """Clips to look at; the process that leads has them, where there are enough."""
    path: Path
    key: str
    keeping: Keeping

    def run(self, loader: Loader, first: int) -> None:
        """All steps that are left, with a checkpoint at the end and where it is interrupted."""
        recipe, keeping = self.recipe, self.keeping
        net = wrapped(self.model, recipe, self.device)
        self.model.train()
        loss = loss_of(recipe.objective, recipe.objective_options)
        told = first
        losses: list[torch.Tensor] = []
        with interruptible() as interrupted:
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
