"""Verbs on a run: from a clip to motion and forces, a scene, a policy, and out again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from apprentice.commands.verb import Later, Verb, Watch
from apprentice.options import Body, Chance, Errors, Foreign, Judging, Marks, Scene, Source, Surroundings, Training


@dataclass(frozen=True)
class Track(Watch):
    """Find the person, the tool's endpoints, the contacts and the camera in a clip."""


@dataclass(frozen=True)
class Estimate(Watch):
    """Estimate the 3D motion of person and tool and the contact forces, from a clip or from keypoints."""

    foreign: Foreign = field(default_factory=Foreign)
    surroundings: Surroundings = field(default_factory=Surroundings)


@dataclass(frozen=True)
class Stroke(Verb):
    """Find the 3D motion of a tool alone, from clicks on points of it: close-ups in which nobody's body is seen."""

    source: Source = field(default_factory=Source)
    marks: Marks = field(default_factory=Marks)


@dataclass(frozen=True)
class Learn(Watch):
    """The whole way: from a clip of a person using a tool to a robot policy that uses it, with a report."""

    scene: Scene = field(default_factory=Scene)
    body: Body = field(default_factory=Body)
    chance: Chance = field(default_factory=Chance)
    errors: Errors = field(default_factory=Errors)
    training: Training = field(default_factory=Training)
    judging: Judging = field(default_factory=Judging)


@dataclass(frozen=True)
class Demo(Verb):
    """Render a clip of a person hammering, learn from it, and report what came out beside the truth."""

    body: Body = field(default_factory=Body)
    chance: Chance = field(default_factory=Chance)
    errors: Errors = field(default_factory=Errors)
    training: Training = field(default_factory=Training)
    judging: Judging = field(default_factory=Judging)


@dataclass(frozen=True)
class Align(Verb):
    """Place a demonstrated stroke in the task's simulated scene so that it solves the task robustly."""

    stroke: tyro.conf.Positional[Path | None] = None
    """Stroke: .npz with head_position and fps, .csv, or a record. By default the tool of the run."""
    tool: str = "hammer"
    """Tool of a stroke file; see `apprentice list`."""
    tool_file: Path | None = None
    """Description of one's own tool (YAML), for a stroke file."""
    scene: Scene = field(default_factory=Scene)


@dataclass(frozen=True)
class Retarget(Later):
    """Find the robot's base and joint trajectory for the run's aligned demonstration."""

    body: Body = field(default_factory=Body)


@dataclass(frozen=True)
class Train(Later):
    """Train a residual policy around the run's demonstration from the sparse reward of the task."""

    seeds: int = 1
    """Trainings, with seeds from --seed on. Several are kept in seeds/, judged in fresh episodes, and summed up."""
    fresh: int = 100
    """Fresh episodes that each of several seeds is judged in."""
    chance: Chance = field(default_factory=Chance)
    errors: Errors = field(default_factory=Errors)
    training: Training = field(default_factory=Training)


@dataclass(frozen=True)
class Evaluate(Later):
    """Success of the run's policy over fresh episodes, beside shifted, replay, zero and random agents."""

    chance: Chance = field(default_factory=Chance)
    errors: Errors = field(default_factory=Errors)
    judging: Judging = field(default_factory=lambda: Judging(episodes=200, trials=("nominal", "shifted", "noisy")))


@dataclass(frozen=True)
class Fetch(Verb):
    """Download a clip, and its captions, with yt-dlp."""

    url: tyro.conf.Positional[str] = tyro.MISSING
    """Address of the video."""
    start: float | None = None
    """First moment [s]."""
    end: float | None = None
    """Last moment [s]."""


@dataclass(frozen=True)
class View(Later):
    """Write the run's 3D scene (rerun .rrd) and say how to open it."""


@dataclass(frozen=True)
class Report(Later):
    """Write the run's report.html again, with measured forces beside the estimated ones where they are given."""

    measured: Path | None = None
    """Forces that plates measured: OpenSim's .mot, .npz (forces, contact_names, fps) or .csv (t,contact,fx,fy,fz)."""
    measured_start: float = 0.0
    """When the clip begins, in that file's time [s]."""


@dataclass(frozen=True)
class Export(Later):
    """Write the run's motion and forces, or an agent's episodes, in another program's format."""

    to: Literal["csv", "trc", "mot", "amass", "lerobot", "robomimic", "minari"] = "csv"
    """Format: motion and forces as csv, trc, mot, amass or lerobot; episodes as lerobot, robomimic or minari."""
    agent: str | None = None
    """Whose judged episodes: policy, shifted, replay, zero, random; for robomimic and minari the policy by default."""
    pictures: bool = False
    """Film the scene in every step of the episodes, too (lerobot, robomimic)."""
    out: Path | None = None
    """Folder to write to; by default <run>/export."""
    body_model: Path | None = None
    """SMPL, SMPL-H or SMPL-X model file: the format amass then holds the person's shape, and the mesh beside it."""
