"""Steps of a training of fixed length: down the gradient, at a learning rate that rises first and falls to zero."""

from __future__ import annotations

from torch import Tensor, optim

from pretrain.training.schedule import rate_at


class Descent:
    """An optimiser whose learning rates, as they are given to it, are the highest of the training."""

    def __init__(self, optimiser: optim.Optimizer, *, steps: int, warm_up: float) -> None:
        """Begin at the first step.

        Args:
            optimiser: of what is trained.
            steps: of the training.
            warm_up: share of them in which the rates rise, see `rate_at`; at least one step.
        """
        self._optimiser = optimiser
        rising = max(1, round(warm_up * steps))
        self._schedule = optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: rate_at(step, steps=steps, warm_up=rising, peak=1.0)
        )

    def step(self, loss: Tensor) -> float:
        """Make the step that a finite loss asks for; returns the loss."""
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        self._schedule.step()
        return float(loss.detach())
