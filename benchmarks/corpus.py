"""What the generated corpus is and is not: benchmarks/corpus.py [--clips N] [--rounds R].

- How fast it is made, on one core: frames of examples per second, in processor time, for several sizes of clips.
- How well its narration fits its pictures, by misalignment; see `pretrain.corpus.alignment`.
- What costs nothing: a linear machine on histograms of colours, which should be at chance, and the same machine on the
  pixels of the middle frame and on how much changes where, which should not be; with 95 % intervals. Both clips of a
  pair have the same colours and, here, the same middle frame, so each pair counts once and the change of state is told,
  not its direction.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from pretrain.corpus import Corpus, CorpusOptions, LabelledClips
from pretrain.corpus.actions import ACTIONS
from pretrain.corpus.alignment import alignment
from pretrain.corpus.labelled import PROBES, TEST, LabelledClip
from pretrain.corpus.still import still
from pretrain.probes.colours import colours
from pretrain.probes.scaling import Standardiser
from pretrain.probes.svm import fit_svm
from pretrain.sampling import Sampling

CLIPS = (
    Sampling(frames=8, fps=4.0, size=48, shortest=2.0),
    Sampling(frames=8, fps=4.0, size=64, shortest=2.0),
    Sampling(frames=16, fps=5.0, size=112, shortest=3.2),
    Sampling(frames=16, fps=5.0, size=224, shortest=3.2),
    Sampling(frames=32, fps=10.0, size=224, shortest=3.2),
)
MISALIGNED = (0.0, 1.0, 2.0, 4.0)
"""Standard deviations [s]."""
SECONDS = 2.0
"""Processor time of one measurement of speed."""
COST = 1e-3


def main() -> None:
    """Print the three tables, then the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=1920, help="pairs to fit to, and to ask for, each")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each speed")
    arguments = parser.parse_args()
    rates = speeds(arguments.rounds)
    print("frames/s of one core, median (least to most)")
    for sampling, rate in rates.items():
        clips = np.median(rate) / sampling.frames
        spread = f"{np.median(rate):8.0f} ({min(rate):.0f} to {max(rate):.0f})"
        print(f"  {sampling.frames} frames of {sampling.size} px {spread}, {clips:.0f} clips/s")
    print(
        "misalignment [s]: right sentence nearest, among five [% of actions]; on what is seen: sentence, candidates [%]"
    )
    fits = {}
    for seconds in MISALIGNED:
        fit = alignment(Corpus(CorpusOptions(misalignment=seconds), seed=0), 2000)
        fits[seconds] = fit
        print(
            f"  {seconds:.0f}: {100 * fit.nearest:.1f} {100 * fit.among_nearest:.1f}; {100 * fit.drawn:.1f}"
            f" {100 * fit.candidate:.1f} of the {100 * fit.showing:.0f} % of examples that show an action;"
            f" irrelevant {100 * fit.irrelevant:.1f}"
        )
    told = probed(arguments.clips)
    print(f"linear machines, {arguments.clips} clips to ask for: change of state, thing [%]")
    for name, (change, thing) in told.items():
        print(f"  {name:<24}{change}   {thing}")
    small, near = np.median(rates[CLIPS[0]]), fits[2.0]
    print(
        f"corpus: {small:.0f} frames/s of 48 px a core; right sentence nearest {100 * near.nearest:.0f} %, among five"
        f" {100 * near.among_nearest:.0f} % at 2 s; colours tell the change {told['colours'][0]}"
        f" (chance {told['chance'][0]}), the thing {told['colours'][1]} (chance {told['chance'][1]})"
    )


def speeds(rounds: int) -> dict[Sampling, list[float]]:
    """Frames of examples per second of processor time, round by round in turn."""
    corpora = {
        sampling: Corpus(CorpusOptions(sampling=sampling, period=1.5 * sampling.seconds), seed=0) for sampling in CLIPS
    }
    rates: dict[Sampling, list[float]] = {sampling: [] for sampling in CLIPS}
    for corpus in corpora.values():
        for number in range(8):
            corpus[number]
    for turn in range(rounds):
        for sampling, corpus in corpora.items():
            number, before = 1000 * turn, time.process_time()
            while time.process_time() - before < SECONDS:
                corpus[number]
                number += 1
            rates[sampling].append((number - 1000 * turn) * sampling.frames / (time.process_time() - before))
    return rates


def probed(count: int) -> dict[str, tuple[str, str]]:
    """Accuracy on changes of state and things of linear machines on simple features of forward clips."""
    options = CorpusOptions()
    fit, ask = (
        [clips[k] for k in range(0, 2 * count, 2)]
        for clips in (LabelledClips(options, 2 * count, seed=seed) for seed in (PROBES, TEST))
    )
    features: dict[str, Callable[[LabelledClip], np.ndarray]] = {
        "colours": lambda clip: colours(clip.frames[None])[0],
        "pixels of a still": lambda clip: coarse(still(clip.frames)[:1].astype(np.float32)),
        "how much changes where": lambda clip: coarse(np.abs(np.diff(clip.frames.astype(np.float32), axis=0))),
    }
    chance = (len(ACTIONS) // 2, len(options.objects))
    told = {"chance": (f"{100 / chance[0]:.1f}", f"{100 / chance[1]:.1f}")}
    for name, feature in features.items():
        known, asked = (np.array([feature(clip) for clip in clips]) for clips in (fit, ask))
        scale = Standardiser.of(known)
        shares = []
        for label in (lambda clip: ACTIONS[clip.action].change, lambda clip: clip.thing):
            names, number = np.unique([label(clip) for clip in fit], return_inverse=True)
            machine = fit_svm(scale(known), number, len(names), C=COST)
            found = names[machine.scores(scale(asked)).argmax(1)]
            right = np.mean(found == np.array([label(clip) for clip in ask]))
            shares.append(f"{100 * right:.1f} +- {196 * np.sqrt(right * (1 - right) / count):.1f}")
        told[name] = (shares[0], shares[1])
    return told


def coarse(frames: np.ndarray) -> np.ndarray:
    """Means over squares of 4 px and over colours, (T, 12, 12) in a row."""
    count, side = len(frames), frames.shape[1] // 4
    return frames.reshape(count, side, 4, side, 4, 3).mean((2, 4, 5)).ravel()


if __name__ == "__main__":
    main()
