"""A clip from the network: yt-dlp downloads, PyAV joins and cuts, so that no FFmpeg program is needed."""

from __future__ import annotations

import logging
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from perception.section import cut, cut_captions, join
from perception.video import ClipError, open_clip
from records import Clip

FORMATS = "bv*[height<=1080]/bv*,bestaudio"
"""The best picture up to 1080 lines, where the pose networks gain nothing more, and the best sound on its own."""

NAME = "%(id).80B.%(ext)s"
"""Name of a downloaded file, as yt-dlp writes templates: the video's identifier on its site, at most 80 bytes."""

CAPTION_FORMATS = ("vtt", "srt")

SOCKET_TIMEOUT = 15.0
"""Seconds without an answer after which a server counts as out of reach."""

RETRIES = 2

_log = logging.getLogger(__name__)


class FetchError(ValueError):
    """A clip that cannot be fetched; the message is one line that says why and what to do."""


def fetch(url: str, folder: Path, *, start: float | None = None, end: float | None = None) -> Clip:
    """Download a video with its sound and captions into a folder; all of it or, after an error, nothing.

    Captions lie beside the video as `NAME.LANGUAGE.vtt`: those that people wrote, else the automatic ones in the
    language that is spoken. Of a section the picture is cut exactly and encoded again, the sound and the captions are
    cut and shifted with it; the whole video is downloaded for that.

    Args:
        url: address of one video that yt-dlp knows how to find.
        folder: where the files go; made if it is missing.
        start: first moment of the section [s].
        end: last moment of the section [s].

    Raises:
        FetchError: no such address, no network, not one finished video, an empty section, or a folder that cannot be
            written.
    """
    _check(url, start, end)
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-")
    except OSError as error:
        raise FetchError(f"{folder}: cannot be written ({error.strerror}); name another folder") from error
    with scratch as name:
        video, captions = _download(url, Path(name))
        if start is not None or end is not None:
            video, captions = _section(url, video, captions, start, end)
        for file in (*captions, video):
            file.replace(folder / file.name)
    return open_clip(folder / video.name)


def _section(
    url: str, video: Path, captions: list[Path], start: float | None, end: float | None
) -> tuple[Path, list[Path]]:
    try:
        clip = open_clip(video, start=start, end=end)
        first = clip.start / clip.fps
        last = first + clip.num_frames / clip.fps
        part = cut(clip, video.with_name(f"{video.stem}_{first:.2f}-{last:.2f}s"))
    except ClipError as error:
        raise FetchError(f"{url}: {str(error).removeprefix(f'{video}: ')}") from error
    parts = []
    for file in captions:
        words = cut_captions(file.read_text(encoding="utf-8"), first, last)
        parts.append(part.with_name(f"{part.stem}{_language(file)}"))
        parts[-1].write_text(words, encoding="utf-8")
    return part, parts


def _check(url: str, start: float | None, end: float | None) -> None:
    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        raise FetchError(
            f"{url}: not an http or https address; a file of your own needs no fetching, use it as the CLIP"
        )
    if not 0 <= (start or 0.0) < (end if end is not None else float("inf")):
        raise FetchError(
            f"--start {start or 0:g} --end {end}: a section starts at 0 s or later and ends after its start"
        )


def _download(url: str, scratch: Path) -> tuple[Path, list[Path]]:
    """Fetch into an empty folder: the video, sound joined to it, and its caption files."""
    import yt_dlp
    from yt_dlp.utils import YoutubeDLError

    options = {
        "format": FORMATS,
        "outtmpl": str(scratch / "%(format_id)s" / NAME),
        "restrictfilenames": True,
        "noplaylist": True,
        "noprogress": True,
        "nopart": True,
        "cachedir": False,
        "fixup": "never",
        "socket_timeout": SOCKET_TIMEOUT,
        "retries": RETRIES,
        "extractor_retries": RETRIES,
        "fragment_retries": RETRIES,
        "subtitlesformat": "/".join(CAPTION_FORMATS),
        "logger": _Subdued(),
    }
    try:
        with yt_dlp.YoutubeDL(options) as downloader:
            info = _one_video(url, downloader.extract_info(url, download=False))
            downloader.process_ie_result(info, download=True)
            streams = sorted(file for file in scratch.glob("*/*") if file.is_file())
            captions = _captions(downloader, info, scratch)
    except (YoutubeDLError, OSError) as error:
        raise FetchError(f"{url}: cannot be fetched ({_reason(error)}); check the address and the network") from error
    pictures, sounds = _sorted_by_kind(streams)
    if not pictures:
        raise FetchError(f"{url}: there is no video behind this address; give the address of a page or file with one")
    name = pictures[0].stem
    if sounds:
        video = join(pictures[0], sounds[0], scratch / name)
    else:
        video = pictures[0].replace(scratch / f"{name}{pictures[0].suffix}")
    return video, [file.replace(scratch / f"{name}{_language(file)}") for file in captions]


class _Subdued:
    """Takes what yt-dlp says: its errors come as exceptions too, and its advice is for its own command line."""

    def debug(self, message: str) -> None:
        """Keep it for whoever looks for a cause."""
        _log.debug("%s", message)

    info = warning = error = debug


def _one_video(url: str, info: dict[str, Any] | None) -> dict[str, Any]:
    while info is not None and "entries" in info:
        entries = list(info["entries"])
        if len(entries) != 1:
            raise FetchError(f"{url}: a list of {len(entries)} videos; give the address of one of them")
        info = entries[0]
    if info is None:
        raise FetchError(f"{url}: there is no video behind this address")
    if info.get("is_live"):
        raise FetchError(f"{url}: a live stream has no end; fetch its recording when it is over")
    return info


def _sorted_by_kind(files: list[Path]) -> tuple[list[Path], list[Path]]:
    """Files with a picture, the largest first, and files with sound only."""
    import av

    pictures, sounds = [], []
    for file in sorted(files, key=lambda f: -f.stat().st_size):
        try:
            with av.open(str(file)) as container:
                if container.streams.video:
                    pictures.append(file)
                elif container.streams.audio:
                    sounds.append(file)
        except (av.FFmpegError, OSError, ValueError) as error:
            _log.warning("%s: what was downloaded is no video (%s)", file.name, error)
    return pictures, sounds


def _captions(downloader: Any, info: dict[str, Any], scratch: Path) -> list[Path]:
    """Download captions; a video without them, or whose captions cannot be had, is fetched all the same."""
    written = [
        language for language in info.get("subtitles") or {} if language not in ("live_chat", "danmaku", "rechat")
    ]
    spoken = str(info.get("language") or "en")
    automatic = info.get("automatic_captions") or {}
    heard = [language for language in (f"{spoken}-orig", spoken) if language in automatic][:1]
    languages = written or heard
    if not languages:
        return []
    from yt_dlp.utils import YoutubeDLError

    folder = scratch / "captions"
    folder.mkdir()
    kept = dict(downloader.params)
    downloader.params.update(
        format=FORMATS.partition(",")[0],
        outtmpl={"default": str(folder / NAME)},
        skip_download=True,
        writesubtitles=bool(written),
        writeautomaticsub=not written,
        subtitleslangs=[re.escape(language) for language in languages],
    )
    try:
        downloader.process_ie_result({**info, "requested_subtitles": None}, download=True)
    except YoutubeDLError as error:
        _log.warning("captions could not be fetched: %s", _reason(error))
    finally:
        downloader.params.update(kept)
    return sorted(file for file in folder.iterdir() if file.suffix[1:] in CAPTION_FORMATS)


def _language(captions: Path) -> str:
    """The end of a caption file's name: `.en.vtt`."""
    return "".join(captions.suffixes[-2:])


def _reason(error: Exception) -> str:
    """The cause in one short line, without yt-dlp's prefixes and advice."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).removeprefix("ERROR: ")
    text = re.sub(r"^\[[^\]]+\] (\S+: )?", "", text)
    return re.split(r" \(caused by|; please report|\. Use --|\n", text)[0]
