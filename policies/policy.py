"""A learned policy as a folder: `policy.json` says what it sees and does, `policy.safetensors` holds its weights.

It runs on numpy alone: nothing of the learning is needed to use it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from policies.learners import Layers
from policies.residual import BASES
from policies.rollouts import through
from policies.weights import PolicyError, load_weights, save_weights
from records import Demonstration, digest
from records.atomic import write_json
from sim.actions import ACTIONS, ActionModel
from sim.conditions import Spread
from sim.sensing import Sensing

VERSION = 4
"""Of the folder's layout."""
SETTINGS, WEIGHTS = "policy.json", "policy.safetensors"


@dataclass(frozen=True, kw_only=True)
class PolicySettings:
    """What a policy was made for, and how it is used."""

    task: str
    tool: str
    robot: str | None
    demonstration: str
    """Fingerprint of the demonstration that the policy corrects."""
    base: str
    """What the residual is added to: `shifted`, `replay`, or nothing (`scratch`)."""
    action: str
    """What it displaces: name in the table of actions."""
    repeat: int
    """Control steps that one decision lasts."""
    averaged: bool
    """Whether it sees objects where they have seemed to be on average over the episode."""
    sees: tuple[str, ...]
    """Names of what it sees, in order."""
    hidden: tuple[int, ...]
    """Widths of the hidden layers (tanh)."""
    squashed: bool
    """Whether the output goes through tanh; else it is clipped."""
    learner: str
    """Name in the table of learners."""
    steps: int
    """Control steps of training."""
    spread: Mapping[str, float]
    """How conditions were drawn in training: the fields of `sim.conditions.Spread`."""
    sensing: Mapping[str, float]
    """How sensors and actions erred in training: the fields of `sim.sensing.Sensing`."""
    seed: int
    version: int = VERSION


@dataclass(frozen=True)
class Policy:
    """A deterministic policy: a network of tanh layers, from what is seen to a residual in units of the action."""

    settings: PolicySettings
    layers: Layers
    """Weight (out, in) and bias (out,) of each layer."""

    @property
    def acts(self) -> ActionModel:
        """What it displaces."""
        found: ActionModel = ACTIONS.load(self.settings.action)
        return found

    def decide(self, seen: Float[np.ndarray, "S"]) -> Float[np.ndarray, "D"]:
        """Residual in [-1, 1]: the most likely action of the learned distribution."""
        action = through(self.layers, seen)
        return (np.tanh(action) if self.settings.squashed else np.clip(action, -1, 1)).astype(float)

    def fingerprint(self) -> str:
        """Hash of the layers."""
        return digest(*(array.tolist() for layer in self.layers for array in layer))


def save_policy(policy: Policy, folder: Path) -> None:
    """Write a policy's two files; the settings come last: where they are, the policy is whole."""
    tensors = {}
    for k, (weight, bias) in enumerate(policy.layers):
        tensors[f"layer{k}.weight"], tensors[f"layer{k}.bias"] = weight, bias
    save_weights(folder / WEIGHTS, tensors)
    write_json(folder / SETTINGS, asdict(policy.settings))


def load_policy(folder: Path | str, demonstration: Demonstration | None = None) -> Policy:
    """Read a policy, and check that it belongs to the demonstration if one is given.

    Raises:
        PolicyError: a file is missing or damaged, the two do not belong together, or the policy was trained for
            another task, tool, robot or demonstration.
    """
    folder = Path(folder)
    settings = read_settings(folder)
    tensors, _ = load_weights(folder / WEIGHTS)
    sizes = (len(settings.sees), *settings.hidden, len(ACTIONS.load(settings.action).names))
    layers = []
    for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        weight, bias = tensors.pop(f"layer{k}.weight", None), tensors.pop(f"layer{k}.bias", None)
        if weight is None or bias is None or weight.shape != (outputs, inputs) or bias.shape != (outputs,):
            raise PolicyError(
                f"{folder}: layer {k} of the weights is not the {inputs} x {outputs} that {SETTINGS} states;"
                " the two files are of different policies: train again"
            )
        layers.append((weight, bias))
    if tensors:
        raise PolicyError(f"{folder}: the weights hold {sorted(tensors)[0]!r}, which {SETTINGS} does not state")
    policy = Policy(settings, tuple(layers))
    if demonstration is not None:
        _belongs(policy, demonstration, folder)
    return policy


def read_settings(folder: Path) -> PolicySettings:
    """Read what a policy was made for.

    Raises:
        PolicyError: the file is missing, damaged or of a newer version.
    """
    path = folder / SETTINGS
    if not path.is_file():
        raise PolicyError(f"{folder}: no policy here ({SETTINGS} is missing); make one with `apprentice train`")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value.get("version", 0) > VERSION:
            raise PolicyError(f"{path}: version {value['version']}, this program reads {VERSION}; update apprentice")
        if value.get("version", 0) < VERSION:
            raise PolicyError(f"{path}: version {value.get('version')} saw and did something else; train again")
        settings = PolicySettings(**_typed(value))
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        if isinstance(error, PolicyError):
            raise
        raise PolicyError(f"{path}: damaged ({error}); delete its folder and train it again") from error
    if settings.base not in BASES:
        raise PolicyError(f"{path}: unknown base {settings.base!r}; choose from: {', '.join(BASES)}")
    if settings.action not in ACTIONS:
        raise PolicyError(f"{path}: unknown action {settings.action!r}; choose from: {', '.join(ACTIONS)}")
    return settings


def check_sees(policy: Policy, shown: tuple[str, ...]) -> None:
    """Refuse a policy that was trained on other observations than an environment shows.

    Raises:
        PolicyError: it says both lists.
    """
    if policy.settings.sees != shown:
        raise PolicyError(
            f"the policy was trained to see ({', '.join(policy.settings.sees)}),"
            f" this environment shows ({', '.join(shown)}); train again"
        )


def _typed(value: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(PolicySettings)}
    lacking, unknown = sorted(names - set(value)), sorted(set(value) - names)
    if lacking or unknown:
        raise KeyError(f"lacks {lacking[0]}" if lacking else f"has an unknown {unknown[0]}")
    sees, hidden = tuple(str(name) for name in value["sees"]), tuple(int(width) for width in value["hidden"])
    spread = Spread(**{str(name): float(share) for name, share in value["spread"].items()})._asdict()
    sensing = Sensing(**{str(name): float(error) for name, error in value["sensing"].items()})._asdict()
    exact = {"sees": sees, "hidden": hidden, "repeat": int(value["repeat"]), "spread": spread, "sensing": sensing}
    return {**value, **exact}


def _belongs(policy: Policy, demonstration: Demonstration, folder: Path) -> None:
    made, robot = policy.settings, demonstration.robot
    given = {
        "task": demonstration.task,
        "tool": demonstration.tool.model,
        "robot": robot.model if robot is not None else None,
    }
    for name, value in given.items():
        if getattr(made, name) != value:
            raise PolicyError(f"{folder}: trained for the {name} {getattr(made, name)!r}, not {value!r}; train again")
    if made.demonstration != demonstration.fingerprint():
        raise PolicyError(f"{folder}: trained around another demonstration than this one; train again")
