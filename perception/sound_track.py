"""Sound of one channel, written beside the pictures of a video."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float


class Sound(NamedTuple):
    """One channel of sound."""

    wave: Float[np.ndarray, "N"]
    """From -1 to 1."""
    rate: int
    """Samples a second, one that AAC knows."""


class SoundTrack:
    """One channel of sound in an open container, written beside its pictures as they come."""

    BLOCK = 1024
    """Samples that AAC encodes together."""
    _BITS = 48_000
    """Bits a second."""

    def __init__(self, container: Any, rate: int) -> None:
        """Add a stream of AAC to a container to which nothing has been written yet; `rate` in samples a second."""
        self._container, self._rate = container, rate
        self._stream: Any = container.add_stream("aac", rate=rate, layout="mono")
        self._stream.bit_rate = self._BITS
        self.written = 0
        """Samples so far."""

    def write(self, wave: Float[np.ndarray, "N"]) -> None:
        """Append samples from -1 to 1, `BLOCK` of them but at the end."""
        import av

        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[None], np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self.written, Fraction(1, self._rate)
        self._container.mux(self._stream.encode(frame))
        self.written += len(wave)

    def end(self) -> None:
        """Write what the encoder still holds."""
        if self.written:
            self._container.mux(self._stream.encode())
