from __future__ import annotations

import subprocess
import sys
import tracemalloc
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from films import write_turned

from perception.video import ClipError, open_clip, pixel_aspect, read_frame, read_frames, write_video

DATA = Path(__file__).parents[2].parent / "shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")


def numbered(count, size=(48, 64)):
    """Frames whose brightness tells their number: 10 grey levels a frame."""
    for k in range(count):
        yield np.full((*size, 3), 10 + 10 * k, np.uint8)


def numbers(clip):
    return [round((image.mean() - 10) / 10) for image in read_frames(clip)]


def test_frames_come_back_in_order_at_the_written_rate(tmp_path):
    clip = open_clip(write_video(tmp_path / "a.mp4", numbered(20), 30000 / 1001))
    assert (clip.num_frames, clip.size_hw) == (20, (48, 64))
    assert clip.fps == pytest.approx(30000 / 1001)
    assert numbers(clip) == list(range(20))


def test_a_stretch_and_a_single_frame(tmp_path):
    path = write_video(tmp_path / "a.mp4", numbered(20), 10)
    clip = open_clip(path, start=0.5, end=1.2)
    assert numbers(clip) == list(range(5, 12))
    assert round((read_frame(clip, 2).mean() - 10) / 10) == 7
    with pytest.raises(ClipError, match="frame 7 is not in"):
        read_frame(clip, 7)
    with pytest.raises(ClipError, match=r"nothing between 3 s and None s; the clip lasts 2\.00 s"):
        open_clip(path, start=3)


def test_the_true_rate_overrides_the_header_and_keeps_every_frame(tmp_path):
    clip = open_clip(write_video(tmp_path / "a.mp4", numbered(20), 10), fps=25)
    assert clip.fps == 25
    assert numbers(clip) == list(range(20))
    with pytest.raises(ClipError, match="must be positive"):
        open_clip(clip.path, fps=0)


def test_odd_sizes_are_padded(tmp_path):
    clip = open_clip(write_video(tmp_path / "a.mp4", numbered(3, (47, 63)), 10))
    assert clip.size_hw == (48, 64)


def test_an_odd_size_is_read_as_it_is(tmp_path):
    path = tmp_path / "odd.mkv"
    ramp = np.broadcast_to(np.arange(63, dtype=np.uint8)[None, :, None] * 4, (47, 63, 3))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.options = 63, 47, "yuv444p", {"crf": "10"}
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(ramp), format="rgb24")))
        container.mux(stream.encode())
    clip = open_clip(path)
    assert clip.size_hw == (47, 63)
    image = read_frame(clip, 1)
    assert image.flags.c_contiguous
    assert np.abs(image.astype(int) - ramp).mean() < 3


def test_a_single_frame_is_a_clip(tmp_path):
    clip = open_clip(write_video(tmp_path / "a.mp4", numbered(1), 10))
    assert clip.num_frames == 1
    assert numbers(clip) == [0]


def test_variable_rate_is_read_on_a_regular_grid(tmp_path):
    path, stamps = tmp_path / "vfr.mp4", [0, 1, 2, 3, 7, 8, 9, 10]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 10)
        for image, stamp in zip(numbered(8), stamps, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    clip = open_clip(path)
    assert clip.fps == pytest.approx(7.0)
    moments = np.arange(clip.num_frames) / clip.fps
    expected = [int(np.abs(np.array(stamps) / 10 - t).argmin()) for t in moments]
    assert numbers(clip) == expected


def test_rotation_metadata_is_applied(tmp_path):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = 255
    turned = write_turned(tmp_path / "turned.mp4", image)
    clip = open_clip(turned)
    assert clip.size_hw == (64, 48)
    upright = read_frame(clip, 0)
    assert upright[:32, 24:].mean() > 250, "what was at the top left is at the top right after a quarter turn clockwise"


def test_a_truncated_file_gives_what_can_be_decoded(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "a.mkv"
    write_video(path, (rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(30)), 10)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    clip = open_clip(path)
    assert 5 < clip.num_frames < 30
    assert sum(1 for _ in read_frames(clip)) == clip.num_frames


def test_a_file_cut_before_its_index_is_one_clear_line(tmp_path):
    path = write_video(tmp_path / "a.mp4", numbered(20), 10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ClipError, match=r"a\.mp4: cannot be read as video"):
        open_clip(path)


def test_a_video_without_frames(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    with pytest.raises(ClipError, match=r"a\.mkv: (has no frames|cannot be read as video)"):
        open_clip(path)


@pytest.mark.parametrize("content", [b"", b"not a video" * 100])
def test_a_file_that_is_no_video_is_one_clear_line(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(ClipError, match=r"a\.mp4: cannot be read as video") as caught:
        open_clip(path)
    assert "\n" not in str(caught.value)


def test_missing_files_sound_files_and_empty_videos(tmp_path):
    with pytest.raises(ClipError, match="no such file"):
        open_clip(tmp_path / "none.mp4")
    with pytest.raises(ClipError, match="no frames to write"):
        write_video(tmp_path / "a.mp4", [], 10)
    assert not list(tmp_path.iterdir()), "nothing is left of a video that could not be written"
    sound = tmp_path / "a.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    with pytest.raises(ClipError, match="has no video stream"):
        open_clip(sound)


def test_memory_does_not_grow_with_the_length(tmp_path):
    path = write_video(tmp_path / "a.mp4", (np.zeros((480, 640, 3), np.uint8) for _ in range(60)), 10)
    clip = open_clip(path)
    tracemalloc.start()
    assert sum(1 for _ in read_frames(clip)) == 60
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 480 * 640 * 3


@pytest.mark.slow
def test_an_hour_is_read_in_the_memory_of_a_minute(tmp_path):
    path = write_video(tmp_path / "hour.mp4", (np.full((48, 64, 3), k % 251, np.uint8) for k in range(36_000)), 10)
    clip = open_clip(path)
    assert clip.num_frames == 36_000
    minute = resident_after(clip.replace(num_frames=600))
    assert resident_after(clip) - minute < 20_000, "kB: an hour of frames would be 330 MB"


def resident_after(clip):
    """Largest resident memory [kB] of a process of its own that reads a clip."""
    code = (
        "import resource, sys; from perception.video import read_frames; from records import Clip;"
        "n = sum(1 for _ in read_frames(Clip.load(sys.argv[1])));"
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    record = clip.save(Path(clip.path).with_suffix(".npz"))
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code, record], capture_output=True, text=True, check=True, cwd=root)
    count, peak = map(int, done.stdout.split())
    assert count == clip.num_frames
    return peak


@needs_data
def test_real_clips_with_lying_headers_and_oblong_pixels():
    clip = open_clip(DATA / "parkour/kv01_PKFC.mp4", fps=25)
    assert (clip.num_frames, clip.size_hw, clip.fps) == (34, (576, 720), 25)
    assert pixel_aspect(clip) == pytest.approx(16 / 15)
    assert open_clip(clip.path).fps == 10
    coffee = open_clip(DATA / "clips/coffee_pour/sam2_04_coffee.mp4")
    assert coffee.fps == pytest.approx(30000 / 1001)
    assert pixel_aspect(coffee) == 1
