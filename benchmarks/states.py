"""What discovery of states and actions is worth: python -m benchmarks.states [DATA] [--encoder DIR] [--keypoints DIR].

Precision@1 [%] as in the papers: one window is chosen in each clip for each of initial state, action and end state; the
mean over clips, then over categories; `state` is the mean of initial and end state. Beside every figure two floors that
look at no clip: a random ordered triple (exact), and the best fixed times, fitted to these very labels.

- timelines: all 667 of ChangeIt with sampled features (`perception.states.sampled`) at several signals, in standard
  deviations of their noise, over seeds; `labelled` is a ridge classifier that learned from the labels of the other
  folds of clips, the most that such features hold. Labels are never shown to a discoverer.
- pixels: the generated narrated corpus, colours and gradients, and a trained encoder where one is given; with and
  without the narration as a prior.
- parkour: vaults, before / hands loaded / after, from keypoints (`benchmarks.states_parkour`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.states_parkour import parkour
from benchmarks.states_rows import floors, run, show, told
from perception.states.action_alone import ActionAlone
from perception.states.changeit import read_changeit
from perception.states.discovery import DISCOVERERS
from perception.states.narration import narrated_prior
from perception.states.order import best_triple
from perception.states.pixels import PIXELS
from perception.states.precision import ORDER, Precision, chosen_of, hits, precision
from perception.states.sampled import sampled_features
from perception.states.stack import Stack, stacked
from pretrain.corpus import CorpusOptions
from pretrain.corpus.changes import ChangingClip, changing_clips
from pretrain.pretrained import Pretrained
from records import Features, digest

SIGNALS = (2.0, 4.0, 8.0)
"""Stated levels; `--signals` gives others."""
FOLDS = 5
RIDGE = 1e-3
HOP = 2
"""Frames from one window to the next, of the generated corpus."""
PERIOD, SHOTS = 5.2, 3
"""Length of a shot [s], so that windows of an encoder fit into what is before and after an action; shots of a clip."""
CHANGES = ("open", "fill", "cut", "inflate", "pack", "cover")
USUAL = "pseudo_labels"
"""The discoverer of the figure line: that which is used by default. Tables have all."""


def main() -> None:
    """Run the parts and print the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--parts", nargs="+", default=["timelines", "pixels", "parkour"])
    parser.add_argument("--signals", type=float, nargs="+", default=list(SIGNALS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="of the categories of ChangeIt take one of so many")
    parser.add_argument("--clips", type=int, default=24, help="of each change of the generated corpus")
    parser.add_argument("--encoder", type=Path, help="folder of a trained encoder")
    parser.add_argument("--keypoints", type=Path, help="folder to keep detections in, or to take them from")
    options = parser.parse_args()
    parts = {"timelines": timelines, "pixels": pixels, "parkour": parkour}
    print(f"states: {'; '.join(parts[name](options) for name in options.parts)}")


def timelines(options: argparse.Namespace) -> str:
    """ChangeIt with sampled features."""
    videos = read_changeit(options.data / "states/changeit")
    kept = sorted({video.category for video in videos})[:: options.every]
    videos = [video for video in videos if video.category in kept]
    groups = [video.category for video in videos]
    labels = [video.labels for video in videos]
    members = {name: [k for k, group in enumerate(groups) if group == name] for name in dict.fromkeys(groups)}
    print(f"ChangeIt, {len(videos)} timelines, {len(members)} categories, {options.seeds} seeds{'':<20}state    action")
    low = floors(labels, groups)
    ways: dict[str, Callable[[list[Features], list[np.ndarray], int], np.ndarray]] = {
        "labelled": lambda clips, known, seed: labelled(stacked(clips), known),
        "action alone": lambda clips, known, seed: chosen_of(ActionAlone()(stacked(clips), seed=seed)),
        **{name: _joint(name) for name in DISCOVERERS},
    }
    figures = []
    for signal in options.signals:
        found: dict[str, list[Precision]] = {}
        for seed in range(options.seeds):
            right = {name: np.zeros((len(labels), 3)) for name in ways}
            for number, numbers in enumerate(members.values()):
                known = [labels[k] for k in numbers]
                clips = sampled_features(known, signal, seed=(seed, number))
                for name, way in ways.items():
                    right[name][numbers] = hits(known, way(clips, known, seed))
            for name, marks in right.items():
                found.setdefault(name, []).append(precision(marks, groups))
        for name, values in found.items():
            state, action = 100 * np.array(values).T
            spread = [f"{v.mean():6.1f} +- {v.std(ddof=1) if len(v) > 1 else 0:.1f}" for v in (state, action)]
            if name == "action alone":
                spread[0] = f"{'':>6}       "
            print(f"  signal {signal:<5g} {name:<16} {spread[0]} {spread[1]}", flush=True)
        usual = np.mean(found[USUAL], axis=0)
        alone = np.mean(found["action alone"], axis=0)
        figures.append(f"{signal:g}: {100 * usual[0]:.1f}/{100 * usual[1]:.1f} (action alone {100 * alone[1]:.1f})")
    return f"ChangeIt state/action at signal {', '.join(figures)}, floors {low}"


def _joint(name: str) -> Callable[[list[Features], list[np.ndarray], int], np.ndarray]:
    def found(clips: list[Features], _: list[np.ndarray], seed: int) -> np.ndarray:
        return chosen_of(run(name, clips, seed=seed))

    return found


def labelled(stack: Stack, labels: list[np.ndarray]) -> np.ndarray:
    """Windows chosen by ridge classifiers that know the labels of the other folds of clips."""
    target = np.stack([np.concatenate(labels) == wanted for wanted in ORDER], axis=1).astype(float)
    fold = np.repeat(np.arange(stack.clips) % FOLDS, np.diff(stack.start))
    score = np.zeros_like(target)
    for k in range(min(FOLDS, stack.clips)):
        x, y = stack.value[fold != k].astype(float), target[fold != k]
        mean = x.mean(axis=0)
        gram = (x - mean).T @ (x - mean) + RIDGE * len(x) * np.eye(x.shape[1]) / x.shape[1]
        plane = np.linalg.solve(gram, (x - mean).T @ (y - y.mean(axis=0)))
        spread = np.maximum(((x - mean) @ plane).std(axis=0), 1e-12)
        score[fold == k] = (stack.value[fold == k] - mean) @ plane / spread
    pieces = zip(stack.split(score), stack.split(stack.step), strict=True)
    return np.array([best_triple(own, step) for own, step in pieces])


def pixels(options: argparse.Namespace) -> str:
    """The generated corpus."""
    encoder = None if options.encoder is None else Pretrained.load(options.encoder)
    corpus = CorpusOptions(period=PERIOD)
    rows: dict[str, list[np.ndarray]] = {}
    labels, groups = [], []
    for number, action in enumerate(CHANGES):
        clips = changing_clips(corpus, action, options.clips, seed=number, shots=SHOTS)
        made = [_windows(clip, corpus, encoder) for clip in clips]
        known = [clip.labels(windows["colour"].time.mean(axis=1)) for clip, windows in zip(clips, made, strict=True)]
        labels += known
        groups += [action] * len(clips)
        for kind in made[0]:
            features = [windows[kind] for windows in made]
            said = [narrated_prior(c.narration(), action, f.time)[0] for c, f in zip(clips, features, strict=True)]
            for name in DISCOVERERS:
                for what, prior in (("", None), (" + narration", said)):
                    right = hits(known, chosen_of(run(name, features, prior=prior)))
                    rows.setdefault(f"{kind}, {name}{what}", []).append(right)
            rows.setdefault(f"{kind}, labelled", []).append(hits(known, labelled(stacked(features), known)))
    print(f"generated corpus, {len(CHANGES)} changes x {options.clips} clips of {SHOTS} shots{'':<12}state    action")
    low = floors(labels, groups)
    found = {name: precision(np.concatenate(parts), groups) for name, parts in rows.items()}
    for name, value in found.items():
        show(name, value)
    kinds = [kind for kind in ("encoder", "colour_hog") if f"{kind}, labelled" in found]
    told = [f"{kind} {told(found[f'{kind}, {USUAL} + narration'])}" for kind in kinds]
    return f"corpus, {USUAL} with narration: {', '.join(told)}, floors {low}"


def _windows(clip: ChangingClip, corpus: CorpusOptions, encoder: Pretrained | None) -> dict[str, Features]:
    """Features of a clip by kind; all kinds have the same windows, those of the encoder or of the corpus' clips."""
    sampling = corpus.sampling if encoder is None else encoder.sampling
    moments = np.arange(int(clip.script.duration * sampling.fps)) / sampling.fps
    frames = clip.frames(moments, sampling.size)
    first = np.arange(0, len(frames) - sampling.frames + 1, HOP)
    time = np.stack([first, first + sampling.frames], axis=1) / sampling.fps
    middle = [int(k) + sampling.frames // 2 for k in first]
    values = {kind: np.array([describe(frames[m]) for m in middle]) for kind, describe in PIXELS.items()}
    if encoder is not None:
        stretches = np.stack([frames[k : k + sampling.frames] for k in first])
        values["encoder"] = encoder.encode_clips(stretches).features.astype(np.float64)
    return {
        kind: Features(value=value, time=time, encoder=kind, encoder_hash=digest(kind))
        for kind, value in values.items()
    }


if __name__ == "__main__":
    main()
