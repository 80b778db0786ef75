"""Where a training stands: weights, the optimiser's moments and the learning curve in one file, written atomically."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policies.weights import PolicyError, load_weights, save_weights

if TYPE_CHECKING:
    import torch
    from stable_baselines3.common.policies import ActorCriticPolicy

_log = logging.getLogger(__name__)


@dataclass
class Curve:
    """What training achieved, one entry for each round of experience."""

    steps: list[int] = field(default_factory=list)
    """Control steps so far."""
    episodes: list[int] = field(default_factory=list)
    """Episodes that ended in the round."""
    success: list[float] = field(default_factory=list)
    """Share of them that solved the task, exploring as they were."""
    reward: list[float] = field(default_factory=list)
    """Their mean return."""

    @property
    def rounds(self) -> int:
        """Rounds so far."""
        return len(self.steps)


def save_checkpoint(path: Path, policy: ActorCriticPolicy, key: Mapping[str, Any], curve: Curve) -> None:
    """Write everything that the next round needs; `key` says which training it belongs to.

    Raises:
        PolicyError: a weight is not finite.
    """
    tensors = {f"policy.{name}": value.numpy() for name, value in policy.state_dict().items()}
    for k, moments in policy.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{k}.{name}": value.numpy() for name, value in moments.items()}
    save_weights(path, tensors, {"key": key, "curve": asdict(curve)})


def resume(path: Path, policy: ActorCriticPolicy, key: Mapping[str, Any]) -> Curve:
    """Restore policy and optimiser from a checkpoint of the same training; returns the curve so far.

    A checkpoint that is not there, is damaged or belongs to another training restores nothing: the curve is empty.
    """
    import torch

    if not path.is_file():
        return Curve()
    try:
        tensors, note = load_weights(path)
    except PolicyError as error:
        _log.warning("learning starts over: %s", error)
        return Curve()
    if not isinstance(note, dict) or note.get("key") != _as_json(key):
        _log.warning("learning starts over: %s is of another training", path)
        return Curve()
    weights: dict[str, torch.Tensor] = {}
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "policy":
            weights[rest] = torch.from_numpy(value)
        else:
            k, _, moment = rest.partition(".")
            moments.setdefault(int(k), {})[moment] = torch.from_numpy(value)
    policy.load_state_dict(weights)
    groups = policy.optimizer.state_dict()["param_groups"]
    policy.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return Curve(**note["curve"])


def _as_json(value: Any) -> Any:
    """A value as it comes back from JSON: tuples have become lists."""
    if isinstance(value, Mapping):
        return {name: _as_json(item) for name, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, (list, tuple)) else value
