"""Unusual actions, told from what shows only the verb or only the noun, by nothing but their names: RareAct."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pretrain.narration import Skipped
from pretrain.probes.encoding import Wanted, encoded, enough
from pretrain.probes.probe import Encoder, Outcome, ProbeError, at_least_one, named
from pretrain.probes.rareact_table import read_rareact
from pretrain.probes.retrieval import WINDOWS, text_embeddings
from pretrain.probes.unusual_actions import DRAWS, Annotated, sampled_precision, weighted_precision
from pretrain.probes.video_files import VideoFiles
from pretrain.probes.viewing import Viewing, stated

_CHANCE = 5
"""Random scores whose mean precision is that of chance."""


@dataclass(frozen=True, kw_only=True)
class RareAct:
    """mWAP and mSAP: the mean over classes of average precision, videos weighted equally, or one clip of each drawn.

    A clip is the mean of the embeddings of its windows, and is compared with the words "verb noun" by dot products.
    """

    annotations: Path
    """rareact.csv."""
    viewing: Viewing = field(default_factory=lambda: Viewing(windows=WINDOWS))
    draws: int = DRAWS
    """Of one clip a video, for mSAP."""
    processes: int = 0
    """Processes that read videos; by default as many as there are processors."""

    def __call__(self, encoder: Encoder, folder: Path, *, seed: int = 0) -> Outcome:
        """Precision over the clips that can be read; the draws depend on the seed.

        Raises:
            ProbeError: an unreadable table, or no class has a positive clip that can be read.
        """
        at_least_one(draws=self.draws)
        table, files = read_rareact(self.annotations), VideoFiles(folder)
        skipped: list[Skipped] = []
        rows, wanted = [], []
        for row, (video, stretch) in enumerate(zip(table.videos, table.stretches, strict=True)):
            path = files.find(video)
            if isinstance(path, str):
                skipped.append(Skipped(video, path))
            else:
                rows.append(row)
                wanted.append(Wanted(name=video, path=path, stretch=stretch))
        kept, embeddings = [], []
        for row, codes in zip(rows, encoded(encoder, wanted, self.viewing, processes=self.processes), strict=True):
            if isinstance(codes, Skipped):
                skipped.append(codes)
            else:
                kept.append(row)
                embeddings.append(codes.embedding.mean(axis=0))
        enough(len(kept), len(table.videos), skipped, "clips")
        clips = _of(table.clips, np.array(kept))
        text = text_embeddings(encoder, [f"{verb} {noun}" for verb, noun in table.actions])
        score = np.array(embeddings, np.float64) @ text.T
        weighted = weighted_precision(score, clips)
        if not weighted:
            raise ProbeError(f"{self.annotations}: no class has a positive clip among the {len(kept)} that can be used")
        sampled = sampled_precision(score, clips, draws=self.draws, seed=seed)
        chance = np.random.default_rng(seed)
        random = [
            (weighted_precision(guess, clips), sampled_precision(guess, clips, draws=1, seed=seed))
            for guess in (chance.random(score.shape) for _ in range(_CHANCE))
        ]
        return Outcome(
            probe="rareact",
            encoder=named(encoder),
            figures={"mWAP": _mean(weighted), "mSAP": _mean(sampled)},
            costless={
                "chance": {
                    "mWAP": float(np.mean([_mean(one) for one, _ in random])),
                    "mSAP": float(np.mean([_mean(other) for _, other in random])),
                }
            },
            counts={
                "clips": len(kept),
                "clips listed": len(table.videos),
                "classes with positives": len(weighted),
                "class names without a known word": int((~text.any(axis=1)).sum()),
            },
            preprocessing=stated(self.viewing, encoder.sampling)
            | {"clip": "mean embedding of its windows", "class": "its verb and its noun", "draws": self.draws},
            skipped=tuple(skipped),
            detail={"WAP by class": {" ".join(table.actions[k]): 100 * value for k, value in weighted.items()}},
        )


def _of(clips: Annotated, rows: np.ndarray) -> Annotated:
    return clips._replace(video=clips.video[rows], action=clips.action[rows], annotation=clips.annotation[rows])


def _mean(precision: dict[int, float]) -> float:
    return 100 * float(np.mean(list(precision.values())))
