"""Sound of files: rate, channels, padding, and what is wrong with a file."""

import math
import wave
from pathlib import Path

import numpy as np
import pytest
from films import write_film

from pretrain.sound import SoundError, looped, read_sound

DATA = Path(__file__).parents[2].parent / "shared/data/pretrain"


def write_wave(path, channels, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.stack(channels, 1) * 32767).astype("<i2").tobytes())
    return path


def tone(hertz, rate, seconds=0.5):
    return 0.5 * np.sin(2 * math.pi * hertz * np.arange(round(seconds * rate)) / rate)


def test_channels_are_averaged_and_the_rate_is_changed(tmp_path):
    path = write_wave(tmp_path / "t.wav", [tone(440, 8000), np.zeros(4000)])
    found = read_sound(path, 16_000)
    assert found.dtype == np.float32
    assert len(found) == pytest.approx(8000, abs=64)
    inside = slice(500, 7000)
    np.testing.assert_allclose(found[inside], tone(440, 16_000)[: len(found)][inside] / 2, atol=0.01)


def test_silence_at_the_ends_is_cut_and_the_rest_repeated():
    heard = np.array([0, 0, 0.5, 0, -0.25, 0], np.float32)
    np.testing.assert_array_equal(looped(heard, 7), [0.5, 0, -0.25, 0.5, 0, -0.25, 0.5])
    np.testing.assert_array_equal(looped(heard, 2), [0.5, 0])
    np.testing.assert_array_equal(looped(np.zeros(3, np.float32), 5), np.zeros(5))


def test_what_is_no_sound_is_said(tmp_path):
    with pytest.raises(SoundError, match="no such file"):
        read_sound(tmp_path / "t.wav", 8000)
    (tmp_path / "t.ogg").write_bytes(b"no sound")
    with pytest.raises(SoundError, match="its sound cannot be read"):
        read_sound(tmp_path / "t.ogg", 8000)
    with pytest.raises(SoundError, match="has no sound"):
        read_sound(write_film(tmp_path / "film.mp4", seconds=0.5), 8000)
    with pytest.raises(SoundError, match="its sound is empty"):
        read_sound(write_wave(tmp_path / "e.wav", [np.zeros(0)]), 8000)


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/pretrain is absent")
def test_a_real_recording_and_the_sound_of_a_video():
    bark = read_sound(sorted((DATA / "esc10" / "001 - Dog bark").glob("*.ogg"))[0], 16_000)
    assert len(bark) / 16_000 == pytest.approx(5.0, abs=0.1)
    assert 0.1 < np.abs(bark).max() <= 1.05
    speech = read_sound(DATA / "narrated_clip" / "nasa_13013.mp4", 16_000)
    assert len(speech) / 16_000 == pytest.approx(13, abs=1)
