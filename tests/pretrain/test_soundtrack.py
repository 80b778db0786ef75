"""Sound on the clock of the pictures: a stretch of it, through shards, and of examples."""

from fractions import Fraction

import av
import numpy as np
import pytest
from films import write_film, write_srt

from perception.video import ClipError
from pretrain import staging
from pretrain import transcode as transcoding
from pretrain.clips import NarratedClips, VideoFolder
from pretrain.narration import find_narrated
from pretrain.prepare import prepare
from pretrain.sampling import Sampling
from pretrain.shards import Shards
from pretrain.soundtrack import in_blocks, read_stretch
from pretrain.transcode import Encoding, transcode

RATE = 16_000
BEEP = (1.2, 1.6)
"""When there is a tone of 440 Hz [s], in both channels but twice as loud in the right one."""


def write_video_with_sound(path, *, seconds=3.0, rate=44_100, delay=0.0):
    """Grey pictures and one beep; the audio stream starts `delay` seconds after the pictures."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = out.add_stream("aac", rate=rate, layout="stereo")
        for n in range(round(seconds * 10)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, 10)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        t = np.arange(round(delay * rate), round(seconds * rate)) / rate
        tone = np.where((t >= BEEP[0]) & (t < BEEP[1]), np.sin(2 * np.pi * 440 * t), 0)
        wave = np.stack([0.2 * tone, 0.4 * tone]).astype(np.float32)
        for first in range(0, wave.shape[1], 1024):
            part = np.ascontiguousarray(wave[:, first : first + 1024])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = rate, first + round(delay * rate), Fraction(1, rate)
            out.mux(audio.encode(frame))
        out.mux(audio.encode())
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_video_with_sound(tmp_path_factory.mktemp("sound") / "beep.mp4")


def heard(wave, start):
    """When sound begins and ends [s], and the amplitude of the tone between."""
    loud = np.flatnonzero(np.abs(wave) > 0.05)
    tone = wave[loud[0] : loud[-1]]
    middle = tone[len(tone) // 4 : -len(tone) // 4]
    return start + loud[0] / RATE, start + (loud[-1] + 1) / RATE, float(np.sqrt(2 * np.mean(middle**2)))


@pytest.mark.parametrize(("start", "seconds"), [(0.0, 3.0), (0.5, 1.5), (1.0, 1.0)])
def test_a_stretch_is_heard_when_it_is(film, start, seconds):
    wave = read_stretch(film, start, seconds, RATE)
    assert wave.shape == (round(seconds * RATE),)
    begins, ends, loudness = heard(wave, start)
    assert begins == pytest.approx(BEEP[0], abs=0.01)
    assert ends == pytest.approx(BEEP[1], abs=0.02)
    assert loudness == pytest.approx(0.3, abs=0.02), "the mean of both channels"
    tone = wave[round((1.3 - start) * RATE) : round((1.5 - start) * RATE)]
    frequency = np.fft.rfftfreq(len(tone), 1 / RATE)[np.abs(np.fft.rfft(tone)).argmax()]
    assert frequency == pytest.approx(440, abs=5)


def test_a_stretch_within_the_tone_and_beyond_the_end(film):
    within = read_stretch(film, 1.3, 0.2, RATE)
    assert np.sqrt(np.mean(within**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    beyond = read_stretch(film, 2.9, 1.0, RATE)
    assert len(beyond) == RATE
    assert not beyond[RATE // 2 :].any()


def test_sound_that_starts_late_stays_late(tmp_path):
    late = write_video_with_sound(tmp_path / "late.mp4", delay=0.6)
    assert heard(read_stretch(late, 0.0, 3.0, RATE), 0.0)[0] == pytest.approx(BEEP[0], abs=0.03)
    with av.open(str(late)) as container:
        whole = np.concatenate(list(in_blocks(container, RATE, 0.1)))
    assert heard(whole, 0.0)[0] == pytest.approx(BEEP[0], abs=0.03)


def test_blocks_are_the_whole(film):
    with av.open(str(film)) as container:
        blocks = list(in_blocks(container, RATE, 0.1))
    assert {len(block) for block in blocks[:-1]} == {1600}
    np.testing.assert_allclose(np.concatenate(blocks)[: 2 * RATE], read_stretch(film, 0.0, 2.0, RATE), atol=1e-3)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_sound_is_kept_by_transcoding(film, tmp_path, rate):
    with open(tmp_path / "small.mp4", "wb") as file:
        transcode(film, file, Encoding(short_side=32, sound=rate))
    with av.open(str(tmp_path / "small.mp4")) as container:
        assert container.streams.audio[0].codec_context.sample_rate == rate
        assert container.streams.audio[0].codec_context.layout.name == "mono"
    begins, ends, loudness = heard(read_stretch(tmp_path / "small.mp4", 0.0, 3.0, RATE), 0.0)
    assert (begins, ends) == (pytest.approx(BEEP[0], abs=0.03), pytest.approx(BEEP[1], abs=0.04))
    assert loudness == pytest.approx(0.3, abs=0.03)


def test_sound_that_breaks_off_is_told(film, tmp_path, monkeypatch):
    def broken(container, rate, seconds):
        for number, block in enumerate(in_blocks(container, rate, seconds)):
            if number == 10:
                raise av.error.InvalidDataError(1, "damaged")
            yield block

    monkeypatch.setattr(transcoding, "in_blocks", broken)
    write_srt(tmp_path / "beep.srt", [(1.0, 2.0, "beep")])
    (tmp_path / "beep.mp4").symlink_to(film)
    videos, _ = find_narrated(tmp_path)
    with open(tmp_path / "small.mp4", "wb") as file:
        encoded = transcode(film, file, Encoding(short_side=32, sound=RATE))
    assert encoded.silent_from == pytest.approx(10 * 1024 / RATE)
    assert encoded.frames == 30, "the pictures go on"
    assert not read_stretch(tmp_path / "small.mp4", 0.8, 2.0, RATE).any()
    job = staging.Job(videos[0], "", tmp_path, Encoding(short_side=32, sound=RATE))
    assert "its sound cannot be decoded after 0.6 s" in staging.stage(job).notes[-1].reason


def test_without_sound_there_is_none(tmp_path, film):
    silent = write_film(tmp_path / "silent.mp4", seconds=1.0)
    assert read_stretch(silent, 0.0, 1.0, RATE) is None
    with open(tmp_path / "small.mp4", "wb") as file:
        transcode(silent, file, Encoding(short_side=32, sound=RATE))
    assert read_stretch(tmp_path / "small.mp4", 0.0, 1.0, RATE) is None
    with open(tmp_path / "mute.mp4", "wb") as file:
        transcode(film, file, Encoding(short_side=32))
    assert read_stretch(tmp_path / "mute.mp4", 0.0, 1.0, RATE) is None
    with pytest.raises(ClipError, match="choose from: 0, 8000"):
        Encoding(sound=12_345)


def test_examples_carry_the_sound_of_their_frames_from_files_and_from_shards(tmp_path):
    write_video_with_sound(tmp_path / "beep.mp4")
    write_srt(tmp_path / "beep.srt", [(1.0, 2.0, "beep")])
    write_film(tmp_path / "silent.mp4", seconds=3.0)
    write_srt(tmp_path / "silent.srt", [(1.0, 2.0, "nothing")])
    videos, _ = find_narrated(tmp_path)
    prepare(videos, tmp_path / "shards", encoding=Encoding(short_side=32, sound=RATE), processes=1)
    sampling = Sampling(frames=8, fps=4.0, size=16, shortest=2.0, candidates=1)
    for source in (VideoFolder(tmp_path), Shards(tmp_path / "shards")):
        found = {}
        for number in range(6):
            clip = NarratedClips(source, sampling, seed=0, sample_rate=RATE)[number]
            found.setdefault(clip.captions[0], []).append(clip)
        assert all(clip.wave is None for clip in found["nothing"])
        for clip in found["beep"]:
            assert clip.wave.shape == (2 * RATE,)
            begins, _, _ = heard(clip.wave, clip.start)
            assert begins == pytest.approx(max(BEEP[0], clip.start), abs=0.03)
        assert NarratedClips(source, sampling, seed=0)[0].wave is None
