"""An algorithm of stable-baselines3, taken round by round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from policies.learners.learner import Layers, Round, Tally

if TYPE_CHECKING:
    import torch
    from stable_baselines3.common.base_class import BaseAlgorithm

_TIME = "decisions"


def learn_round(algorithm: BaseAlgorithm, decisions: int, seed: int) -> Round:
    """Let an algorithm gather `decisions` from fresh episodes and learn, all of its chance from `seed`."""
    from stable_baselines3.common.callbacks import BaseCallback

    tally = Tally()

    class Counting(BaseCallback):
        def _on_step(self) -> bool:
            tally.add(self.locals["infos"])
            return True

    algorithm.set_random_seed(seed)
    algorithm._last_obs = None
    algorithm.learn(decisions, callback=Counting(), log_interval=None, reset_num_timesteps=False)  # type: ignore[arg-type]
    return tally.total()


def silence(algorithm: BaseAlgorithm) -> None:
    """Keep an algorithm from printing tables."""
    from stable_baselines3.common.logger import Logger

    algorithm.set_logger(Logger(folder=None, output_formats=[]))


def tensors_of(algorithm: BaseAlgorithm) -> dict[str, np.ndarray]:
    """Networks, the optimisers' moments and single variables, by name."""
    found = {f"time.{_TIME}": np.array(algorithm.num_timesteps)}
    for name, state in algorithm.get_parameters().items():
        if set(state) == {"state", "param_groups"}:
            for k, moments in state["state"].items():
                found |= {f"{name}/{k}/{moment}": value.detach().numpy() for moment, value in moments.items()}
        else:
            found |= {f"{name}/{key}": value.detach().numpy() for key, value in state.items()}
    for name, variable in _variables(algorithm).items():
        found[f"variable/{name}"] = variable.detach().numpy()
    return found


def restore_tensors(algorithm: BaseAlgorithm, tensors: Mapping[str, np.ndarray]) -> None:
    """Undo `tensors_of`; names of others are passed over."""
    import torch

    algorithm.num_timesteps = int(tensors[f"time.{_TIME}"])
    states: dict[str, Any] = {}
    for name, state in algorithm.get_parameters().items():
        own = {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}
        if set(state) != {"state", "param_groups"}:
            states[name] = {key: torch.from_numpy(value.copy()) for key, value in own.items()}
            continue
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in own.items():
            k, _, moment = key.partition("/")
            moments.setdefault(int(k), {})[moment] = torch.from_numpy(value.copy())
        states[name] = {"state": moments, "param_groups": state["param_groups"]}
    algorithm.set_parameters(states, exact_match=True)
    with torch.no_grad():
        for name, variable in _variables(algorithm).items():
            variable.copy_(torch.from_numpy(tensors[f"variable/{name}"]))


def linear_layers(modules: list[torch.nn.Module]) -> Layers:
    """Weight and bias of each linear layer, in order."""
    import torch

    linear = [module for module in modules if isinstance(module, torch.nn.Linear)]
    return tuple((layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy()) for layer in linear)


def set_layers(modules: list[torch.nn.Module], layers: Layers) -> None:
    """Write weights and biases into linear layers of the same sizes.

    Raises:
        ValueError: other sizes.
    """
    import torch

    linear = [module for module in modules if isinstance(module, torch.nn.Linear)]
    sizes, given = [tuple(layer.weight.shape) for layer in linear], [weight.shape for weight, _ in layers]
    if sizes != given:
        raise ValueError(f"the policy to start from has layers {given}, this one {sizes}; use the same widths")
    with torch.no_grad():
        for layer, (weight, bias) in zip(linear, layers, strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))


def _variables(algorithm: BaseAlgorithm) -> dict[str, torch.Tensor]:
    """Single tensors that are no network, such as the weight of an entropy."""
    _, names = algorithm._get_torch_save_params()
    return {name: getattr(algorithm, name) for name in names if getattr(algorithm, name, None) is not None}
