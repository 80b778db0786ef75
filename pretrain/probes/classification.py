"""What linear and nearest-neighbour probes share: features of every video of a set, accuracy over its splits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from pretrain.narration import Skipped
from pretrain.probes.accuracy import majority, top_1
from pretrain.probes.encoding import Encoded, Wanted, encoded, enough
from pretrain.probes.probe import Encoder
from pretrain.probes.splits import Labelled, Split
from pretrain.probes.video_files import VideoFiles
from pretrain.probes.viewing import Viewing


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Training or test videos of a split, with W windows each."""

    windows: Float[np.ndarray, "V W F"]
    label: Int[np.ndarray, "V"]


Classifier = Callable[[Part, Part, int], Float[np.ndarray, "V K"]]
"""Class scores of the test videos, from training videos, test videos, and the number of classes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Library:
    """Codes of the videos of a set; those with an even spacing, and those by chance, for training."""

    tested: dict[str, Encoded]
    trained: dict[str, Encoded]
    """The same as `tested` where nothing is left to chance."""
    skipped: tuple[Skipped, ...]


def encode_set(
    encoder: Encoder,
    folder: Path,
    splits: Sequence[Split],
    viewing: Viewing,
    *,
    by_chance: bool = False,
    processes: int = 0,
    seed: int = 0,
) -> Library:
    """Encode each video of some splits once or, where training windows are drawn by chance, once for each part."""
    files = VideoFiles(folder)
    skipped: dict[str, Skipped] = {}
    parts: list[dict[str, Encoded]] = []
    for chance in (False, True) if by_chance else (False,):
        names = dict.fromkeys(v.video for split in splits for v in (split.train if chance else split.test))
        if not by_chance:
            names |= dict.fromkeys(v.video for split in splits for v in split.train)
        wanted = []
        for number, name in enumerate(names):
            path = files.find(name)
            if isinstance(path, str):
                skipped[name] = Skipped(name, path)
            else:
                wanted.append(Wanted(name=name, path=path, seed=(seed, number) if chance else None))
        found: dict[str, Encoded] = {}
        for clip, codes in zip(wanted, encoded(encoder, wanted, viewing, processes=processes), strict=True):
            if isinstance(codes, Skipped):
                skipped[clip.name] = codes
            else:
                found[clip.name] = codes
        parts.append(found)
    return Library(tested=parts[0], trained=parts[-1], skipped=tuple(skipped.values()))


def accuracies(
    library: Library, splits: Sequence[Split], classifier: Classifier, *, colours: bool = False
) -> dict[str, float]:
    """Top-1 accuracy [%] on each split; from the colours of the windows instead of their features, if wanted.

    Raises:
        ProbeError: a split of which no training or no test video can be used.
    """
    found = {}
    for split in splits:
        classes = class_names(split)
        train = _part(
            split.train, library.trained, classes, library.skipped, f"training videos of {split.name}", colours
        )
        test = _part(split.test, library.tested, classes, library.skipped, f"test videos of {split.name}", colours)
        found[split.name] = top_1(classifier(train, test, len(classes)), test.label)
    return found


def floors(library: Library, splits: Sequence[Split]) -> dict[str, dict[str, float]]:
    """Accuracy of chance, and of the commonest class; means over splits."""
    chance, common = [], []
    for split in splits:
        classes = class_names(split)
        train, test = (
            np.array([classes.index(v.label) for v in part if v.video in there])
            for part, there in ((split.train, library.trained), (split.test, library.tested))
        )
        chance.append(100 / len(classes))
        common.append(majority(train, test))
    return {"chance": {"top-1": float(np.mean(chance))}, "commonest class": {"top-1": float(np.mean(common))}}


def counted(library: Library, splits: Sequence[Split]) -> dict[str, int]:
    """Sizes that the figures are over."""
    return {
        "splits": len(splits),
        "classes": max(len(class_names(split)) for split in splits),
        "training videos": sum(v.video in library.trained for split in splits for v in split.train),
        "test videos": sum(v.video in library.tested for split in splits for v in split.test),
        "videos listed": len({v.video for split in splits for v in (*split.train, *split.test)}),
    }


def class_names(split: Split) -> list[str]:
    """Classes of a split in order."""
    return sorted({v.label for v in (*split.train, *split.test)})


def _part(
    videos: Sequence[Labelled],
    codes: dict[str, Encoded],
    classes: list[str],
    skipped: Sequence[Skipped],
    what: str,
    colours: bool,
) -> Part:
    there = [v for v in videos if v.video in codes]
    enough(len(there), len(videos), skipped, what)
    windows = [codes[v.video].colours if colours else codes[v.video].features for v in there]
    return Part(
        windows=np.array(windows, np.float64), label=np.array([classes.index(v.label) for v in there], np.int64)
    )
