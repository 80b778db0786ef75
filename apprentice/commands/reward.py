"""Verbs of learned rewards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from apprentice.commands.verb import Verb
from apprentice.options import EpisodeFormat, Half


@dataclass(frozen=True)
class _Rewards(Verb):
    data: tyro.conf.Positional[Path] = tyro.MISSING
    """Episodes: folder of a LeRobot v3 or Minari dataset, robomimic's .hdf5, or .npz of `apprentice evaluate`."""
    format: EpisodeFormat | None = None
    """Of the data; by default found out."""
    fps: float | None = None
    """Steps a second, for data that do not state them."""
    part: Half = "all"
    """Which episodes: every other one, to learn from one half and judge by the other."""


@dataclass(frozen=True)
class RewardsTrain(Verb):
    """Learn a reward from episodes or clips, and save it; `rewards evaluate` tells what it is worth."""

    data: tyro.conf.Positional[tuple[Path, ...]] = tyro.MISSING
    """What is shown. Episodes: folders of LeRobot v3 or Minari datasets, robomimic's .hdf5, .npz of `apprentice
    evaluate`; those known to fail are what is not to be done. Clips: video files, folders of them, patterns in quotes.
    Forces of a person's hands: run folders of `apprentice estimate`."""
    reward: str = tyro.MISSING
    """Kind of reward; see `apprentice list`. Or `airl`, `gail`: learned in turns with a policy that acts in the
    environment of --demonstration."""
    out: Path = tyro.MISSING
    """Folder of the reward."""
    others: tuple[Path, ...] = ()
    """More data, of what is not to be done."""
    part: Half = "all"
    """Which episodes or clips: every other one, to learn from one half and judge by the other."""
    describe: str | None = None
    """What is looked at; by default observations, or pixels of clips. See `apprentice list`."""
    observations: tuple[str, ...] = ()
    """Which of them; all but the clock by default."""
    model: Path | None = None
    """Folder of a trained encoder, whose features are looked at."""
    demonstration: Path | None = None
    """The demonstration of the environment that episodes come from, or its run: for airl and gail, and for rewards
    that look at pictures or forces which the episodes do not hold: they are repeated there."""
    timelines: Path | None = None
    """Folder that `apprentice states` wrote for the clips: where they show the end state."""
    sentence: str = ""
    """What is done, in words."""
    set: tuple[str, ...] = ()
    """Settings of the reward as name=value, such as hidden=[64] or objective=tcn."""
    format: EpisodeFormat | None = None
    """Of episodes; by default found out."""
    fps: float | None = None
    """Steps or frames a second, for data that do not state them, or state them wrongly."""


@dataclass(frozen=True)
class RewardsEvaluate(_Rewards):
    """What rewards are worth: distances from the truth, order, success from failure, hacking, what policies learn."""

    reward: tuple[str, ...] = tyro.MISSING
    """Folders of saved rewards, or functions of (s, a, s_next) as module:name or file.py:name, whose code is run."""
    out: Path = tyro.MISSING
    """Folder of the pages and JSON files."""
    truth: str | None = None
    """The true reward as a function of (s, a, s_next), for EPIC and DARD; hammer data need none."""
    gamma: float = 0.99
    """Discount of EPIC and DARD."""
    transitions: int = 1024
    """That rewards are compared on, at most."""
    demonstration: Path | None = None
    """The demonstration of the environment that the data come from, or its run. For --stray, --hack, --train and
    --dynamics, in scenes that vary as the data tell, and for rewards that look at pictures or forces: data without
    these are repeated there."""
    dynamics: Literal["seen", "simulated"] = "seen"
    """Where other actions lead to, for DARD: as was seen nearby in the data, or as the environment does it."""
    stray: int = 0
    """Episodes of the moved demonstration that are led astray in their last fifth, as near misses."""
    hack: int = 0
    """Episodes in which each reward is optimised."""
    hack_with: Literal["cma", "ppo"] = "cma"
    """How: by CMA-ES, a plan for each episode; or by PPO, a policy that is judged in all of them."""
    hack_steps: int = 20_000
    """Control steps that PPO learns in."""
    train: int = 0
    """Control steps of policies that learn from each reward, and from the sparse truth."""
    seeds: int = 3
    """Of these policies."""
    episodes: int = 100
    """Fresh episodes that each of them is judged in."""


@dataclass(frozen=True)
class RewardsProgress(_Rewards):
    """Write the progress of each frame as LeRobot keeps it: what a reward says of it, from 0 to 1."""

    reward: str = tyro.MISSING
    """Folder of a saved reward, or a function of (s, a, s_next) as module:name or file.py:name, whose code is run."""
    out: Path = Path("progress.parquet")
    """File."""
