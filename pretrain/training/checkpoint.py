"""Where a training stands, in one file that is wholly there or not at all; nothing in it is run when it is read."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pretrain.torch_file import read_torch, reason_of
from pretrain.training.recipe import Recipe, RecipeError
from records.atomic import atomic_path

VERSION = 1
"""Of the file."""


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read or written, or that is of another training."""


class Checkpoint(NamedTuple):
    """All that the next step depends on."""

    step: int
    """Steps that are done."""
    model: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    random: list[torch.Tensor]
    """State of torch's generator in each process."""
    key: str
    """What the training is: its recipe and its data, as JSON."""


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write it.

    Raises:
        CheckpointError: a full disk, or a folder that cannot be written; the checkpoint that was there is left.
    """
    content = {"version": VERSION, **checkpoint._asdict()}
    try:
        with atomic_path(path) as temporary:
            torch.save(content, temporary)
    except (OSError, RuntimeError) as error:  # torch's own writer raises RuntimeError where the disk is full
        raise CheckpointError(
            f"{path}: step {checkpoint.step} cannot be written ({reason_of(error)}); make room and run again:"
            " it goes on from the last checkpoint"
        ) from error


def load_checkpoint(path: Path, key: str) -> Checkpoint | None:
    """Read it; None where there is none.

    Raises:
        CheckpointError: damaged, or of another training: then it says what differs.
    """
    if not path.is_file():
        return None
    try:
        content = read_torch(path)
        if content.pop("version") != VERSION:
            raise CheckpointError(f"{path}: of another version of apprentice; delete it to start over")
        checkpoint = Checkpoint(**content)
        before = _training(checkpoint.key)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: damaged ({reason_of(error)}); delete it to start over") from error
    if differing := _differences(before, _training(key)):
        raise CheckpointError(
            f"{path}: is of another training ({', '.join(differing)}); take another folder, or delete it to start over"
        )
    return checkpoint


def _training(key: str) -> Any:
    """What a key says; an option that a recipe of an older version does not know is as it is by default."""
    what = json.loads(key)
    with suppress(RecipeError):  # one that cannot be followed any more differs from all that can
        what["recipe"] = json.loads(json.dumps(Recipe.from_json(what["recipe"]).to_json()))
    return what


def _differences(old: Any, new: Any, name: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in sorted(set(old) | set(new))
            for line in _differences(old.get(key), new.get(key), f"{name}.{key}" if name else key)
        ]
    return [] if old == new else [f"{name} was {old}, is {new}"]
