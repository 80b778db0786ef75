"""A linear support vector machine on frozen features of the windows of videos."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from pretrain.probes.accuracy import summed
from pretrain.probes.classification import Part, accuracies, counted, encode_set, floors
from pretrain.probes.probe import Encoder, Outcome, named
from pretrain.probes.scaling import Standardiser
from pretrain.probes.splits import read_splits
from pretrain.probes.svm import fit_svm
from pretrain.probes.viewing import Viewing, stated


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a machine is fitted."""

    C: float
    """Cost of the loss."""
    standardise: bool
    """Whether features are brought to mean 0 and deviation 1 over the training windows."""
    by_chance: bool
    """Whether the windows of training videos are drawn, cropped and flipped at random; else they are as in tests."""


MANNERS = {
    "milnce": Manner(C=100.0, standardise=False, by_chance=False),
    "mmv": Manner(C=1e-3, standardise=True, by_chance=True),
}
"""Miech et al., CVPR 2020, on `mixed_5c`; Alayrac et al., NeurIPS 2020."""


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Top-1 accuracy of linear classifiers on frozen features, mean over splits.

    Every window of a training video is an example; the scores of the windows of a test video are summed.
    """

    split: tuple[Path, ...]
    """HMDB's CLASS_test_splitN.txt or table, UCF's trainlistNN.txt and testlistNN.txt, or Kinetics' tables; or a folder
    of such lists."""
    manner: Literal["milnce", "mmv"] = "milnce"
    """As MIL-NCE was measured (C 100), or MMV (C 0.001, standardised, random passes; its frames: --frames 32 --fps
    12.5)."""
    viewing: Viewing = field(default_factory=Viewing)
    processes: int = 0
    """Processes that read videos; by default as many as there are processors."""

    def __call__(self, encoder: Encoder, folder: Path, *, seed: int = 0) -> Outcome:
        """Fit and test on each split; only windows that are left to chance depend on the seed.

        Raises:
            ProbeError: unreadable splits, or none of the videos of one can be used.
        """
        manner = MANNERS[self.manner]
        splits = read_splits(self.split)
        library = encode_set(
            encoder, folder, splits, self.viewing, by_chance=manner.by_chance, processes=self.processes, seed=seed
        )

        def classify(train: Part, test: Part, classes: int) -> Float[np.ndarray, "V K"]:
            return svm_scores(train, test, classes, manner)

        found = accuracies(library, splits, classify)
        bare = accuracies(library, splits, classify, colours=True)
        return Outcome(
            probe="linear",
            encoder=named(encoder),
            figures={"top-1": float(np.mean(list(found.values())))},
            costless=floors(library, splits) | {"colours": {"top-1": float(np.mean(list(bare.values())))}},
            counts=counted(library, splits),
            preprocessing=stated(self.viewing, encoder.sampling) | asdict(manner) | {"windows of a video": "summed"},
            skipped=library.skipped,
            detail={"top-1 by split": found, "colours by split": bare},
        )


def svm_scores(train: Part, test: Part, classes: int, manner: Manner) -> Float[np.ndarray, "V K"]:
    """Summed scores of the windows of each test video."""
    examples, tested = (part.windows.reshape(-1, part.windows.shape[2]) for part in (train, test))
    if manner.standardise:
        scale = Standardiser.of(examples)
        examples, tested = scale(examples), scale(tested)
    machine = fit_svm(examples, train.label.repeat(train.windows.shape[1]), classes, C=manner.C)
    videos, windows = test.windows.shape[:2]
    return summed(machine.scores(tested), np.arange(videos).repeat(windows), videos)
