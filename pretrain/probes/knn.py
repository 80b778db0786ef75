"""Nearest neighbours among frozen features of videos: nothing is fitted, so nothing can be overfitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pretrain.probes.classification import Part, accuracies, counted, encode_set, floors
from pretrain.probes.neighbours import nearest_labels
from pretrain.probes.probe import Encoder, Outcome, at_least_one, named
from pretrain.probes.splits import read_splits
from pretrain.probes.viewing import Viewing, stated


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Top-1 accuracy of the k nearest training videos by cosine, each voting with its cosine; mean over splits."""

    split: tuple[Path, ...]
    """HMDB's CLASS_test_splitN.txt or table, UCF's trainlistNN.txt and testlistNN.txt, or Kinetics' tables; or a folder
    of such lists."""
    k: int = 20
    """Videos that vote."""
    viewing: Viewing = field(default_factory=Viewing)
    processes: int = 0
    """Processes that read videos; by default as many as there are processors."""

    def __call__(self, encoder: Encoder, folder: Path, *, seed: int = 0) -> Outcome:
        """Vote on each split; nothing is random.

        Raises:
            ProbeError: unreadable splits, or none of the videos of one can be used.
        """
        at_least_one(k=self.k)
        splits = read_splits(self.split)
        library = encode_set(encoder, folder, splits, self.viewing, processes=self.processes)

        def classify(train: Part, test: Part, classes: int) -> Float[np.ndarray, "V K"]:
            features, tested = train.windows.mean(axis=1), test.windows.mean(axis=1)
            return nearest_labels(features, train.label, tested, classes, k=self.k)

        found = accuracies(library, splits, classify)
        bare = accuracies(library, splits, classify, colours=True)
        return Outcome(
            probe="knn",
            encoder=named(encoder),
            figures={"top-1": float(np.mean(list(found.values())))},
            costless=floors(library, splits) | {"colours": {"top-1": float(np.mean(list(bare.values())))}},
            counts=counted(library, splits),
            preprocessing=stated(self.viewing, encoder.sampling)
            | {"k": self.k, "video": "mean features of its windows", "vote": "cosine"},
            skipped=library.skipped,
            detail={"top-1 by split": found, "colours by split": bare},
        )
