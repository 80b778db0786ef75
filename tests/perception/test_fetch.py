"""Fetching through yt-dlp from a server that the test runs itself."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import av
import numpy as np
import pytest

from perception.fetch import FetchError, fetch
from perception.video import read_frames, write_video

FPS = 10
CAPTIONS = """WEBVTT

00:00:00.000 --> 00:00:00.700
Take the hammer.

00:00:00.900 --> 00:00:01.400
Hit the nail.
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        pass


@pytest.fixture
def site(tmp_path) -> Iterator[tuple[Path, str]]:
    """A folder that is served, and its address."""
    root = tmp_path / "site"
    root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(root)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield root, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def picture(path: Path, count: int = 20) -> Path:
    """A video whose brightness tells the number of the frame: 10 grey levels a frame."""
    return write_video(path, (np.full((48, 64, 3), 10 + 10 * k, np.uint8) for k in range(count)), FPS)


def sound(path: Path, seconds: float = 2.0) -> Path:
    """A tone that becomes one octave higher after every half second."""
    rate = 16000
    t = np.arange(int(seconds * rate)) / rate
    wave = (0.5 * np.sin(2 * np.pi * 220 * 2 ** (t // 0.5) * t)).astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def numbers(clip) -> list[int]:
    return [round((image.mean() - 10) / 10) for image in read_frames(clip)]


def pitch(path: Path, start: float, end: float) -> float:
    """Frequency of the strongest tone between two moments [Hz]."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        wave = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(stream)])
        rate = stream.rate
    piece = wave[int(start * rate) : int(end * rate)]
    return float(np.fft.rfftfreq(len(piece), 1 / rate)[np.abs(np.fft.rfft(piece)).argmax()])


def test_a_video_file_is_fetched_as_it_is(site, tmp_path):
    root, address = site
    original = picture(root / "stroke.mp4")
    clip = fetch(f"{address}/stroke.mp4", tmp_path / "clips")
    assert Path(clip.path).read_bytes() == original.read_bytes()
    assert [file.name for file in (tmp_path / "clips").iterdir()] == ["stroke.mp4"]
    assert numbers(clip) == list(range(20))


def page(root: Path) -> None:
    (root / "stroke.en.vtt").write_text(CAPTIONS)
    (root / "page.html").write_text(
        "<html><head><title>How to hammer</title></head><body><video src='stroke.mp4'>"
        "<track kind='captions' srclang='en' src='stroke.en.vtt'></video></body></html>"
    )


def test_captions_of_a_page_lie_beside_its_video(site, tmp_path):
    root, address = site
    picture(root / "stroke.mp4")
    page(root)
    clip = fetch(f"{address}/page.html", tmp_path / "clips")
    video = Path(clip.path)
    files = sorted(file.name for file in video.parent.iterdir())
    assert files == sorted([video.name, f"{video.stem}.en.vtt"])
    assert (video.parent / f"{video.stem}.en.vtt").read_text() == CAPTIONS


def test_a_section_is_cut_exactly_and_its_captions_with_it(site, tmp_path):
    root, address = site
    picture(root / "stroke.mp4")
    page(root)
    clip = fetch(f"{address}/page.html", tmp_path / "clips", start=0.8, end=1.5)
    assert clip.start == 0
    assert numbers(clip) == list(range(8, 15))
    captions = Path(clip.path).with_suffix(".en.vtt").read_text()
    assert captions == "WEBVTT\n\n00:00:00.100 --> 00:00:00.600\nHit the nail.\n"


def test_captions_that_cannot_be_had_do_not_cost_the_video(site, tmp_path, caplog):
    root, address = site
    picture(root / "stroke.mp4")
    page(root)
    (root / "stroke.en.vtt").unlink()
    clip = fetch(f"{address}/page.html", tmp_path / "clips")
    assert [file.name for file in (tmp_path / "clips").iterdir()] == [Path(clip.path).name]
    assert "captions could not be fetched" in caplog.text


def test_picture_and_sound_that_come_apart_are_joined_and_cut_together(site, tmp_path):
    root, address = site
    picture(root / "picture.mp4")
    sound(root / "sound.m4a")
    representation = '<Representation id="{}" mimeType="{}" codecs="{}" bandwidth="9000" {}><BaseURL>{}</BaseURL>'
    sets = [
        ("1", "video/mp4", "avc1.64000a", 'width="64" height="48" frameRate="10"', "picture.mp4"),
        ("2", "audio/mp4", "mp4a.40.2", 'audioSamplingRate="16000"', "sound.m4a"),
    ]
    body = "".join(f"<AdaptationSet>{representation.format(*one)}</Representation></AdaptationSet>" for one in sets)
    (root / "stroke.mpd").write_text(
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"'
        ' mediaPresentationDuration="PT2S">'
        f"<Period>{body}</Period></MPD>"
    )
    whole = fetch(f"{address}/stroke.mpd", tmp_path / "clips")
    assert numbers(whole) == list(range(20))
    assert pitch(Path(whole.path), 1.1, 1.4) == pytest.approx(880, abs=5)
    part = fetch(f"{address}/stroke.mpd", tmp_path / "clips", start=1.0, end=1.6)
    assert numbers(part) == list(range(10, 16))
    assert pitch(Path(part.path), 0.1, 0.4) == pytest.approx(880, abs=5)
    assert sorted(file.name for file in (tmp_path / "clips").iterdir()) == ["stroke.mp4", "stroke_1.00-1.60s.mp4"]


@pytest.mark.parametrize(
    ("url", "section", "message"),
    [
        ("file:///stroke.mp4", {}, "not an http or https address"),
        ("stroke.mp4", {}, "use it as the CLIP"),
        ("https://example.org/a", {"start": 3.0, "end": 2.0}, "ends after its start"),
        ("https://example.org/a", {"start": -1.0}, "starts at 0 s or later"),
        ("{site}/none.mp4", {}, "404.*check the address"),
        ("{site}/text.html", {}, "cannot be fetched"),
        ("{site}/broken.mp4", {}, "there is no video behind this address"),
        ("{site}/stroke.mp4", {"start": 5.0}, r"nothing between 5.0 s and None s; the clip lasts 2.00 s"),
    ],
)
def test_what_cannot_be_fetched_is_one_clear_line_and_leaves_nothing(site, tmp_path, url, section, message):
    root, address = site
    picture(root / "stroke.mp4")
    (root / "text.html").write_text("<html><body>Nothing to see.</body></html>")
    (root / "broken.mp4").write_bytes(b"\0" * 5000)
    with pytest.raises(FetchError, match=message) as caught:
        fetch(url.format(site=address), tmp_path / "clips", **section)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
    assert not list((tmp_path / "clips").glob("**/*"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/stroke.mp4", "https://no-such-host.invalid/stroke.mp4"])
def test_without_a_network_the_answer_comes_at_once(tmp_path, url, caplog):
    began = time.monotonic()
    with pytest.raises(FetchError, match=r"cannot be fetched \(.*\); check the address and the network"):
        fetch(url, tmp_path)
    assert time.monotonic() - began < 10
    assert not caplog.records, "the one line is said once"
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "clips").write_text("a file")
    with pytest.raises(FetchError, match="cannot be written"):
        fetch("https://example.org/a", tmp_path / "clips")
