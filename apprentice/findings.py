"""What a run folder holds so far: every part that can be read, and what is wrong with those that cannot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from records import (
    Camera,
    Clip,
    Demonstration,
    Episodes,
    Interaction,
    Keypoints,
    MeasuredForces,
    Record,
    RecordError,
    Run,
)

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """A run, as far as its stages have run; what they have not made is None or empty."""

    path: Path
    clip: Clip | None = None
    """None as well where the video file has gone."""
    video: str = ""
    """Name of the video file, wherever it is."""
    person: Keypoints | None = None
    tool: Keypoints | None = None
    camera: Camera | None = None
    """As it was before the estimate refined it."""
    interaction: Interaction | None = None
    truth: Interaction | None = None
    """Only of the same frames as the interaction."""
    measured: MeasuredForces | None = None
    """Forces that instruments measured; only of the same frames as the interaction."""
    demonstration: Demonstration | None = None
    """With the robot's motion where there is one."""
    episodes: Episodes | None = None
    """Of the policy."""
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    curve: Any = None
    """Learning curve, as the training wrote it."""
    damaged: tuple[str, ...] = ()
    """One sentence for each part that is there but cannot be read."""

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        return self.path.resolve().name


def gather(run: Run) -> Findings:
    """Read all parts of a run."""
    reader = _Reader(run)
    clip = reader.record("clip", Clip)
    video = Path(clip.path).name if clip is not None else ""
    if clip is not None and not Path(clip.path).is_file():
        reader.damaged.append(f"The video {clip.path} is no longer there; the overlay is drawn on an empty background.")
        clip = None
    interaction, truth = reader.record("interaction", Interaction), reader.record("truth", Interaction)
    if interaction is not None and truth is not None and len(interaction.observed) != len(truth.observed):
        reader.damaged.append(
            f"The truth has {len(truth.observed)} frames and the estimate {len(interaction.observed)}:"
            " they are not compared."
        )
        truth = None
    measured = reader.record("measured", MeasuredForces)
    if interaction is not None and measured is not None and len(interaction.observed) != len(measured.force):
        reader.damaged.append(
            f"The measured forces have {len(measured.force)} frames and the estimate {len(interaction.observed)}: they"
            " are not compared; say `apprentice report --measured FILE` again."
        )
        measured = None
    return Findings(
        path=run.path,
        clip=clip,
        video=video,
        person=reader.record("person", Keypoints),
        tool=reader.record("tool", Keypoints) or reader.record("tool_seen", Keypoints),
        camera=reader.record("camera", Camera),
        interaction=interaction,
        truth=truth if interaction is not None else None,
        measured=measured if interaction is not None else None,
        demonstration=reader.record("retargeted", Demonstration) or reader.record("demonstration", Demonstration),
        episodes=reader.record("episodes/policy", Episodes),
        config=reader.json("config.json") or {},
        metrics=reader.json("metrics.json") or {},
        curve=reader.json("policy/curve.json"),
        damaged=tuple(reader.damaged),
    )


class _Reader:
    def __init__(self, run: Run) -> None:
        self._run = run
        self.damaged: list[str] = []

    def record(self, name: str, kind: type[R]) -> R | None:
        if not self._run.has(name):
            return None
        try:
            return self._run.load(name, kind)
        except RecordError as error:
            self.damaged.append(f"The part {name} cannot be read: {error}.")
            return None

    def json(self, name: str) -> Any:
        path = self._run.path / name
        if not path.is_file():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self.damaged.append(f"The file {name} cannot be read: {error}.")
            return None
