"""The command line: parses, shows progress, saves; every verb is a function of records in `apprentice.stages`."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from apprentice.options import Common, Learning, Seeing, Source, Subject

ROOMS = ("records", "perception", "motion", "sim", "policies", "pretrain", "apprentice")
"""Exceptions that these packages define carry one line for the user."""

Flat = tyro.conf.OmitArgPrefixes


@dataclass(frozen=True)
class _Verb:
    common: Common = field(default_factory=Common)


@dataclass(frozen=True)
class _Watch(_Verb):
    source: Source = field(default_factory=Source)
    seeing: Seeing = field(default_factory=Seeing)
    subject: Subject = field(default_factory=Subject)


@dataclass(frozen=True)
class Track(_Watch):
    """Find the person, the tool's endpoints, the contacts and the camera in a clip."""


@dataclass(frozen=True)
class Estimate(_Watch):
    """Estimate the 3D motion of person and tool and the contact forces, from a clip or from keypoints."""


@dataclass(frozen=True)
class Learn(_Watch):
    """The whole way: from a clip of a person using a tool to a robot policy that uses it, with a report."""

    learning: Learning = field(default_factory=Learning)


@dataclass(frozen=True)
class Demo(_Verb):
    """Render a clip of a person hammering, learn from it, and report what came out beside the truth."""

    learning: Learning = field(default_factory=Learning)


@dataclass(frozen=True)
class Align(_Verb):
    """Place a demonstrated stroke in the task's simulated scene so that it solves the task robustly."""

    stroke: tyro.conf.Positional[Path | None] = None
    """Stroke: .npz with head_position and fps, .csv, or a record. By default the tool of the run's estimate."""
    tool: str = "hammer"
    """Tool of a stroke file; see `apprentice list`."""
    learning: Learning = field(default_factory=Learning)


@dataclass(frozen=True)
class Retarget(_Verb):
    """Find the robot's base and joint trajectory for the run's aligned demonstration."""

    learning: Learning = field(default_factory=Learning)


@dataclass(frozen=True)
class Train(_Verb):
    """Train a residual policy around the run's demonstration from the sparse reward of the task."""

    learning: Learning = field(default_factory=Learning)


@dataclass(frozen=True)
class Evaluate(_Verb):
    """Success of the run's policy over fresh episodes, beside shifted, replay, zero and random agents."""

    learning: Learning = field(default_factory=Learning)


@dataclass(frozen=True)
class Fetch(_Verb):
    """Download a clip, and its captions, with yt-dlp."""

    url: tyro.conf.Positional[str] = tyro.MISSING
    """Address of the video."""
    start: float | None = None
    """First moment [s]."""
    end: float | None = None
    """Last moment [s]."""


@dataclass(frozen=True)
class View(_Verb):
    """Write the run's 3D scene (rerun .rrd) and say how to open it."""

    folder: tyro.conf.Positional[Path | None] = None
    """Run folder."""


@dataclass(frozen=True)
class Report(_Verb):
    """Write the run's report.html again."""

    folder: tyro.conf.Positional[Path | None] = None
    """Run folder."""


@dataclass(frozen=True)
class Export(_Verb):
    """Write the run's motion and forces in another program's format."""

    folder: tyro.conf.Positional[Path] = tyro.MISSING
    """Run folder."""
    to: Literal["csv", "trc", "mot", "amass", "lerobot"] = "csv"
    """Format."""
    out: Path | None = None
    """Folder to write to; by default <run>/export."""


@dataclass(frozen=True)
class List(_Verb):
    """Name every tool, task, robot, detector, format and agent with one line each."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the command `apprentice`. Exit status 0, or 2 after an error, or 130 when interrupted."""
    from apprentice import verbs

    functions: dict[type, Callable[[Any], None]] = {
        Demo: verbs.demo,
        Learn: verbs.learn,
        Fetch: verbs.fetch,
        Track: verbs.track,
        Estimate: verbs.estimate,
        Align: verbs.align,
        Retarget: verbs.retarget,
        Train: verbs.train,
        Evaluate: verbs.evaluate,
        View: verbs.view,
        Report: verbs.report,
        Export: verbs.export,
        List: verbs.show_list,
    }
    verb = tyro.cli(
        _choices(tuple(functions)), args=arguments, prog="apprentice", description=__doc_text, config=(Flat,)
    )
    with _answered(verb.common.debug):
        functions[type(verb)](verb)


__doc_text = "From a clip of a person using a tool to 3D motion, contact forces and a robot policy."


def _choices(kinds: tuple[type, ...]) -> Any:
    """A union of subcommands, each named by its class in lower case."""
    union: Any = None
    for kind in kinds:
        named = tyro.conf.subcommand(name=kind.__name__.lower(), description=kind.__doc__)
        choice = Annotated.__class_getitem__((kind, named))  # type: ignore[attr-defined]
        union = choice if union is None else union | choice
    return union


@contextlib.contextmanager
def _answered(debug: bool) -> Iterator[None]:
    """Turn expected errors into one line and an exit status."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    logging.getLogger("jax").setLevel(logging.ERROR)
    try:
        yield
    except KeyboardInterrupt:
        if debug:
            traceback.print_exc()
        _say("interrupted; the same command goes on where it stopped")
        sys.exit(130)
    except Exception as error:
        if debug:
            traceback.print_exc()
            sys.exit(2)
        expected = type(error).__module__.partition(".")[0] in ROOMS or isinstance(error, OSError)
        if not expected:
            _say(f"error: {type(error).__name__}: {_one_line(error)} (this is a defect; --debug shows where)")
            sys.exit(2)
        _say(f"error: {_one_line(error)}")
        sys.exit(2)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the one place that speaks without a console


if __name__ == "__main__":
    main()
