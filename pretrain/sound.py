"""Sound of a file: one channel at any rate, through PyAV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from pretrain.soundtrack import in_blocks

SOUND_SUFFIXES = frozenset(".aac .flac .m4a .mp3 .oga .ogg .opus .wav".split())  # noqa: SIM905 - reads as a list
_BLOCK = 10.0
"""Sound that is decoded at a time [s]."""
_SILENT = 1e-4
"""What stays below this share of full scale [1] at the ends of a recording is padding."""


class SoundError(ValueError):
    """A file whose sound cannot be read."""


def read_sound(path: Path | str, rate: int) -> Float[np.ndarray, "N"]:
    """The first audio stream of a file, its channels averaged, in [-1, 1] (float32).

    Args:
        path: sound or video.
        rate: samples a second that are returned.

    Raises:
        SoundError: not there, without sound, empty, or damaged.
    """
    import av

    path = Path(path)
    if not path.is_file():
        raise SoundError(f"{path}: no such file")
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise SoundError(f"{path}: has no sound")
            parts = list(in_blocks(container, rate, _BLOCK))
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SoundError(f"{path}: its sound cannot be read ({reason})") from error
    if not parts:
        raise SoundError(f"{path}: its sound is empty")
    return np.concatenate(parts).astype(np.float32)


def looped(wave: Float[np.ndarray, "N"], length: int) -> Float[np.ndarray, "M"]:
    """A recording without the silence at its ends, repeated until it has `length` samples; a longer one is cut.

    Sets of short sounds pad them with zeros to a common length. A recording of nothing but silence stays as it is.
    """
    loud = np.flatnonzero(np.abs(wave) > _SILENT)
    heard = wave[loud[0] : loud[-1] + 1] if loud.size else wave
    return np.resize(heard, length)
