"""Text to video: captions look for their clips among all clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pretrain.narration import Skipped
from pretrain.probes.captioned import Captioned, read_captioned
from pretrain.probes.encoding import Wanted, encoded, enough
from pretrain.probes.probe import Encoder, Outcome, ProbeError, named
from pretrain.probes.ranks import chance_of_retrieval, ranks, retrieval_figures
from pretrain.probes.video_files import VideoFiles
from pretrain.probes.viewing import Viewing, stated

WINDOWS = 4
"""Of each clip, as in the published evaluation of MIL-NCE."""


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """R@1, R@5, R@10 and the median rank of the right clip, for each caption among all clips.

    A clip is the mean of the embeddings of its windows; it is compared with captions by dot products.
    """

    captions: Path
    """Table of clips: video_id, start, end, text (YouCook2) or video_id, sentence (MSR-VTT)."""
    viewing: Viewing = field(default_factory=lambda: Viewing(windows=WINDOWS))
    processes: int = 0
    """Processes that read videos; by default as many as there are processors."""

    def __call__(self, encoder: Encoder, folder: Path, *, seed: int = 0) -> Outcome:
        """Figures of the clips that can be read; nothing is random.

        Raises:
            ProbeError: an unreadable table, fewer than two clips that can be read, or captions of unknown words only.
        """
        listed = read_captioned(self.captions)
        clips, skipped = _found(listed, VideoFiles(folder))
        wanted = [clip for clip, _ in clips]
        embeddings, captions = [], []
        for (_, caption), codes in zip(
            clips, encoded(encoder, wanted, self.viewing, processes=self.processes), strict=True
        ):
            if isinstance(codes, Skipped):
                skipped.append(codes)
            else:
                embeddings.append(codes.embedding.mean(axis=0))
                captions.append(caption)
        enough(len(captions), len(listed), skipped, "clips", least=2)
        text = text_embeddings(encoder, captions)
        rank = ranks(text @ np.array(embeddings, np.float64).T, np.arange(len(captions)))
        return Outcome(
            probe="retrieval",
            encoder=named(encoder),
            figures=retrieval_figures(rank),
            costless={"chance": chance_of_retrieval(len(captions))},
            counts={
                "clips": len(captions),
                "clips listed": len(listed),
                "captions without a known word": int((~text.any(axis=1)).sum()),
            },
            preprocessing=stated(self.viewing, encoder.sampling)
            | {"clip": "mean embedding of its windows", "score": "dot product", "ties": "share the mean rank"},
            skipped=tuple(skipped),
        )


def text_embeddings(encoder: Encoder, sentences: Sequence[str]) -> Float[np.ndarray, "N D"]:
    """Embeddings of sentences; zeros, which say nothing, for those of which the encoder knows no word.

    Raises:
        ProbeError: it knows no word of any of them.
    """
    known = np.asarray(encoder.knows(sentences), bool)
    if not known.any():
        raise ProbeError(f"{encoder.name}: knows no word of {len(sentences)} sentences; the first: {sentences[0]!r}")
    some = [sentence for sentence, there in zip(sentences, known, strict=True) if there]
    found = np.asarray(encoder.encode_sentences(some), np.float64)
    text = np.zeros((len(sentences), found.shape[1]))
    text[known] = found
    return text


def _found(listed: list[Captioned], files: VideoFiles) -> tuple[list[tuple[Wanted, str]], list[Skipped]]:
    clips, skipped = [], []
    for clip in listed:
        path = files.find(clip.video)
        if isinstance(path, str):
            skipped.append(Skipped(clip.video, path))
        else:
            clips.append((Wanted(name=clip.video, path=path, stretch=clip.stretch), clip.caption))
    return clips, skipped
