"""Media files joined and cut without an FFmpeg program: the picture exactly, sound and captions along with it."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perception.video import read_frames, write_video
from records import Clip
from records.atomic import atomic_path

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet

SECTION_QUALITY = 18
"""x264's constant rate factor of a cut picture: its losses cannot be seen, nor do they move keypoints."""

_CUE = re.compile(r"^(?P<start>[\d:.,]+) +--> +(?P<end>[\d:.,]+)(?P<settings>.*)$")


def join(picture: Path, sound: Path, target: Path, *, start: float = 0.0, end: float = float("inf")) -> Path:
    """Put a picture and a sound into one file, without encoding either again.

    Args:
        picture: file whose video stream is taken.
        sound: file whose audio stream is taken, where it has one.
        target: where to write, without a suffix: it gets `.mp4`, or `.mkv` where MP4 cannot hold the streams.
        start: moment of the sound [s] that becomes its first.
        end: last moment of the sound [s].

    Returns:
        The file written.
    """
    import av

    with av.open(str(picture)) as seen, av.open(str(sound)) as heard:
        streams: list[Any] = [seen.streams.video[0]]
        audio = next(iter(heard.streams.audio), None)
        if audio is not None:
            streams.append(audio)
        with atomic_path(target.with_name(f"{target.name}.{_format(streams)}")) as path:
            with av.open(str(path), "w") as container:
                copies = [container.add_stream_from_template(stream) for stream in streams]
                packets = [_packets(seen, streams[0], 0, 0.0, float("inf"))]
                if audio is not None:
                    packets.append(_packets(heard, audio, 1, start, end))
                # In the order of time, so that the muxer need not hold one stream until the other comes.
                for _, which, packet in heapq.merge(*packets, key=lambda item: item[0]):
                    packet.stream = copies[which]
                    container.mux(packet)
            written = target.with_name(f"{target.name}{path.suffix}")
    return written


def cut(clip: Clip, target: Path) -> Path:
    """Write the stretch that a clip covers, exactly from its first frame, with its file's sound; see `join`."""
    silent = target.with_name(f"{target.name}.silent.mp4")
    try:
        write_video(silent, read_frames(clip), clip.fps, quality=SECTION_QUALITY)
        start = clip.start / clip.fps
        return join(silent, Path(clip.path), target, start=start, end=start + clip.num_frames / clip.fps)
    finally:
        silent.unlink(missing_ok=True)


def cut_captions(text: str, start: float, end: float) -> str:
    """Keep what WebVTT or SubRip captions say between two moments [s], with times counted from the first."""
    blocks = re.split(r"\n{2,}", text.replace("\r\n", "\n").strip())
    kept = [block for block in (_cut_block(block, start, end) for block in blocks) if block is not None]
    return "\n\n".join(kept) + "\n"


def _cut_block(block: str, start: float, end: float) -> str | None:
    """One block of a caption file, its cue shifted; None where the cue lies outside. Headers and notes stay."""
    lines = block.split("\n")
    for index, line in enumerate(lines):
        cue = _CUE.match(line)
        if cue is None:
            continue
        first, last = _seconds(cue["start"]), _seconds(cue["end"])
        if last <= start or first >= end:
            return None
        times = f"{_clock(max(first, start) - start)} --> {_clock(min(last, end) - start)}"
        lines[index] = (times.replace(".", ",") if "," in cue["start"] else times) + cue["settings"]
        break
    return "\n".join(lines)


def _seconds(clock: str) -> float:
    """Seconds of `[hours:]minutes:seconds.milliseconds`."""
    total = 0.0
    for part in clock.replace(",", ".").split(":"):
        total = 60 * total + float(part)
    return total


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest / 1000:06.3f}"


def _format(streams: list[Any]) -> str:
    """Container for some streams."""
    import io

    import av

    with av.open(io.BytesIO(), "w", format="mp4") as container:
        fits = all(stream.codec_context.name in container.supported_codecs for stream in streams)
    return "mp4" if fits else "mkv"


def _packets(
    container: InputContainer, stream: Any, which: int, start: float, end: float
) -> Iterator[tuple[float, int, Packet]]:
    """Packets shown from `start` on and before `end` [s], timed from `start`: (decoding time [s], which, packet)."""
    base = float(stream.time_base)
    origin = stream.start_time or 0
    shift = origin + round(start / base)
    for packet in container.demux(stream):
        if packet.dts is None or packet.pts is None:
            continue
        moment = (packet.pts - origin) * base
        if moment < start:
            continue
        if moment >= end:
            return
        packet.pts -= shift
        packet.dts -= shift
        yield packet.dts * base, which, packet
