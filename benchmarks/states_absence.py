"""When is a final state said to be absent: python -m benchmarks.states_absence [DATA] [--parts ...] [--every N].

Two shares are printed, with what the discoverer alone says (its own rule) and after the test of
`perception.states.absence`, at a chance of `DOUBT`: of the clips without a final state those that are given none
(wanted: at least 1 - `DOUBT`), and of those with one the clips that are given none (wanted: few).

- made up: before, initial state, action, final state, after; some clips end within the action; few and many clips.
- timelines: ChangeIt with sampled features; of the clips a share is cut off before its first final state. Also the
  share of all clips that show one in which it is found, right ones only.
- coffee: four cuts of one recording, which ends while coffee still flows; and what is thought of them as recordings.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from perception.states.absence import chance_of_final
from perception.states.changeit import read_changeit
from perception.states.discovery import DISCOVERERS, Discovery
from perception.states.pixels import pixel_features
from perception.states.precision import ACTION, FINAL, chosen_of
from perception.states.recordings import recordings
from perception.states.sampled import sampled_features
from perception.states.stack import stacked
from perception.states.tempo import tempo
from perception.video import open_clip
from records import Features

DOUBT = 0.2
"""Default of `discover`."""
SIGNALS = (4.0, 8.0)
SHARES = (0.0, 0.3, 1.0)
"""Of the clips that are cut."""
MANY = (3, 5, 8, 16, 32)
CUTS = ((0.0, 1.0), (0.0, 0.8), (0.1, 1.0), (0.05, 0.9))
"""Of the coffee clip, in shares of its length."""
COFFEE = "clips/coffee_pour/sam2_04_coffee.mp4"


def main() -> None:
    """Run the parts and print the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--parts", nargs="+", default=["made_up", "timelines", "coffee"])
    parser.add_argument("--methods", nargs="+", default=["pseudo_labels"], choices=list(DISCOVERERS))
    parser.add_argument("--every", type=int, default=1, help="of the categories of ChangeIt take one of so many")
    parser.add_argument("--first", type=int, default=0, help="category to begin with")
    parser.add_argument("--tasks", type=int, default=40, help="made up of each number of clips")
    options = parser.parse_args()
    parts = {"made_up": made_up, "timelines": timelines, "coffee": coffee}
    told = [parts[name](options, method) for name in options.parts for method in options.methods]
    print(f"states_absence: {'; '.join(told)}")


class Tally:
    """What was said of clips that show a final state, and of others."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.shown: list[bool] = []
        self.own: list[bool] = []
        self.proved: list[bool] = []
        self.right: list[bool] = []

    def add(self, clips: list[Features], labels: Sequence[np.ndarray], found: Discovery) -> None:
        """One task."""
        window = chosen_of(found)
        chance = chance_of_final(stacked(clips), found.scores, window)
        self.shown += [bool((label == FINAL).any()) for label in labels]
        self.own += (window[:, 2] < 0).tolist()
        self.proved += (chance > DOUBT).tolist()
        named = [w >= 0 and label[w] == FINAL for label, w in zip(labels, window[:, 2].tolist(), strict=True)]
        self.right += (np.array(named) & (chance <= DOUBT)).tolist()

    def told(self) -> str:
        """Shares in per cent: said to be absent where it is, and where it is not; before and after the test."""
        shown = np.array(self.shown)
        cells = []
        for said in (self.own, self.proved):
            none = np.array(said)
            cells += [f"{100 * none[which].mean():3.0f}" if which.any() else "  -" for which in (~shown, shown)]
        right = f"{100 * np.array(self.right)[shown].mean():3.0f}" if shown.any() else "  -"
        own, proved = (f"{absent} / {present}" for absent, present in zip(cells[::2], cells[1::2], strict=True))
        count = f"{(~shown).sum()} / {shown.sum()} clips"
        return f"own rule {own}   proved {proved}   right {right}   ({count})"


def made_up(options: argparse.Namespace, method: str) -> str:
    """Tasks of few and many clips, a quarter of which end within the action."""
    print(f"made up, {options.tasks} tasks, {method}: said to be absent where it is / where it is not [%]")
    for signal in SIGNALS:
        for count in MANY:
            tally = Tally()
            for task in range(options.tasks):
                rng = np.random.default_rng([task, count])
                labels = [_timeline(rng, cut=bool(c % 4 == 3)) for c in range(count)]
                clips = sampled_features(labels, signal, seed=(task, count))
                tally.add(clips, labels, discovered(method, clips))
            print(f"  signal {signal:g}, {count:2d} clips: {tally.told()}", flush=True)
    return f"{method}, made up, {MANY[-1]} clips at signal {SIGNALS[-1]:g}: {tally.told()}"


def _timeline(rng: np.random.Generator, *, cut: bool) -> np.ndarray:
    lengths = rng.integers(6, 18, 5)
    label = np.repeat([0, 1, ACTION, FINAL, 0], lengths)
    return label[: lengths[:2].sum() + max(3, lengths[2] // 2)] if cut else label


def timelines(options: argparse.Namespace, method: str) -> str:
    """ChangeIt, some of its videos cut before the final state."""
    videos = read_changeit(options.data / "states/changeit")
    kept = sorted({video.category for video in videos})[options.first :: options.every]
    known = [[video.labels for video in videos if video.category == name] for name in kept]
    print(f"ChangeIt, {sum(map(len, known))} timelines, {method}: absent where it is / where it is not [%]")
    figures = []
    for signal in SIGNALS:
        for share in SHARES:
            tally = Tally()
            for clips, labels in _cut(known, signal, share):
                tally.add(clips, labels, discovered(method, clips))
            print(f"  signal {signal:g}, {share:.0%} cut: {tally.told()}", flush=True)
            if share == SHARES[1]:
                figures.append(f"signal {signal:g} {tally.told()}")
    return f"{method}, ChangeIt, {SHARES[1]:.0%} cut: {', '.join(figures)}"


def _cut(known: list[list[np.ndarray]], signal: float, share: float) -> Iterator[tuple[list[Features], list]]:
    """Clips and labels of each category; only a video that shows an action before its final state is ever cut."""
    for number, labels in enumerate(known):
        clips = sampled_features(labels, signal, seed=(0, number))
        rng = np.random.default_rng([0, number, 7])
        ends = []
        for label in labels:
            first = int(np.argmax(label == FINAL))
            ends.append(first if (label[:first] == ACTION).any() and rng.random() < share else len(label))
        parts = [f.replace(value=f.value[:end], time=f.time[:end]) for f, end in zip(clips, ends, strict=True)]
        yield parts, [label[:end] for label, end in zip(labels, ends, strict=True)]


def coffee(options: argparse.Namespace, method: str) -> str:
    """The cuts of the coffee clip, by colours and gradients."""
    path = options.data / COFFEE
    whole = open_clip(path)
    length = whole.num_frames / whole.fps
    clips = [pixel_features(open_clip(path, start=a * length, end=b * length), "colour_hog") for a, b in CUTS]
    found = discovered(method, clips)
    stack = stacked(clips)
    chance = chance_of_final(stack, found.scores, chosen_of(found))
    for (a, b), clip, window, sure, doubt in zip(CUTS, clips, chosen_of(found), found.confidence, chance, strict=True):
        at = [f"{a * length + clip.time[w].mean():.1f} s ({p:.2f})" for w, p in zip(window, sure, strict=True)]
        print(f"  coffee, {a:.0%} to {b:.0%}: {', '.join(at)}; chance of such a final state without one {doubt:.2f}")
    count = len(set(recordings(stack).tolist()))
    return (
        f"{method}, coffee: {count} recording of {len(clips)} clips, {int((chance > DOUBT).sum())} without final state"
    )


def discovered(method: str, clips: list[Features]) -> Discovery:
    """By a method with its own settings for clips of this length."""
    return DISCOVERERS.load(method)(**tempo(method, clips))(stacked(clips), seed=0)


if __name__ == "__main__":
    main()
