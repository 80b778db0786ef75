"""What all verbs have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from apprentice.options import Common, Seeing, Source, Subject


@dataclass(frozen=True)
class Verb:
    """A word on the command line, and options that all have."""

    common: Common = field(default_factory=Common)


@dataclass(frozen=True)
class Watch(Verb):
    """Begins with a clip."""

    source: Source = field(default_factory=Source)
    seeing: Seeing = field(default_factory=Seeing)
    subject: Subject = field(default_factory=Subject)


@dataclass(frozen=True)
class Later(Verb):
    """Goes on with a run."""

    folder: tyro.conf.Positional[Path | None] = None
    """Folder of the run, if not given by --run."""


@dataclass(frozen=True)
class List(Verb):
    """Name every tool, task, robot, detector, format and agent with one line each."""
