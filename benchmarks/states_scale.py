"""Discovery in many clips: seconds and memory, beside what an N x N matrix of windows would take.

    python -m benchmarks.states_scale [--clips 500] [--windows 300] [--dimensions 512] [--method clustering]

Features are made up: three directions stand for initial state, action and final state, the rest is noise. The figure
counts all of `discover`, test for a change included, in processor time of this one process; memory is the most that the
process held at any time, features in double precision included.
"""

from __future__ import annotations

import argparse
import resource
import time
from itertools import pairwise

import numpy as np

from perception.states.discovery import DISCOVERERS, discover
from perception.states.ridge import moments
from perception.states.stack import stacked
from records.features import Features

SECONDS, GIB = 120.0, 4.0
"""What is wanted of 500 clips of 300 windows in 512 dimensions."""
SHARES = (0.2, 0.2, 0.2)
"""Of a clip: initial state, action, final state; what is left is before and after."""


def main() -> None:
    """Print what was spent, what was found, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--windows", type=int, default=300)
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--signal", type=float, default=3.0, help="length of the three directions; noise has 1 in each")
    parser.add_argument("--method", default="clustering", choices=list(DISCOVERERS))
    options = parser.parse_args()
    clips, label = made_up(options.clips, options.windows, options.dimensions, options.signal)
    wall, own = time.perf_counter(), time.process_time()
    found = discover(clips, options.method)
    wall, own = time.perf_counter() - wall, time.process_time() - own
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    begin = time.process_time()
    moments(stacked(clips).value)
    sums = time.process_time() - begin
    rows = options.clips * options.windows
    window = np.stack([found.initial, found.action, found.final], axis=1)
    right = np.mean([own_label[w] == [0, 1, 2] for own_label, w in zip(label, window, strict=True)])
    print(f"{options.clips} clips of {options.windows} windows in {options.dimensions} dimensions, {options.method}")
    print(f"right windows: {right:.1%}; drawn at random in order: about {np.mean(SHARES):.0%} or a little more")
    print(
        f"an N x N matrix of {rows} windows: {rows**2 * 8 / 2**30:.0f} GiB, its inverse {rows**3 / 3 / 1e15:.2f} PFlop"
    )
    print(f"sums that a cache could keep when clips are added: {sums:.1f} s, {sums / own:.1%} of all")
    print(
        f"wanted: at most {SECONDS:.0f} s and {GIB:.0f} GiB (of the default size, on 2 cores); wall time {wall:.0f} s"
    )
    print(f"states_scale {options.method}: {own:.0f} s, {memory:.2f} GiB")


def made_up(
    clips: int, windows: int, dimensions: int, signal: float, seed: int = 0
) -> tuple[list[Features], list[np.ndarray]]:
    """Clips of noise with three directions in turn, and the label of each window (-1: none)."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(3, dimensions))
    direction *= signal / np.linalg.norm(direction, axis=1, keepdims=True)
    time_ = np.arange(windows)[:, None] + np.array([0.0, 1.0])
    made, labels = [], []
    for _ in range(clips):
        begin = rng.uniform(0, 1 - sum(SHARES))
        bounds = np.round(windows * (begin + np.cumsum([0.0, *SHARES]))).astype(int)
        label = np.full(windows, -1)
        value = rng.normal(size=(windows, dimensions))
        for k, (first, last) in enumerate(pairwise(bounds)):
            label[first:last] = k
            value[first:last] += direction[k]
        made.append(Features(value=value, time=time_, encoder="made up", encoder_hash="0" * 64))
        labels.append(label)
    return made, labels


if __name__ == "__main__":
    main()
