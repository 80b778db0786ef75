"""One narrated video on its way into a shard: transcoded, and what is said beside it, in files of their own."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from perception.video import ClipError
from pretrain.captions import CaptionError
from pretrain.forward import remarks
from pretrain.narration import NarratedVideo, Skipped
from pretrain.transcode import Encoding, transcode
from records.atomic import atomic_path, write_json

_KEY_LENGTH = 80
"""Of the readable part of a key; longer ones are cut."""


class Staged(NamedTuple):
    """A video that is made but not yet in a shard."""

    video: Path
    text: Path
    notes: tuple[Skipped, ...] = ()
    """Captions that were not used, and damage to the video."""


@dataclass(frozen=True)
class Job:
    """A video that is to be made."""

    video: NarratedVideo
    identity: str
    """See `identity_of`."""
    folder: Path
    """Of the files."""
    encoding: Encoding

    @property
    def key(self) -> str:
        """Of the video in its shard, and name of its files."""
        return key_of(self.video.name)


def stage(job: Job) -> Staged | Skipped:
    """Transcode a video and write what is said beside it; the text comes last and says that both are whole."""
    video, text = job.folder / f"{job.key}.mp4", job.folder / f"{job.key}.json"
    source = job.video.path
    try:
        if text.is_file() and json.loads(text.read_text(encoding="utf-8"))["identity"] == job.identity:
            return Staged(video, text)
        job.video.narration(math.inf)  # without captions nothing need be transcoded
        with atomic_path(video) as temporary, open(temporary, "wb") as file:
            encoded = transcode(source, file, job.encoding)
        duration = encoded.frames / job.encoding.fps
        said, notes = job.video.narration(duration)
    except (ClipError, CaptionError) as error:
        return Skipped(str(source), str(error).removeprefix(f"{source}: "))
    except OSError:
        raise
    except Exception as error:
        return Skipped(str(source), f"failed with {type(error).__name__}: {error}")
    notes += [Skipped(str(source), remark) for remark in remarks(encoded.damaged, encoded.missing)]
    if encoded.silent_from is not None:
        reason = f"used, but its sound cannot be decoded after {encoded.silent_from:.1f} s"
        notes.append(Skipped(str(source), reason))
    columns = {
        "text": list(said.labels),
        "start": said.interval[:, 0].tolist(),
        "end": said.interval[:, 1].tolist(),
        "confidence": said.confidence.tolist(),
    }
    facts = {
        "duration": duration,
        "fps": job.encoding.fps,
        "size_hw": encoded.size_hw,
        "source": job.video.name,
        "identity": job.identity,
    }
    write_json(text, columns | facts)
    return Staged(video, text, tuple(notes))


def key_of(name: str) -> str:
    """Key of a video in a shard: its name, where that has no dot, slash or blank; else made readable, and unique."""
    readable = re.sub(r"[^\w-]", "_", name)[:_KEY_LENGTH]
    return name if readable == name else f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def identity_of(video: NarratedVideo) -> str:
    """Changes when the video, its captions or their number change."""
    files = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in (video.path, *video.captions)]
    return hashlib.sha256(json.dumps([files, video.columns]).encode()).hexdigest()[:16]
