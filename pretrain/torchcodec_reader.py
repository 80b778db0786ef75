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
        return decoder_of(source, dimension_order="NHWC", seek_mode="approximate", transforms=transforms, device="cpu")

    try:
        decoder = opened()
        full = (decoder.metadata.height, decoder.metadata.width)
        size_hw = scaled(full, short_side)
        if size_hw != full:
            decoder = opened(resize(size_hw))
        return _picked(decoder, moments + origin, size_hw, name, origin)
    except (RuntimeError, ValueError, IndexError) as error:
        if isinstance(error, ClipError):
            raise
        reason = str(error).strip().partition("\n")[0]
        raise ClipError(f"{name}: torchcodec cannot decode it after {moments[0]:.2f} s ({reason})") from error


def _picked(decoder: Any, times: np.ndarray, size_hw: tuple[int, int], name: str, origin: float) -> np.ndarray:
    """Frames at ascending times [s] of the stream's own clock; those that are asked for again are not decoded again."""
    clip = np.empty((len(times), *size_hw, 3), np.uint8)
    begin, end = decoder.metadata.begin_stream_seconds, decoder.metadata.end_stream_seconds
    shown: Any = None
    for k, time in enumerate(times):
        if time - end > HELD:
            raise ClipError(f"{name}: ends at {end - origin:.2f} s, before {time - origin:.2f} s; it is cut short")
        asked = float(np.clip(time + INSTANT, begin, end - INSTANT))
        if shown is None or asked >= shown.pts_seconds + shown.duration_seconds:
            shown = decoder.get_frame_played_at(asked)
            clip[k] = shown.data.numpy()
        else:
            clip[k] = clip[k - 1]
    return clip


def _torchcodec() -> tuple[Any, Any]:
    """Its decoder and its scaling."""
    try:
        from torchcodec.decoders import VideoDecoder
        from torchcodec.transforms import Resize
    except (ImportError, OSError, RuntimeError) as error:
        missing = isinstance(error, ModuleNotFoundError)
        raise ReaderError(
            "the video reader torchcodec "
            + ("is not installed: pip install torchcodec==0.13.0" if missing else "cannot be loaded")
            + "; it needs the shared libraries of FFmpeg 4 to 8 (apt install ffmpeg); the reader pyav needs nothing"
        ) from error
    return VideoDecoder, Resize
