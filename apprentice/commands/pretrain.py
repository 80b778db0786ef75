"""Verbs of pretraining: narrated videos, models of video and language, and what these are worth."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Literal

import tyro

from apprentice.commands.verb import Verb
from apprentice.options import Encoding
from pretrain.probes.probe import PROBES


@dataclass(frozen=True)
class Prepare(Verb):
    """Make shards of narrated videos, which a training reads fast; a run that was stopped goes on."""

    folder: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder of videos with captions beside (.vtt, .srt, Whisper's .json, .csv) or within them."""
    out: Path = tyro.MISSING
    """Folder of the shards."""
    table: Path | None = None
    """List of the videos (CSV with video_id or video_path), in the layout of HowTo100M."""
    captions: Path | None = None
    """With --table: folder of tables VIDEO_ID.csv, or one caption.json."""
    fps: float = 10.0
    """Frame rate of the shards [1/s]."""
    short_side: int = 256
    """Height or width, whichever is smaller [px]."""
    gop: int = 10
    """Frames from one key frame to the next."""
    sound: int = 0
    """Samples of sound a second to keep, for models that hear; by default none."""
    processes: int = 0
    """Videos that are transcoded at a time; by default as many as there are processors."""


@dataclass(frozen=True)
class Check(Verb):
    """Read every video of some shards, and name what is damaged."""

    folder: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder of the shards."""


@dataclass(frozen=True)
class Corpus(Verb):
    """Paint short narrated videos, to try everything on that works on narrated videos."""

    out: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder of the videos, with captions (.vtt) beside them, labels.csv of what happens, and a picture of all."""
    videos: int = 20
    """How many."""
    size: int = 128
    """Height and width [px]."""
    fps: float = 10.0
    """Frame rate [1/s]."""
    misalignment: float = 2.0
    """Standard deviation of the time from an action to its sentence [s]."""
    irrelevant: float = 0.35
    """Share of the sentences that speak of nothing that happens."""
    sound: int = 16_000
    """Samples of sound a second, for models that hear; 0 for none."""


@dataclass(frozen=True)
class PretrainTrain(Verb):
    """Train a joint embedding of video and language; a training that was stopped goes on. Under torchrun, on many."""

    data: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder of shards or of narrated videos, or the word `corpus` for generated ones."""
    out: Path = tyro.MISSING
    """Folder of the model, its checkpoint and its curve."""
    recipe: str = "milnce"
    """What is trained, and how; see `apprentice list`."""
    reader: str = "pyav"
    """Of the frames of videos; see `apprentice list`."""
    held: Path | None = None
    """Folder of other videos, to see whether those of the training are learned by heart."""
    dictionary: Path | None = None
    """Words that the model shall know (.npy or one a line); by default those that are said."""
    at_least: int = 1
    """How often a word must be said to be one of them."""
    vectors: Path | None = None
    """Word vectors (word2vec's .bin, or text), which are not trained; words without one are left out."""
    start_from: Path | None = None
    """Folder of a model of the same kind, whose weights and words are taken."""
    curriculum: int = 0
    """Steps on single frames that come before those on clips, for transformers; two folders in the model's, then."""
    steps: int | None = None
    """Steps, instead of the recipe's; so for the next ones."""
    batch: int | None = None
    """Clips of a step, over all processes."""
    rate: float | None = None
    """Highest learning rate."""
    warm_up: int | None = None
    """Steps over which it is reached."""
    precision: Literal["fp32", "bf16"] | None = None
    """Of the layers."""
    micro_batch: int | None = None
    """Clips that are encoded at a time, with the whole batch as negatives."""
    recompute: bool = False
    """Compute activations again instead of keeping them."""
    compile: bool = False
    """Compile the model."""
    sync_norm: bool = False
    """Normalise over the clips of all processes."""
    device: Literal["cpu", "cuda"] | None = None
    """Where to compute; by default a GPU where there is one."""
    workers: int | None = None
    """Processes that make examples; by default as many as there are processors but one."""
    save_every: int = 1000
    """Steps between checkpoints."""
    tensorboard: bool = False
    """Write events for TensorBoard, too."""


@dataclass(frozen=True)
class _Probe(Verb):
    folder: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder of the videos or sounds."""
    encoder: Encoding = field(default_factory=Encoding)


def _probe(name: str) -> type[_Probe]:
    """The verb of a probe: its options, and those that all probes share."""
    options = PROBES.load(name)
    own = [("probe", options, field(kw_only=True))]
    about = {"__doc__": inspect.getdoc(options)}
    return make_dataclass(name.capitalize(), own, bases=(_Probe,), frozen=True, namespace=about)


PROBE_VERBS = tuple(_probe(name) for name in PROBES)
