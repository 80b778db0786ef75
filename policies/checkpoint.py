"""Where a training stands: all that its learner depends on, and the learning curve, in one file written atomically."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from policies.learners import Learner
from policies.weights import PolicyError, load_weights, save_weights

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


def save_checkpoint(path: Path, learner: Learner, key: Mapping[str, Any], curve: Curve) -> None:
    """Write everything that the next round needs; `key` says which training it belongs to.

    Raises:
        PolicyError: a weight is not finite.
    """
    save_weights(path, learner.tensors(), {"key": key, "curve": asdict(curve)})


def resume(path: Path, learner: Learner, key: Mapping[str, Any]) -> Curve:
    """Restore a learner from a checkpoint of the same training; returns the curve so far.

    A checkpoint that is not there, is damaged or belongs to another training restores nothing: the curve is empty.
    """
    if not path.is_file():
        return Curve()
    try:
        tensors, note = load_weights(path)
    except PolicyError as error:
        _log.warning("learning starts over: %s", error)
        return Curve()
    if not isinstance(note, dict) or note.get("key") != as_json(key):
        _log.warning("learning starts over: %s is of another training", path)
        return Curve()
    learner.restore(tensors)
    return Curve(**note["curve"])


def as_json(value: Any) -> Any:
    """A value as it comes back from JSON: tuples have become lists."""
    if isinstance(value, Mapping):
        return {name: as_json(item) for name, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, (list, tuple)) else value
