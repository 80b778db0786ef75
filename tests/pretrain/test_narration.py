"""Narrated videos: which captions belong to which video, the layout of HowTo100M, what is skipped and why."""

import csv
import json
from fractions import Fraction
from pathlib import Path

import av
import pytest
from films import write_film, write_srt

from pretrain.captions import CaptionError
from pretrain.captions.embedded import read_embedded
from pretrain.narration import NarrationError, find_narrated, read_howto100m

REAL = Path(__file__).parents[2].parent / "shared/data/pretrain/narrated_clip/nasa_13013.mp4"

SENTENCES = [(0.0, 1.0, "take a cup"), (1.0, 2.0, "pour")]


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_captions_are_found_beside_their_video(tmp_path):
    touch(tmp_path, "a.mp4", "a.de.vtt", "a.en.vtt", "a.srt", "a.info.json", "b c.webm", "sub/a.mkv", "sub/a.csv")
    touch(tmp_path, ".hidden/d.mp4", "alone.srt", "table.csv", "a.mkv", "b c.live_chat.json", "x.part.vtt")
    videos, skipped = find_narrated(tmp_path)
    assert {video.name: [path.name for path in video.captions] for video in videos} == {
        "a": ["a.en.vtt", "a.de.vtt", "a.srt"],
        "b c": [],
        "sub/a": ["a.csv"],
    }
    assert {Path(s.file).name: s.reason for s in skipped} == {
        "a.mp4": "a.mkv has the same name and is used",
        "alone.srt": "captions without a video of this name beside them",
        "x.part.vtt": "captions without a video of this name beside them",
    }


def test_a_broken_caption_file_gives_way_to_the_next(tmp_path):
    touch(tmp_path, "a.mp4", "a.vtt")
    write_srt(tmp_path / "a.srt", SENTENCES)
    said, skipped = find_narrated(tmp_path)[0][0].narration(1.5)
    assert said.labels == ("take a cup", "pour")
    assert said.interval[-1, 1] == 1.5
    assert [(Path(s.file).name, s.reason[:6]) for s in skipped] == [("a.vtt", "no cue")]


def test_a_video_without_captions_says_so(tmp_path):
    write_film(tmp_path / "a.mp4", seconds=0.5)
    touch(tmp_path, "b.mp4", "b.vtt")
    silent, broken = find_narrated(tmp_path)[0]
    with pytest.raises(CaptionError, match="no captions beside it, and none within it"):
        silent.narration(1.0)
    with pytest.raises(CaptionError, match=r"^b\.vtt: no cue"):
        broken.narration(1.0)


@pytest.mark.parametrize("name", ["none", "empty"])
def test_a_folder_without_videos_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NarrationError, match=name):
        find_narrated(tmp_path / name)


def howto(folder, *, one_file):
    """A table of five rows: a and b are there, b stands twice, c has no captions, d no video."""
    (folder / "videos").mkdir()
    for name in ("a.mp4", "b.webm", "c.mp4"):
        touch(folder / "videos", name)
    with open(folder / "howto.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["video_id", "task_id"], ["a", 1], ["b", 2], ["b", 3], ["c", 4], ["d", 5]])
    columns = {"start": [0.0, 1.0], "end": [1.0, 2.0], "text": ["take a cup", "pour"]}
    if one_file:
        (folder / "caption.json").write_text(json.dumps({"a": columns, "b": columns}))
        return folder / "caption.json"
    (folder / "captions").mkdir()
    for name in "ab":
        (folder / "captions" / f"{name}.csv").write_text("start,end,text\n0,1,take a cup\n1,2,pour\n")
    return folder / "captions"


@pytest.mark.parametrize("one_file", [True, False])
def test_the_layout_of_howto100m(tmp_path, one_file):
    captions = howto(tmp_path, one_file=one_file)
    videos, skipped = read_howto100m(tmp_path / "howto.csv", tmp_path / "videos", captions)
    told = [video for video in videos if video.name in "ab"]
    assert [video.path.name for video in told] == ["a.mp4", "b.webm"]
    for video in told:
        assert video.narration(9.0)[0].labels == ("take a cup", "pour")
    missing = {s.file for s in skipped} | {video.name for video in videos if video.name not in "ab"}
    assert missing == {"c", "d"}


def test_a_table_of_another_kind_is_an_error(tmp_path):
    (tmp_path / "t.csv").write_text("name\nx\n")
    with pytest.raises(NarrationError, match=r"t\.csv: no column video_id or video_path; it has \['name'\]"):
        read_howto100m(tmp_path / "t.csv", tmp_path, tmp_path)


HEADER = b"[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n[Events]\n"
"""Of SubStation Alpha, which FFmpeg's encoder of text wants."""


def write_subtitles(path, **streams):
    """A file (.mkv) with one subtitle from 1.0 to 1.5 s in each stream, by codec: its language and content."""
    with av.open(str(path), "w") as container:
        for codec, (language, content) in streams.items():
            stream = container.add_stream(codec)
            stream.metadata["language"] = language
            if codec == "subrip":
                stream.codec_context.subtitle_header = HEADER
            packet = av.Packet(content)
            packet.pts, packet.dts, packet.duration, packet.time_base = 1000, 1000, 500, Fraction(1, 1000)
            packet.stream = stream
            streams[codec] = packet
        for packet in streams.values():
            container.mux(packet)
    return path


def test_subtitles_that_are_pictures_are_passed_over(tmp_path):
    pictures = "eng", b"\0\4\0\4"
    said = read_embedded(write_subtitles(tmp_path / "a.mkv", dvdsub=pictures, subrip=("fra", b"pour")))
    assert [(s.end - s.start, s.text) for s in said] == [(0.5, "pour")]
    with pytest.raises(CaptionError, match="those within it are pictures, not text"):
        read_embedded(write_subtitles(tmp_path / "b.mkv", dvdsub=pictures))


def test_subtitles_within_a_real_video():
    if not REAL.is_file():
        pytest.skip("needs ../shared/data")
    video = find_narrated(REAL.parent)[0][0]
    with av.open(str(REAL)) as container:
        duration = container.duration / av.time_base
    said, skipped = video.narration(duration)
    assert not skipped
    assert said.labels[1] == "space telescope in one of the largest cleanrooms in the world"
    assert said.interval[0].tolist() == [0.21, 4.26]
    assert said.interval[-1, 1] == duration
    assert len(said.labels) == 4
