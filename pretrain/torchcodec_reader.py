"""Frames of a video at given moments, by torchcodec in place of PyAV; nothing is imported before the first video."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from perception.video import ClipError, open_container
from pretrain.frames import HELD, INSTANT, ReaderError, origin_of, scaled


def read_moments(
    source: Path | io.IOBase, moments: Float[np.ndarray, "T"], *, short_side: int, name: str | None = None
) -> UInt8[np.ndarray, "T H W 3"]:
    """What a video shows at ascending `moments` [s]; see `frames.read_moments`.

    The frames are the same. Where they are made smaller, that is by torchcodec's own filter (a triangle as wide as two
    pixels of what comes out), not by the mean over each pixel's area.

    Raises:
        ReaderError: torchcodec, or the shared libraries of FFmpeg that it needs, are not here.
        ClipError: not a video, damaged, or it ends before the moments do.
    """
    name = name or str(source)
    decoder_of, resize = _torchcodec()
    # torchcodec counts time as the stream does, and does not tell when the container starts.
    with open_container(source, name, threads=False) as container:
        origin = origin_of(container)

    def opened(*transforms: Any) -> Any:
        if isinstance(source, io.IOBase):
            source.seek(0)
        # The approximate mode shows the next frame in place of one that lasts longer than the header's mean rate says.
        return decoder_of(source, dimension_order="NHWC", seek_mode="exact", transforms=transforms, device="cpu")

    try:
        decoder = opened()
        full = (decoder.metadata.height, decoder.metadata.width)
        size_hw = scaled(full, short_side)
        if size_hw != full:
            decoder = opened(resize(size_hw))
        return _picked(decoder, moments + origin, name, origin)
    except (RuntimeError, ValueError, IndexError) as error:
        if isinstance(error, ClipError):
            raise
        reason = str(error).strip().partition("\n")[0]
        raise ClipError(f"{name}: torchcodec cannot decode it after {moments[0]:.2f} s ({reason})") from error


def _picked(decoder: Any, times: np.ndarray, name: str, origin: float) -> np.ndarray:
    """Frames at ascending times [s] of the stream's own clock."""
    begin, end = decoder.metadata.begin_stream_seconds, decoder.metadata.end_stream_seconds
    if (late := times[-1]) - end > HELD:
        raise ClipError(f"{name}: ends at {end - origin:.2f} s, before {late - origin:.2f} s; it is cut short")
    asked = np.clip(times + INSTANT, begin, end - INSTANT)
    return np.asarray(decoder.get_frames_played_at(asked.tolist()).data.numpy())


def _torchcodec() -> tuple[Any, Any]:
    """Its decoder and its scaling."""
    try:
        from torchcodec.decoders import VideoDecoder
        from torchcodec.transforms import Resize
    except (ImportError, OSError, RuntimeError) as error:
        missing = isinstance(error, ModuleNotFoundError)
        raise ReaderError(
            "the video reader torchcodec "
            + ("is not installed: pip install 'apprentice[torchcodec]'" if missing else "cannot be loaded")
            + "; it needs the shared libraries of FFmpeg 4 to 8 (apt install ffmpeg); the reader pyav needs nothing"
        ) from error
    return VideoDecoder, Resize
