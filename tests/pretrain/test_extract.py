"""Features of whole videos: every moment is in a window, one pass shows what seeking shows, runs resume."""

import os
import threading

import av
import numpy as np
import pytest
from films import write_film
from hypothesis import given
from hypothesis import strategies as st
from small_model import SAMPLING, model_of

from perception.video import ClipError
from pretrain.ahead import ahead, in_turn
from pretrain.clip_files import NoClips, find_clips
from pretrain.extract import EMBEDDING, FEATURES, ClipFeatures, encode_videos, extract
from pretrain.frames import read_moments
from pretrain.narration import Skipped
from pretrain.probes.viewing import central
from pretrain.windows import WindowError, Windows, covering
from records import Features


@given(st.integers(1, 200), st.integers(1, 20), st.floats(0, 1))
def test_every_item_is_in_a_stretch_and_stretches_move_on(count, length, share):
    hop = 1 + share * (length - 1)
    found = list(covering(range(count), length, hop))
    assert {item for _, stretch in found for item in stretch} == set(range(count))
    starts = [start for start, _ in found]
    assert starts == sorted(set(starts))
    for start, stretch in found:
        assert stretch == [min(start + k, count - 1) for k in range(length)]
    assert all(abs(start - k * hop) <= 0.5 for k, start in enumerate(starts[:-1]))


def test_nothing_has_no_stretch_and_hops_leave_nothing_out():
    assert list(covering([], 3, 1)) == []
    for hop in (0.5, 3.5):
        with pytest.raises(WindowError):
            list(covering(range(9), 3, hop))


@pytest.mark.parametrize(("seconds", "fps", "every"), [(3.3, 10.0, None), (3.3, 29.97, 0.3), (2.0, 3.0, 0.4)])
def test_one_pass_shows_what_seeking_shows(tmp_path, seconds, fps, every):
    film = write_film(tmp_path / "a.mp4", seconds=seconds, fps=fps)
    duration = round(seconds * fps) / fps
    windows = list(Windows(film, SAMPLING, every))
    times = np.array([window.time for window in windows])
    assert times[0, 0] == 0
    assert times[-1, 1] == pytest.approx(duration, abs=1e-3)
    assert (np.diff(times[:, 0]) > 0).all()
    assert (times[1:, 0] <= times[:-1, 1] + 1e-9).all()
    for window in windows:
        moments = window.time[0] + np.arange(4) / 5.0
        sought = central(read_moments(film, moments, short_side=SAMPLING.short_side), 32)
        np.testing.assert_array_equal(window.frames, sought)


def test_a_clip_shorter_than_a_window_is_one_that_stands_still_at_its_end(tmp_path):
    (window,) = Windows(write_film(tmp_path / "a.mp4", seconds=0.3), SAMPLING)
    assert window.time == (0, pytest.approx(0.3))
    assert window.frames.shape == (4, 32, 32, 3)
    np.testing.assert_array_equal(window.frames[1], window.frames[3])


def test_a_variable_rate_is_read_by_the_clock(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height = stream.width = 32
        for k, time in enumerate((0, 1, 2, 15, 16, 17, 30)):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 30 * k, np.uint8), format="rgb24")
            frame.pts = time
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    windows = list(Windows(path, SAMPLING))
    seen = np.concatenate([window.frames.mean(axis=(1, 2, 3)) / 30 for window in windows[:3]])
    np.testing.assert_allclose(seen, [0, *[2] * 7, 4, 5, 5, 5], atol=0.2)


def test_windows_that_would_leave_moments_out_are_refused(tmp_path):
    film = write_film(tmp_path / "a.mp4", seconds=1)
    for every in (0.1, 0.9, float("nan")):
        with pytest.raises(WindowError, match=r"choose 0\.2 to 0\.8 s"):
            Windows(film, SAMPLING, every)
    with pytest.raises(WindowError):
        next(encode_videos([film], model_of(), every=2.0))


@pytest.mark.parametrize("readers", [1, 3])
def test_batches_go_on_over_videos_and_change_nothing(tmp_path, readers):
    films = [write_film(tmp_path / f"{k}.mp4", seconds=s) for k, s in enumerate((0.4, 3.0, 1.7, 0.1))]
    model = model_of()
    found = list(encode_videos(films, model, every=0.4, batch=5, readers=readers))
    assert {outcome.clip for outcome in found} == set(films)
    for outcome in found:
        windows = list(Windows(outcome.clip, SAMPLING, 0.4))
        alone = model.encode_clips(np.stack([window.frames for window in windows]))
        np.testing.assert_allclose(outcome.features.value, alone.features, atol=1e-5)
        np.testing.assert_allclose(outcome.embedding.value, alone.embedding, atol=1e-5)
        np.testing.assert_allclose(outcome.features.time, [window.time for window in windows])
        assert outcome.embedding.encoder == "test embedding"
        assert outcome.embedding.encoder_hash == model.fingerprint()
        assert outcome.embedding.clip == str(outcome.clip.resolve())


def test_files_that_cannot_be_read_are_told_and_the_others_go_on(tmp_path):
    good = write_film(tmp_path / "a.mp4", seconds=1)
    broken = tmp_path / "b.mp4"
    broken.write_bytes(b"no video")
    found = list(encode_videos([broken, tmp_path / "gone.mp4", good], model_of()))
    told = {outcome.file: outcome.reason for outcome in found if isinstance(outcome, Skipped)}
    assert "cannot be read as video" in told[str(broken)]
    assert told[str(tmp_path / "gone.mp4")] == "no such file"
    assert [outcome.clip for outcome in found if isinstance(outcome, ClipFeatures)] == [good]


def test_a_truncated_file_is_used_as_far_as_it_goes(tmp_path):
    whole = write_film(tmp_path / "a.ts", seconds=6, size_hw=(128, 128))
    os.truncate(whole, whole.stat().st_size * 2 // 3)
    (found,) = encode_videos([whole], model_of())
    assert isinstance(found, ClipFeatures)
    assert 1 < found.features.time[-1, 1] < 6


def test_what_is_made_is_not_made_again(tmp_path):
    folder, out = tmp_path / "clips", tmp_path / "out"
    for name in ("a", "deep/b"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_film(folder / f"{name}.mp4", seconds=1)
    (folder / "c.mp4").write_bytes(b"no video")
    clips, skipped = find_clips([folder])

    def run(model=None, **options):
        return extract(clips, model or model_of(), out, skipped=skipped, **options)

    first = run()
    assert (first.made, first.there, len(first.skipped)) == (2, 0, 1)
    assert Features.load(out / f"deep/b{FEATURES}").value.shape[1] == 12
    before = Features.load(out / f"a{EMBEDDING}")
    assert run()[:2] == (0, 2)
    (out / f"a{FEATURES}").write_bytes(b"cut short")
    assert run()[:2] == (1, 1)
    assert Features.load(out / f"a{EMBEDDING}") == before
    assert run(every=0.4)[:2] == (2, 0)
    assert run(model_of(seed=1), every=0.4)[:2] == (2, 0)
    assert run(model_of(seed=1), every=0.4, force=True)[:2] == (2, 0)
    os.utime(folder / "a.mp4", (0, 0))
    assert run(model_of(seed=1), every=0.4)[:2] == (1, 1)


def test_clips_by_files_folders_and_patterns(tmp_path):
    for name in ("x/a.mp4", "x/a.webm", "y/a.MP4", "y/b.mp4", "y/.hidden.mp4", "y/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    clips, skipped = find_clips([tmp_path])
    assert [clip.name for clip in clips] == ["x/a", "y/a", "y/b"]
    assert [file for file, _ in skipped] == [str(tmp_path / "x/a.webm")]
    clips, skipped = find_clips([str(tmp_path / "*/*"), tmp_path / "y/b.mp4", tmp_path / "gone.mp4"])
    assert [clip.name for clip in clips] == ["a", "b"]
    assert "give the folder above both" in dict(skipped)[str(tmp_path / "y/a.MP4")]
    assert "no such file" in dict(skipped)[str(tmp_path / "gone.mp4")]
    with pytest.raises(NoClips, match="no video file there"):
        find_clips([tmp_path / "gone"])


def test_work_is_done_ahead_in_bounds_and_ends_with_its_reader():
    made = []

    def items():
        for k in range(100):
            made.append((k, threading.get_ident()))
            yield k

    reader = ahead(items(), 3)
    assert [next(reader) for _ in range(4)] == [0, 1, 2, 3]
    reader.close()
    assert 4 <= len(made) <= 8
    assert threading.get_ident() not in {who for _, who in made}
    assert list(ahead(range(5), 2)) == list(range(5))

    def failing():
        yield 1
        raise ClipError("broken")

    with pytest.raises(ClipError):
        list(ahead(failing(), 4))


def test_sources_take_turns():
    assert list(in_turn(map(iter, ("abc", "d", "ef", "g")), 2)) == list("adbcefg")
    assert list(in_turn([], 2)) == []
