"""Weights on disk: safetensors with a JSON note in its header. One file, written atomically: never half of a state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from records.atomic import atomic_path

_NOTE = "note"


class PolicyError(ValueError):
    """A folder of something learned that is missing, damaged, or made for something else."""


def save_weights(path: Path, tensors: Mapping[str, np.ndarray], note: Any = None) -> None:
    """Write tensors, and anything that JSON can hold beside them.

    Raises:
        PolicyError: a weight is not finite.
    """
    from safetensors.numpy import save_file

    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise PolicyError(f"{path.name}: weight {name!r} is not finite; train with a smaller learning rate")
    whole = {name: np.asarray(value, order="C") for name, value in tensors.items()}
    with atomic_path(path) as temporary:
        save_file(whole, temporary, metadata={_NOTE: json.dumps(note, sort_keys=True, allow_nan=False)})


def load_weights(path: Path) -> tuple[dict[str, np.ndarray], Any]:
    """Read tensors and the note beside them.

    Raises:
        PolicyError: there is no such file, or it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise PolicyError(f"{path}: no such file; train it again")
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            note = json.loads((file.metadata() or {}).get(_NOTE, "null"))
    except (SafetensorError, ValueError, OSError) as error:
        raise PolicyError(f"{path}: damaged ({error}); delete its folder and train it again") from error
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise PolicyError(f"{path}: weight {name!r} is not finite; delete its folder and train it again")
    return tensors, note
