"""Which examples make the batch of a step: a function of the step alone, so that a training resumes in mid-epoch."""

from __future__ import annotations

import numpy as np


class Order:
    """Every video once in an epoch, in an order of its own for each epoch.

    Examples are numbered as `pretrain.clips.NarratedClips` does: number n is a clip of video n mod N.
    """

    def __init__(self, videos: int, *, batch: int, clips: int = 1, seed: int = 0) -> None:
        """Lay out the batches.

        Args:
            videos: number N of the videos.
            batch: examples of a batch.
            clips: of them that are from the same video.
            seed: of the order.

        Raises:
            ValueError: a batch that is no multiple of the clips of a video.
        """
        if min(videos, batch, clips) < 1 or batch % clips:
            raise ValueError(f"batches of {batch} with {clips} clips of each of {videos} videos: not a multiple")
        self.videos, self.batch, self.clips, self.seed = videos, batch, clips, seed
        self._epoch, self._permuted = -1, np.zeros(0, np.int64)

    def numbers(self, step: int) -> list[int]:
        """Numbers of the examples of a step, clips of the same video one after the other."""
        found = []
        count = self.batch // self.clips
        for position in range(step * count, (step + 1) * count):
            epoch, place = divmod(position, self.videos)
            index = int(self._permutation(epoch)[place])
            found += [(epoch * self.clips + k) * self.videos + index for k in range(self.clips)]
        return found

    def _permutation(self, epoch: int) -> np.ndarray:
        if epoch != self._epoch:
            self._epoch, self._permuted = epoch, np.random.default_rng((self.seed, epoch)).permutation(self.videos)
        return self._permuted
