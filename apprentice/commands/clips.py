"""Verbs on many clips: their features, search by language, states and actions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from apprentice.commands.verb import Verb
from apprentice.options import Encoding


@dataclass(frozen=True)
class Features(Verb):
    """Encode clips: a vector for each window of time, for other tasks and to be searched. What is done is kept."""

    clips: tyro.conf.Positional[tuple[Path, ...]] = tyro.MISSING
    """Video files, folders of them, or patterns in quotes."""
    encoder: Encoding = field(default_factory=Encoding)
    out: Path = tyro.MISSING
    """Folder of the records: NAME.features.npz for other tasks, NAME.embedding.npz to be compared with sentences."""
    every: float | None = None
    """From the start of one window to that of the next [s]; by default windows follow each other."""
    batch: int = 16
    """Windows that are encoded at once."""
    readers: int = 1
    """Videos that are decoded at the same time; more for a GPU."""


@dataclass(frozen=True)
class Index(Verb):
    """Make encoded clips searchable by language, or add more to those that are."""

    features: tyro.conf.Positional[tuple[Path, ...]] = tyro.MISSING
    """Folders that `apprentice features` wrote."""
    out: Path = tyro.MISSING
    """Folder of the index."""
    encoder: Encoding = field(default_factory=Encoding)
    exact: bool = False
    """Compare all windows one by one, however many; by default more than 50,000 are compressed."""


@dataclass(frozen=True)
class Search(Verb):
    """Find the moments of indexed clips that fit a sentence best; in a table, or on a page with --serve."""

    index: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder that `apprentice index` wrote."""
    query: tyro.conf.Positional[str | None] = None
    """What is to be seen, such as "pour the coffee"."""
    count: Annotated[int, tyro.conf.arg(aliases=["-k"])] = 10
    """Moments that are shown."""
    serve: bool = False
    """Serve a page on which one can ask and watch."""
    port: int = 8000
    """Of the page."""
    host: str = "127.0.0.1"
    """Address of the page; others than this machine can open it only if it is another one."""
    encoder: Encoding = field(default_factory=Encoding)


@dataclass(frozen=True)
class States(Verb):
    """Find when clips of one task show the initial state, the action and the final state; a contact sheet of all."""

    clips: tyro.conf.Positional[tuple[Path, ...]] = tyro.MISSING
    """Video files, folders of them, or patterns in quotes: two or more of the same task."""
    task: str = tyro.MISSING
    """What is done in them, such as "pour coffee"; sentences that say so make their moments likelier."""
    encoder: Encoding = field(default_factory=Encoding)
    features: Path | None = None
    """Folder that `apprentice features` wrote for the clips, instead of an encoder."""
    pixels: Literal["colour", "hog", "colour_hog"] | None = None
    """Colours and edges of the frames, instead of an encoder: a control that has learned nothing."""
    every: float | None = None
    """From the start of one window to that of the next [s]; by default 0.4 of pixels, else those of the encoder."""
    fps: float | None = None
    """True frame rate [1/s] where the headers lie, with --pixels."""
    method: str = "pseudo_labels"
    """Way of discovery; see `apprentice list`."""
    silent: bool = False
    """Leave captions aside."""
