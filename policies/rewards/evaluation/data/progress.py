"""Progress of each frame, as LeRobot keeps it beside a dataset: index, episode_index, frame_index, progress_sparse.

`progress_sparse` is what a reward says of a frame, on a scale from 0 (its 5 % quantile over all frames) to 1 (its
95 % quantile), clipped. The first frame of an episode, to which no step leads, has that of the second.
`progress_dense` is its running maximum: how far the episode had come.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from policies.rewards.evaluation.canonical.pearson import refuse_constant
from policies.rewards.evaluation.data.reading import Dataset
from policies.rewards.reward import Reward, judge, levels
from records.atomic import atomic_path

QUANTILES = (0.05, 0.95)


def progress_of(rewards: Sequence[Float[np.ndarray, "_"]], name: str = "reward") -> list[Float[np.ndarray, "_"]]:
    """Progress in [0, 1] of the T + 1 frames of each episode.

    Raises:
        ConstantRewardError: the reward says the same of all frames.
    """
    together = np.concatenate(rewards)
    refuse_constant(name, together)
    low, high = np.quantile(together, QUANTILES)
    if high <= low:
        low, high = together.min(), together.max()
    return [np.clip((np.append(r[:1], r) - low) / (high - low), 0, 1) for r in rewards]


def write_progress(reward: Reward, data: Dataset, path: Path) -> int:
    """Write the parquet file; returns the number of frames.

    Episodes and frames have the numbers that they have in the whole of the data.

    Raises:
        RewardError: the reward cannot judge an episode, or is the same everywhere.
    """
    import pyarrow as pa
    from pyarrow import parquet

    found = progress_of([levels(reward, judge(reward, episode)) for episode in data.episodes], reward.name)
    length = [len(progress) for progress in found]
    frame = np.concatenate([np.arange(n) for n in length])
    place = np.repeat(np.array(data.placed()), length, axis=0)
    sparse = np.concatenate(found)
    table = pa.table(
        {
            "index": pa.array(place[:, 1] + frame, pa.int64()),
            "episode_index": pa.array(place[:, 0], pa.int64()),
            "frame_index": pa.array(frame, pa.int64()),
            "progress_sparse": pa.array(sparse.astype(np.float32), pa.float32()),
            "progress_dense": pa.array(
                np.concatenate([np.maximum.accumulate(p) for p in found]).astype(np.float32), pa.float32()
            ),
        }
    )
    with atomic_path(path) as temporary:
        parquet.write_table(table, temporary)
    return len(sparse)
