"""A picture of what the generated corpus shows: every action as a strip of frames, its partner to the right of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from pretrain.corpus.labelled import PROBES, LabelledClips
from pretrain.corpus.options import CorpusOptions
from pretrain.sampling import Sampling

_GAP = 2
"""White between pictures [px]."""


def contact_sheet(options: CorpusOptions, *, size: int = 80, frames: int = 6) -> UInt8[np.ndarray, "H W 3"]:
    """Strips of one clip of every action, in order of `options.actions`; things take turns."""
    longest = options.lasting[1] * frames / (frames - 1)
    sampling = Sampling(frames=frames, fps=frames / longest, size=size, crop=1.0, shortest=longest)
    options = replace(options, sampling=sampling, lasting=(options.lasting[1],) * 2)
    changes = len(options.actions) // 2
    clips = LabelledClips(options, 2 * changes * len(options.objects), seed=PROBES)
    rows = []
    for change in range(changes):
        pair = change + changes * (change % len(options.objects))
        # The partner has another thing, so that not only its direction differs.
        other = change + changes * ((change + changes) % len(options.objects))
        rows.append(np.hstack([_strip(clips[2 * pair].frames), _strip(clips[2 * other + 1].frames)]))
    return np.vstack(rows)


def _strip(frames: np.ndarray) -> np.ndarray:
    return np.hstack(list(np.pad(frames, ((0, 0), (0, _GAP), (0, _GAP), (0, 0)), constant_values=255)))
