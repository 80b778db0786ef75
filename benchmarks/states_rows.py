"""What measurements of discovery share: how a discoverer is run, what costs nothing, how figures are printed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perception.states.discovery import DISCOVERERS, Discovery
from perception.states.floors import at_times, best_times, random_ordered
from perception.states.precision import Precision, hits, precision
from perception.states.stack import stacked
from perception.states.tempo import tempo
from records import Features

PRESENT = {"absent_initial": 0.0, "absent_final": 0.0}
"""Settings with which something is always chosen, as the papers' precision asks for."""


def run(name: str, clips: list[Features], *, seed: int = 0, prior: Sequence | None = None, **given: float) -> Discovery:
    """A discoverer with settings for clips of this length, without the test of whether anything changes at all."""
    settings = PRESENT | tempo(name, clips) | given
    return DISCOVERERS.load(name)(**settings)(stacked(clips), seed=seed, prior=prior)


def floors(labels: list[np.ndarray], groups: list[str]) -> str:
    """Print and tell what costs nothing."""
    drawn = precision(random_ordered(labels), groups)
    times = best_times(labels, groups)
    fixed = precision(hits(labels, at_times([len(label) for label in labels], times)), groups)
    shares = "/".join(f"{100 * share:.0f}" for share in times)
    show("random ordered triple", drawn)
    show(f"best fixed times, {shares} %", fixed)
    return f"{told(drawn)} and {told(fixed)}"


def show(name: str, value: Precision) -> None:
    """Print a row."""
    print(f"  {name:<44} {100 * value.state:10.1f} {100 * value.action:8.1f}", flush=True)


def told(value: Precision) -> str:
    """State/action in per cent."""
    return f"{100 * value.state:.1f}/{100 * value.action:.1f}"
